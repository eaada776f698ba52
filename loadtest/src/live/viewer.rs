//! A viewer with a socket of its own.

use super::http::{Api, CreatedSession};
use super::media::{Marks, ViewerTrace};
use crate::{LoadError, setup};
use mouthpiece_media::audio::OpusDecoder;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use str0m::change::SdpAnswer;
use str0m::format::Codec;
use str0m::media::{Direction, MediaData, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::sleep_until;

/// The largest datagram that WebRTC sends, and some.
const DATAGRAM: usize = 2000;

/// Watches until it is stopped, or `briefly`: until the first decodable frame. What was seen.
pub(super) async fn watch(
    api: &Api,
    asked: &CreatedSession,
    marks: &Mutex<Marks>,
    fps: u32,
    mut stopped: watch::Receiver<bool>,
    briefly: bool,
) -> Result<ViewerTrace, LoadError> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(setup)?;
    let here = socket.local_addr().map_err(setup)?;
    let mut rtc = Rtc::builder().clear_codecs().enable_h264(true).enable_opus(true, false).build(Instant::now());
    rtc.add_local_candidate(Candidate::host(here, "udp").map_err(setup)?);
    let mut changes = rtc.sdp_api();
    changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
    changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
    let (offer, pending) = changes.apply().ok_or_else(|| setup("no offer"))?;
    let (answer, location) = api.offer(asked, offer.to_sdp_string()).await?;
    let answer = SdpAnswer::from_sdp_string(&answer).map_err(setup)?;
    rtc.sdp_api().accept_answer(pending, answer).map_err(setup)?;

    let mut viewer =
        Viewer { rtc, socket, here, seen: ViewerTrace::default(), opus: OpusDecoder::new().map_err(setup)?, fps };
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let due = viewer.drain(marks).await?;
        tokio::select! {
            came = viewer.socket.recv_from(&mut buffer) => {
                let (length, source) = came.map_err(setup)?;
                viewer.take(&buffer[..length], source)?;
            }
            () = sleep_until(due.into()) => viewer.rtc.handle_input(Input::Timeout(Instant::now())).map_err(setup)?,
            _ = stopped.wait_for(|stop| *stop) => break,
        }
        if !viewer.rtc.is_alive() || (briefly && viewer.seen.first_key.is_some()) {
            break;
        }
    }
    api.hang_up(asked, &location).await?;
    Ok(viewer.seen)
}

struct Viewer {
    rtc: Rtc,
    socket: UdpSocket,
    here: SocketAddr,
    seen: ViewerTrace,
    opus: OpusDecoder,
    fps: u32,
}

impl Viewer {
    fn take(&mut self, datagram: &[u8], source: SocketAddr) -> Result<(), LoadError> {
        let Ok(contents) = datagram.try_into() else { return Ok(()) };
        let received = Receive { proto: Protocol::Udp, source, destination: self.here, contents };
        self.rtc.handle_input(Input::Receive(Instant::now(), received)).map_err(setup)
    }

    /// Sends what is to be sent and looks at what came; when to come back.
    async fn drain(&mut self, marks: &Mutex<Marks>) -> Result<Instant, LoadError> {
        loop {
            match self.rtc.poll_output().map_err(setup)? {
                Output::Timeout(due) => return Ok(due.min(Instant::now() + Duration::from_secs(1))),
                // A datagram that cannot be sent is a lost one.
                Output::Transmit(out) => drop(self.socket.send_to(&out.contents, out.destination).await),
                Output::Event(Event::MediaData(data)) => self.look(&data, marks),
                Output::Event(_) => {}
            }
        }
    }

    fn look(&mut self, data: &MediaData, marks: &Mutex<Marks>) {
        let (at, declared) = (data.network_time, declared(data));
        if data.params.spec().codec == Codec::H264 {
            let key = nal_types(&data.data).any(|kind| kind == 5);
            self.seen.frame(at, declared, data.data.len(), key, self.fps);
        } else {
            let mut sound = Vec::new();
            if self.opus.decode(&data.data, &mut sound).is_ok() && !sound.is_empty() {
                let rms = (sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32).sqrt();
                let mut marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
                self.seen.sound(at, declared, rms, &mut marks);
            }
        }
    }
}

/// The time that the sender's last report declares for this, seconds.
fn declared(data: &MediaData) -> Option<f64> {
    let report = data.last_sender_info?;
    let ntp = report.ntp_time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64();
    Some(ntp + data.time.as_seconds() - report.rtp_time.as_seconds())
}

/// The types of the NAL units in Annex B.
fn nal_types(data: &[u8]) -> impl Iterator<Item = u8> + '_ {
    data.windows(4).filter(|w| w[..3] == [0, 0, 1]).map(|w| w[3] & 31)
}
