//! A proxy between two that harms their connections when it is told to.

use anyhow::{Context as _, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// Pieces under way in one direction of one connection; the sender waits beyond that.
const PIECES: usize = 64;
/// The largest piece, in bytes.
const PIECE: usize = 16 * 1024;

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Everything goes through.
    Pass,
    /// All connections are closed, and new ones refused, as if nobody listened.
    Cut,
    /// Connections stay and new ones are accepted, but no byte moves. What came meanwhile goes on afterwards.
    Stall,
    /// Everything goes through, each way later by this. Also what is accepted late.
    Delay(Duration),
    /// Connections are accepted and closed at once, as a load balancer without a server behind it may; those that are open are
    /// closed.
    AcceptThenClose,
    /// Connections are accepted and never answered, and what they say is swallowed; those that are open fall silent
    /// the same way, for ever.
    AcceptThenSilence,
}

/// A proxy on a port of 127.0.0.1. It ends, with all connections, when it is dropped.
#[derive(Debug)]
pub struct HarmfulProxy {
    port: u16,
    harm: watch::Sender<Harm>,
    accepted: Arc<AtomicU64>,
    task: AbortHandle,
}

impl HarmfulProxy {
    /// Starts one that passes everything on to `target`, for example `127.0.0.1:6379`.
    ///
    /// # Errors
    /// The machine has no port left.
    pub async fn start(target: impl Into<String>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for the proxy")?;
        let address = listener.local_addr()?;
        let (harm, watched) = watch::channel(Harm::Pass);
        let accepted = Arc::new(AtomicU64::new(0));
        let listening = listen(Some(listener), address, target.into(), watched, Arc::clone(&accepted));
        let task = tokio::spawn(listening).abort_handle();
        Ok(Self { port: address.port(), harm, accepted, task })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// From now on this happens, to connections that are open too.
    pub fn set(&self, harm: Harm) {
        self.harm.send_replace(harm);
    }

    /// Connections accepted so far.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for HarmfulProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts connections while it may. The port stays this proxy's: it is bound again after a cut.
async fn listen(
    mut listener: Option<TcpListener>,
    address: SocketAddr,
    target: String,
    mut harm: watch::Receiver<Harm>,
    accepted: Arc<AtomicU64>,
) {
    // Dropped with this, and with it every connection.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let now = *harm.borrow_and_update();
        if now == Harm::Cut {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        let Some(open) = &listener else {
            tokio::select! {
                changed = harm.changed() => if changed.is_err() { return },
                // Something else sat on the port for a moment.
                () = sleep(Duration::from_millis(20)), if now != Harm::Cut => {}
            }
            continue;
        };
        tokio::select! {
            changed = harm.changed() => if changed.is_err() { return },
            Ok((stream, _)) = open.accept() => {
                accepted.fetch_add(1, Ordering::Relaxed);
                match now {
                    Harm::AcceptThenClose => drop(stream),
                    Harm::AcceptThenSilence => drop(connections.spawn(swallow(stream, harm.clone()))),
                    _ => drop(connections.spawn(serve(stream, target.clone(), harm.clone()))),
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// One connection, until either side closes it or it is harmed to death.
async fn serve(client: TcpStream, target: String, mut harm: watch::Receiver<Harm>) {
    let ended = harm.clone();
    let carrying = async {
        // A server that nobody reaches yet is not connected to either.
        if harm.wait_for(|h| matches!(h, Harm::Pass | Harm::Delay(_))).await.is_err() {
            return;
        }
        let Ok(server) = TcpStream::connect(&target).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::join!(carry(from_client, to_server, harm.clone()), carry(from_server, to_client, harm));
    };
    tokio::select! {
        () = carrying => {}
        () = closed(ended) => {}
    }
}

/// Takes what is said and never answers, whatever happens to others.
async fn swallow(mut client: TcpStream, harm: watch::Receiver<Harm>) {
    let swallowing = async { while matches!(client.read(&mut [0; 1024]).await, Ok(1..)) {} };
    tokio::select! {
        () = swallowing => {}
        () = closed(harm) => {}
    }
}

/// Waits until open connections are to be closed.
async fn closed(mut harm: watch::Receiver<Harm>) {
    let _ = harm.wait_for(|h| matches!(h, Harm::Cut | Harm::AcceptThenClose)).await;
}

/// One direction of a connection.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut harm: watch::Receiver<Harm>) {
    let (sender, mut pieces) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let of_reader = harm.clone();
    let reading = async move {
        let mut swallowed = false;
        let mut room = vec![0; PIECE];
        while let Ok(n @ 1..) = from.read(&mut room).await {
            let now = *of_reader.borrow();
            swallowed |= now == Harm::AcceptThenSilence;
            if swallowed {
                continue;
            }
            let delay = if let Harm::Delay(delay) = now { delay } else { Duration::ZERO };
            if sender.send((Instant::now() + delay, room[..n].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            let moves = |h: &Harm| matches!(h, Harm::Pass | Harm::Delay(_));
            if harm.wait_for(moves).await.is_err() || to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}
