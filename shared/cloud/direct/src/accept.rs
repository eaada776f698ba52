//! Accepting connections: some at a time, and fewer from strangers.

use crate::events::{DirectEvent, DirectObserver};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A system that gives no more connections is asked again after so long.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// How many may come. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Gate {
    most: usize,
    connections: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

impl Gate {
    /// For so many connections at a time, of which so many may not have shown a ticket yet.
    pub(crate) fn new(most: usize, strangers: usize) -> Self {
        Self { most, connections: Arc::new(Semaphore::new(most)), strangers: Arc::new(Semaphore::new(strangers)) }
    }

    /// Waits until nobody is connected.
    pub(crate) async fn emptied(&self) {
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        // It is never closed.
        let _ = self.connections.acquire_many(all).await;
    }
}

/// Accepts until it is dropped; its connections end with it. `serve` gets each with its place among the strangers, to be given
/// back when a ticket was good.
pub(crate) async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    gate: Gate,
    observer: Arc<dyn DirectObserver>,
    serve: impl Fn(TcpStream, SocketAddr, OwnedSemaphorePermit) -> F,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection to the worker's listener was not accepted");
                sleep(EXHAUSTED).await;
                continue;
            }
        };
        let place = Arc::clone(&gate.connections).try_acquire_owned();
        let stranger = Arc::clone(&gate.strangers).try_acquire_owned();
        let (Ok(place), Ok(stranger)) = (place, stranger) else {
            observer.saw(DirectEvent::Crowded);
            continue;
        };
        let serving = serve(stream, peer, stranger);
        connections.spawn(async move {
            serving.await;
            drop(place);
        });
    }
}
