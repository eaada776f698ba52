//! A viewer that stays with its session: when it moves, a new connection is made before the old one is left; when nothing more
//! comes, it connects again.

use super::farm::ChaosFarm;
use crate::chaos::history::Happening;
use crate::{LoadError, setup};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::{Duration, Instant};
use str0m::change::SdpAnswer;
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};

/// The largest datagram that WebRTC sends, and some.
const DATAGRAM: usize = 2000;
/// A connection over which no frame came for so long is given up.
const SILENT: Duration = Duration::from_millis(1500);
/// The first frame may take so long.
const FIRST_FRAME: Duration = Duration::from_secs(5);
/// Between two tries to connect.
const AGAIN: Duration = Duration::from_millis(150);
/// A pause between frames from which on it counts as a gap.
const GAP: Duration = Duration::from_millis(250);

/// What a viewer saw.
#[derive(Default)]
struct ViewerLog {
    frames: u64,
    connections: u32,
    last: Option<Instant>,
}

/// One connection.
struct Connection {
    rtc: Rtc,
    socket: UdpSocket,
    here: SocketAddr,
    buffer: Vec<u8>,
    /// When a frame came last; until then, when it was connected.
    heard: Instant,
    has_seen: bool,
}

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Connection, LoadError>> + Send + 'a>>;

/// Watches until it is stopped. `fence` tells where the session is.
pub(super) async fn watch(
    farm: &ChaosFarm,
    session: &str,
    first: usize,
    mut fence: watch::Receiver<u32>,
    mut stop: watch::Receiver<bool>,
) {
    let mut log = ViewerLog::default();
    let mut nth = first;
    loop {
        nth += 1;
        let connection = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            connection = connect(farm, session, nth) => connection,
        };
        match connection {
            Ok(connection) => {
                log.connections += 1;
                stay(farm, session, nth, connection, &mut log, &mut fence, &mut stop).await;
            }
            Err(_) => sleep(AGAIN).await,
        }
    }
    let (frames, connections) = (log.frames, log.connections);
    farm.recorder.tell(Happening::Watched { session: session.to_owned(), frames, connections });
}

/// Watches over a connection, and the next one when the session moves, until nothing comes any more.
async fn stay(
    farm: &ChaosFarm,
    session: &str,
    nth: usize,
    mut connection: Connection,
    log: &mut ViewerLog,
    fence: &mut watch::Receiver<u32>,
    stop: &mut watch::Receiver<bool>,
) {
    let mut next: Option<Connecting<'_>> = None;
    fence.mark_unchanged();
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            alive = connection.step(|| farm.saw_frame(session, log)) => if !alive { return },
            Ok(()) = fence.changed() => next = Some(Box::pin(connect(farm, session, nth))),
            made = made(&mut next) => {
                next = None;
                if let Ok(made) = made {
                    log.connections += 1;
                    connection = made;
                }
            }
        }
    }
}

async fn made(next: &mut Option<Connecting<'_>>) -> Result<Connection, LoadError> {
    match next {
        Some(next) => next.await,
        None => std::future::pending().await,
    }
}

impl ChaosFarm {
    fn saw_frame(&self, session: &str, log: &mut ViewerLog) {
        let now = Instant::now();
        log.frames += 1;
        if let Some(gap) = log.last.replace(now).map(|last| now - last).filter(|gap| *gap > GAP) {
            let ms = u64::try_from(gap.as_millis()).unwrap_or(u64::MAX);
            self.recorder.tell(Happening::Gap { session: session.to_owned(), ms });
        }
    }
}

async fn connect(farm: &ChaosFarm, session: &str, nth: usize) -> Result<Connection, LoadError> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(setup)?;
    let here = socket.local_addr().map_err(setup)?;
    let mut rtc = Rtc::builder().clear_codecs().enable_h264(true).enable_opus(true, false).build(Instant::now());
    rtc.add_local_candidate(Candidate::host(here, "udp").map_err(setup)?);
    let mut changes = rtc.sdp_api();
    changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
    changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
    let (offer, pending) = changes.apply().ok_or_else(|| setup("no offer"))?;
    let answer = farm.client.offer(nth, session, offer.to_sdp_string()).await.map_err(setup)?;
    let answer = SdpAnswer::from_sdp_string(&answer).map_err(setup)?;
    rtc.sdp_api().accept_answer(pending, answer).map_err(setup)?;
    Ok(Connection { rtc, socket, here, buffer: vec![0; DATAGRAM], heard: Instant::now(), has_seen: false })
}

impl Connection {
    /// Waits for what is next; false when it is dead or silent.
    async fn step(&mut self, mut saw_frame: impl FnMut()) -> bool {
        let due = loop {
            match self.rtc.poll_output() {
                Err(_) => return false,
                Ok(Output::Timeout(due)) => break due,
                // A datagram that cannot be sent is a lost one.
                Ok(Output::Transmit(out)) => drop(self.socket.send_to(&out.contents, out.destination).await),
                Ok(Output::Event(Event::MediaData(data))) if data.params.spec().codec == Codec::H264 => {
                    (self.heard, self.has_seen) = (Instant::now(), true);
                    saw_frame();
                }
                Ok(Output::Event(_)) => {}
            }
        };
        let patience = if self.has_seen { SILENT } else { FIRST_FRAME };
        if !self.rtc.is_alive() || self.heard.elapsed() > patience {
            return false;
        }
        let due = due.min(Instant::now() + Duration::from_millis(200));
        tokio::select! {
            came = self.socket.recv_from(&mut self.buffer) => match came {
                Ok((length, source)) => {
                    let Ok(contents) = self.buffer[..length].try_into() else { return true };
                    let received = Receive { proto: Protocol::Udp, source, destination: self.here, contents };
                    self.rtc.handle_input(Input::Receive(Instant::now(), received)).is_ok()
                }
                // The other side's port is closed: ICE finds out.
                Err(_) => true,
            },
            () = sleep_until(due.into()) => self.rtc.handle_input(Input::Timeout(Instant::now())).is_ok(),
        }
    }
}
