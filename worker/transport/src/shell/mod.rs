//! The thread around the hub: it moves bytes and time, and decides nothing.

mod addresses;
mod reflexive;
mod socket;

use crate::counts::SharedCounts;
use crate::error::TransportError;
use crate::events::StreamEvent;
use crate::hub::{Advertised, Datagram, Hub, HubSettings};
use crate::inbox::{EventSink, TransportCommand, TransportInbox};
use crate::settings::{StreamId, TransportSettings};
use reflexive::Probe;
use socket::{Port, Sent};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime;
use tracing::{error, info};

/// Datagrams read before anything else gets its turn.
const BATCH: usize = 256;
/// Farewells are sent within so long, or not at all.
const FAREWELL: Duration = Duration::from_millis(200);
/// After a fault of the socket nothing is read for so long.
const FAULT: Duration = Duration::from_millis(10);

/// A transport that is set up and does not run yet.
pub(crate) struct PreparedViewer {
    shell: Shell,
    socket: std::net::UdpSocket,
    local: SocketAddr,
    runtime: runtime::Runtime,
}

/// Opens the socket and finds the addresses.
///
/// # Errors
/// [`TransportError`].
pub(crate) fn prepare(
    settings: TransportSettings,
    inbox: Arc<TransportInbox>,
    counts: Arc<SharedCounts>,
    candidates: Arc<Mutex<Vec<SocketAddr>>>,
) -> Result<PreparedViewer, TransportError> {
    let TransportSettings { bind: addr, addresses, public: lite, stun, max_viewers, max_viewers_per_stream } = settings;
    let bind = |source| TransportError::Bind { addr, source };
    let socket = socket::open(addr).map_err(bind)?;
    let local = socket.local_addr().map_err(bind)?;
    let advertised = addresses::advertised(local, &addresses)?;
    let hub = Hub::new(HubSettings { lite, max_viewers, max_viewers_per_stream }, advertised)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(TransportError::Thread)?;
    let probe = stun.map(|server| Probe::new(server, local.is_ipv4()));
    let shell = Shell { hub, inbox, counts, candidates, probe, sinks: HashMap::new(), back: None };
    shell.tell_candidates();
    info!(%local, candidates = ?shell.hub.advertised().iter().map(|a| a.addr).collect::<Vec<_>>(), "WebRTC is open");
    Ok(PreparedViewer { shell, socket, local, runtime })
}

impl PreparedViewer {
    /// Where the socket is.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Runs it on a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self) -> io::Result<JoinHandle<()>> {
        let Self { shell, socket, local, runtime } = self;
        std::thread::Builder::new().name("transport".to_owned()).spawn(move || {
            let _end = End(Arc::clone(&shell.inbox));
            let result = runtime.block_on(async move { shell.run(Port::new(socket, local)?).await });
            if let Err(e) = result {
                error!(error = %e, "the transport's socket failed");
            }
        })
    }
}

/// However the thread ends, nobody waits for it any more.
struct End(Arc<TransportInbox>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.shut();
    }
}

struct Shell {
    hub: Hub,
    inbox: Arc<TransportInbox>,
    counts: Arc<SharedCounts>,
    candidates: Arc<Mutex<Vec<SocketAddr>>>,
    probe: Option<Probe>,
    sinks: HashMap<StreamId, EventSink>,
    /// A datagram that the system would not take yet.
    back: Option<Datagram>,
}

impl Shell {
    async fn run(mut self, port: Port) -> io::Result<()> {
        let (mut commands, mut events) = (Vec::new(), Vec::new());
        loop {
            let mut stop = false;
            self.inbox.take(&mut commands);
            for command in commands.drain(..) {
                stop |= self.command(command);
                self.flush(&port);
            }
            let more = self.receive(&port).await;
            self.hub.tick(Instant::now());
            self.probe(&port);
            if stop {
                self.hub.close_all(Instant::now());
            }
            self.flush(&port);
            self.tell(&mut events);
            self.counts.publish(&self.hub.counts());
            if stop {
                return self.farewell(&port).await;
            }
            if !more {
                self.wait(&port).await?;
            }
        }
    }

