//! A viewer with a socket of its own.

use super::LiveFaults;
use super::http::{Api, CreatedSession};
use super::media::{Marks, ViewerTrace};
use crate::dice::Dice;
use crate::{LoadError, setup};
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_media::audio::OpusDecoder;
use reqwest::Url;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use str0m::change::SdpAnswer;
use str0m::format::Codec;
use str0m::media::{Direction, MediaData, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};

/// The largest datagram that WebRTC sends, and some.
const DATAGRAM: usize = 2000;

/// A session whose connection ended is looked for again for so long.
const LOOKED_FOR: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSES: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(2), again: None };

/// A time that does not come while a viewer watches.
const NEVER: Duration = Duration::from_secs(30 * 24 * 3600);

/// How a viewer watches.
#[derive(Debug, Clone, Copy)]
pub(super) struct WatchTerms {
    /// Frames a second that are to come.
    pub(super) fps: u32,
    /// Only until the first decodable frame.
    pub(super) briefly: bool,
    /// What goes wrong on its side.
    pub(super) faults: LiveFaults,
    /// What seconds are counted from.
    pub(super) origin: Instant,
    /// Determines what it loses.
    pub(super) seed: u64,
}

/// Watches until it is stopped or the session has ended, or briefly: until the first decodable frame. What was seen. Where the
/// connection ends before that, or the viewer is to come back, the session is watched again, wherever it runs then.
pub(super) async fn watch(
    api: &Api,
    asked: &CreatedSession,
    marks: &Mutex<Marks>,
    terms: WatchTerms,
    mut stopped: watch::Receiver<bool>,
) -> Result<ViewerTrace, LoadError> {
    let mut viewer = Viewer::connected(api, asked, terms, ViewerTrace::since(terms.origin)).await?;
    loop {
        let end = viewer.until_over(marks, &mut stopped).await?;
        if end != WatchEnd::Gone {
            api.hang_up(asked, &viewer.location).await?;
        }
        if end == WatchEnd::Enough {
            return Ok(viewer.seen);
        }
        let Some(next) = again(api, asked, terms, &mut stopped).await? else { return Ok(viewer.seen) };
        viewer = Viewer { seen: viewer.seen, ..next };
    }
}

/// Watches a session once more; `None` when there is nothing to watch any more.
async fn again(
    api: &Api,
    asked: &CreatedSession,
    terms: WatchTerms,
    stopped: &mut watch::Receiver<bool>,
) -> Result<Option<Viewer>, LoadError> {
    let given_up = Instant::now() + LOOKED_FOR;
    let mut tries = 0;
    while !*stopped.borrow() && api.is_open(asked).await? {
        match Viewer::connected(api, asked, terms, ViewerTrace::default()).await {
            Ok(connected) => return Ok(Some(connected)),
            Err(error) if Instant::now() >= given_up => return Err(error),
            Err(_) => sleep(PAUSES.pause(tries)).await,
        }
        tries += 1;
    }
    Ok(None)
}

/// Why a connection is watched no longer.
#[derive(Debug, PartialEq, Eq)]
enum WatchEnd {
    /// It was stopped, or saw what it was to see.
    Enough,
    /// It goes, to come back.
    Rejoins,
    /// The other side closed it, or is not there any more.
    Gone,
}

struct Viewer {
    rtc: Rtc,
    socket: UdpSocket,
    here: SocketAddr,
    /// Its address at the farm.
    location: Url,
    seen: ViewerTrace,
    opus: OpusDecoder,
    terms: WatchTerms,
    losses: Dice,
    offered: Instant,
    /// Nothing comes from the worker any more.
    is_lost: bool,
}

impl Viewer {
    /// Offers to watch.
    async fn connected(
        api: &Api,
        asked: &CreatedSession,
        terms: WatchTerms,
        seen: ViewerTrace,
    ) -> Result<Self, LoadError> {
        let offered = Instant::now();
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
        let opus = OpusDecoder::new().map_err(setup)?;
        let losses = Dice::new(terms.seed);
        Ok(Self { rtc, socket, here, location, seen, opus, terms, losses, offered, is_lost: false })
    }

    /// Looks at what comes until that is enough, or the connection has ended.
    async fn until_over(
        &mut self,
        marks: &Mutex<Marks>,
        stopped: &mut watch::Receiver<bool>,
    ) -> Result<WatchEnd, LoadError> {
        let mut buffer = vec![0; DATAGRAM];
        let leaves = self.offered + self.terms.faults.rejoin_every.unwrap_or(NEVER);
        loop {
            let due = self.drain(marks).await?;
            tokio::select! {
                came = self.socket.recv_from(&mut buffer) => {
                    let (length, source) = came.map_err(setup)?;
                    if self.losses.share() >= self.terms.faults.loss {
                        self.take(&buffer[..length], source)?;
                    }
                }
                () = sleep_until(due.into()) => self.rtc.handle_input(Input::Timeout(Instant::now())).map_err(setup)?,
                () = sleep_until(leaves.into()) => return Ok(WatchEnd::Rejoins),
                _ = stopped.wait_for(|stop| *stop) => return Ok(WatchEnd::Enough),
            }
            if self.terms.briefly && self.seen.first_key.is_some() {
                return Ok(WatchEnd::Enough);
            }
            if self.is_lost || !self.rtc.is_alive() {
                return Ok(WatchEnd::Gone);
            }
        }
    }

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
                Output::Event(Event::Connected) => self.seen.joins.push(self.offered.elapsed()),
                Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected)) => self.is_lost = true,
                Output::Event(_) => {}
            }
        }
    }

    fn look(&mut self, data: &MediaData, marks: &Mutex<Marks>) {
        let (at, declared) = (data.network_time, declared(data));
        if data.params.spec().codec == Codec::H264 {
            let key = nal_types(&data.data).any(|kind| kind == 5);
            self.seen.frame(at, declared, data.data.len(), key, self.terms.fps);
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
