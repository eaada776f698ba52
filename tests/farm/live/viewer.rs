//! A viewer with a socket of its own.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mouthpiece_media::audio::OpusDecoder;
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::{SdpAnswer, SdpPendingOffer},
    format::Codec,
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
};

use crate::api::{Answer, Api};

/// What came.
#[derive(Debug, Default)]
pub struct Seen {
    /// Frames of video, from the first key frame on.
    pub frames: u64,
    /// The first frame that came was no key frame.
    pub began_broken: bool,
    /// Packets of sound, and those that are not silence.
    pub packets: u64,
    pub loud: u64,
    /// Whether the connection was closed by the other side.
    pub closed: bool,
}

/// A connected viewer; dropping it lets it vanish without a word.
pub struct Viewer {
    seen: Arc<Mutex<Seen>>,
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<()>>,
    /// Where the worker's media comes from.
    pub worker: SocketAddr,
    /// Its address at the coordinator.
    pub location: String,
}

/// An offer, not yet sent.
pub struct Offer {
    rtc: Rtc,
    socket: UdpSocket,
    pub sdp: String,
    pending: SdpPendingOffer,
}

impl Offer {
    pub fn new() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let mut rtc = Rtc::builder().clear_codecs().enable_h264(true).enable_opus(true, false).build(Instant::now());
        rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap());
        let mut changes = rtc.sdp_api();
        changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        Self { rtc, socket, sdp: offer.to_sdp_string(), pending }
    }

    /// Takes the answer and watches.
    pub fn watch(self, answer: &Answer) -> Viewer {
        let Self { mut rtc, socket, pending, .. } = self;
        let sdp = answer.text();
        let here = socket.local_addr().unwrap();
        let candidates = sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:")).map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            SocketAddr::new(words[4].parse().unwrap(), words[5].parse().unwrap())
        });
        let worker = candidates.clone().find(|c| c.ip().is_loopback()).or_else(|| candidates.clone().next()).unwrap();
        rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&sdp).unwrap()).unwrap();
        let (stop, stopped) = mpsc::channel();
        let seen = Arc::<Mutex<Seen>>::default();
        let thread = std::thread::spawn({
            let seen = Arc::clone(&seen);
            move || watch(rtc, &socket, here, &seen, &stopped)
        });
        let location = answer.leads(answer.header("location"));
        assert!(answer.header("etag").starts_with('"'), "{:?}", answer.headers);
        Viewer { seen, stop, thread: Some(thread), worker, location }
    }
}

impl Viewer {
    /// Watches a session.
    pub async fn of(api: &Api, session: &str) -> Self {
        let offer = Offer::new();
        let path = format!("/v1/sessions/{session}/whep");
        let answer = api.post_body(&path, "application/sdp", offer.sdp.clone()).await.is(201);
        offer.watch(&answer)
    }

    /// Watches a session if it runs; the answer if not.
    #[cfg(feature = "cloud")]
    pub async fn try_of(api: &Api, session: &str) -> Result<Self, Answer> {
        let offer = Offer::new();
        let answer = api.post_body(&format!("/v1/sessions/{session}/whep"), "application/sdp", offer.sdp.clone()).await;
        if answer.status == 201 { Ok(offer.watch(&answer)) } else { Err(answer) }
    }

    /// What came so far.
    pub fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch(mut rtc: Rtc, socket: &UdpSocket, here: SocketAddr, seen: &Mutex<Seen>, stopped: &mpsc::Receiver<()>) {
    let mut opus = OpusDecoder::new().unwrap();
    let mut buffer = [0; 2000];
    while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) && rtc.is_alive() {
        loop {
            match rtc.poll_output().unwrap() {
                Output::Timeout(_) => break,
                Output::Transmit(out) => drop(socket.send_to(&out.contents, out.destination)),
                Output::Event(Event::MediaData(data)) => {
                    let mut seen = seen.lock().unwrap();
                    if data.params.spec().codec == Codec::H264 {
                        let key = data.data.windows(4).any(|w| w[..3] == [0, 0, 1] && w[3] & 31 == 5);
                        seen.began_broken |= seen.frames == 0 && !key;
                        seen.frames += 1;
                    } else {
                        let mut sound = Vec::new();
                        let count = opus.decode(&data.data, &mut sound).unwrap();
                        seen.packets += 1;
                        seen.loud += u64::from(sound[..count].iter().any(|s| s.abs() > 0.02));
                    }
                }
                Output::Event(_) => {}
            }
        }
        match socket.recv_from(&mut buffer) {
            Ok((length, source)) => {
                let Ok(contents) = buffer[..length].try_into() else { continue };
                let received = Receive { proto: Protocol::Udp, source, destination: here, contents };
                rtc.handle_input(Input::Receive(Instant::now(), received)).unwrap();
            }
            Err(_) => rtc.handle_input(Input::Timeout(Instant::now())).unwrap(),
        }
    }
    seen.lock().unwrap().closed = !rtc.is_alive();
}