    /// True when it is the end.
    fn command(&mut self, command: TransportCommand) -> bool {
        let (hub, now) = (&mut self.hub, Instant::now());
        match command {
            TransportCommand::Video { id, frame, torn } => {
                if torn {
                    hub.torn(now, id);
                }
                hub.video(now, id, frame);
            }
            TransportCommand::Audio { id, packet } => hub.audio(now, id, packet),
            TransportCommand::Open { id, params, sink, sent_bytes } => {
                self.sinks.insert(id, sink);
                hub.open(id, params);
                hub.count_into(id, sent_bytes);
            }
            TransportCommand::Close { id } => {
                hub.close(now, id);
                self.tell(&mut Vec::new());
                self.sinks.remove(&id);
            }
            // Whoever asked may have gone meanwhile.
            TransportCommand::Offer { stream, viewer, sdp, reply } => {
                drop(reply.send(hub.offer(now, stream, viewer, &sdp)));
            }
            TransportCommand::Trickle { stream, viewer, tag, fragment, reply } => {
                drop(reply.send(hub.trickle(now, stream, viewer, &tag, &fragment)));
            }
            TransportCommand::Restart { stream, viewer, fragment, reply } => {
                drop(reply.send(hub.restart(now, stream, viewer, &fragment)));
            }
            TransportCommand::HangUp { stream, viewer, reply } => drop(reply.send(hub.hang_up(now, stream, viewer))),
            TransportCommand::Stop => return true,
        }
        false
    }

    /// Reads what is there; true when there may be more.
    async fn receive(&mut self, port: &Port) -> bool {
        let mut buffer = [0; 2048];
        for _ in 0..BATCH {
            match port.receive(&mut buffer) {
                Ok(Some((length, source))) => self.datagram(source, &buffer[..length]),
                Ok(None) => return false,
                Err(_) => {
                    tokio::time::sleep(FAULT).await;
                    return false;
                }
            }
        }
        true
    }

    fn datagram(&mut self, source: SocketAddr, datagram: &[u8]) {
        let seen = self.probe.as_mut().and_then(|probe| probe.answer(source, datagram));
        let Some(addr) = seen else { return self.hub.receive(Instant::now(), source, datagram) };
        self.probe = None;
        let base = self.hub.advertised().iter().map(|a| a.addr).find(|a| a.is_ipv4() == addr.is_ipv4());
        if self.hub.advertised().iter().all(|known| known.addr != addr) {
            info!(%addr, "a STUN server told the public address");
            self.hub.advertise(Advertised { addr, base });
            self.tell_candidates();
        }
    }

    fn probe(&mut self, port: &Port) {
        let Some(probe) = &mut self.probe else { return };
        if let Some((server, request)) = probe.request(Instant::now()) {
            let _ = port.send(server, &request);
        }
        if probe.given_up() {
            self.probe = None;
        }
    }

    /// Sends what is to be sent, until the system takes no more.
    fn flush(&mut self, port: &Port) {
        while let Some(datagram) = self.back.take().or_else(|| self.hub.pop()) {
            match port.send(datagram.to, &datagram.data) {
                Sent::Yes => {
                    if let Some(mark) = datagram.mark {
                        self.hub.handed(mark, Instant::now());
                    }
                }
                Sent::Later => {
                    self.back = Some(datagram);
                    return;
                }
                Sent::Never => self.hub.unsent(),
            }
        }
    }

    fn tell(&mut self, events: &mut Vec<(StreamId, StreamEvent)>) {
        self.hub.take_events(events);
        for (id, event) in events.drain(..) {
            if let Some(sink) = self.sinks.get(&id) {
                sink(event);
            }
        }
    }

    async fn wait(&mut self, port: &Port) -> io::Result<()> {
        let probe = self.probe.as_ref().and_then(Probe::next);
        let deadline = self.hub.deadline().into_iter().chain(probe).min();
        let (inbox, resolving) = (&self.inbox, self.probe.as_mut());
        tokio::select! {
            () = inbox.filled() => Ok(()),
            result = port.readable() => result,
            result = port.writable(), if self.back.is_some() => result,
            () = sleep_until(deadline) => Ok(()),
            () = reflexive::resolve(resolving) => Ok(()),
        }
    }

    async fn farewell(mut self, port: &Port) -> io::Result<()> {
        let sending = async {
            while self.back.is_some() {
                port.writable().await?;
                self.flush(port);
            }
            Ok(())
        };
        tokio::time::timeout(FAREWELL, sending).await.unwrap_or(Ok(()))
    }

    fn tell_candidates(&self) {
        let addresses = self.hub.advertised().iter().map(|a| a.addr).collect();
        *self.candidates.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
