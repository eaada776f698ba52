//! A worker's private listener: it takes coordinators' lines and questions, and callers' lines where that is wanted.
//!
//! It serves WebSockets at fixed paths and nothing else; health and metrics have a listener of their own, for other eyes. Whoever
//! connects has proved nothing yet: such connections are few at a time, and short.

use crate::address::{AddressError, WorkerAddress};
use crate::doors::Doors;
use crate::events::{DirectEvent, DirectObserver};
use crate::link::Liveness;
use crate::secrets::FarmSecrets;
use crate::serve::serve;
use crate::tls::ServerTls;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

/// A system that gives no more connections is asked again after so long.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// How a worker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSettings {
    /// Where; port 0 takes a free one.
    pub bind: SocketAddr,
    /// What coordinators are told in heartbeats, `host:port`; port 0 stands for the one that was taken. Needed where `bind` is not one
    /// address of the machine.
    pub address: Option<String>,
    /// Callers may come here with a ticket of a coordinator's.
    pub callers: bool,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time that have not shown a good ticket yet.
    pub strangers: usize,
    /// A ticket must be shown within so long of connecting.
    pub patience: Duration,
    /// How silent peers are found.
    pub liveness: Liveness,
}

impl Default for ListenerSettings {
    /// A free port of this machine only, no callers, 2048 connections, 128 strangers, 5 s for a ticket.
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            address: None,
            callers: false,
            connections: 2048,
            strangers: 128,
            patience: Duration::from_secs(5),
            liveness: Liveness::default(),
        }
    }
}

/// Why a worker does not listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The port cannot be had.
    #[error("the worker cannot listen on {bind}: {source}")]
    Bind {
        /// Where.
        bind: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Coordinators would not find it.
    #[error("{0} is not one address: set the address that coordinators shall connect to, host:port")]
    NoAddress(SocketAddr),
    /// What coordinators would be told is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// What every connection of a listener shares.
pub(crate) struct Shared {
    pub secrets: Arc<FarmSecrets>,
    pub tls: Option<ServerTls>,
    pub observer: Arc<dyn DirectObserver>,
    pub settings: ListenerSettings,
    /// Where coordinators call.
    pub address: String,
    pub doors: Doors,
    pub connections: Arc<Semaphore>,
    pub strangers: Arc<Semaphore>,
}

/// A worker's listener. When it is dropped all its connections end, as they would if the process died.
pub struct DirectListener {
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

impl DirectListener {
    /// Opens the port. Nothing is taken before somebody takes it.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn open(
        settings: ListenerSettings,
        secrets: Arc<FarmSecrets>,
        tls: Option<ServerTls>,
        observer: Arc<dyn DirectObserver>,
    ) -> Result<Self, ListenError> {
        let bind = |source| ListenError::Bind { bind: settings.bind, source };
        let listener = crate::socket::listen(settings.bind).map_err(bind)?;
        let local = listener.local_addr().map_err(bind)?;
        let address = match &settings.address {
            Some(address) => match address.strip_suffix(":0") {
                Some(host) => format!("{host}:{}", local.port()),
                None => address.clone(),
            },
            None if local.ip().is_unspecified() => return Err(ListenError::NoAddress(local)),
            None => local.to_string(),
        };
        address.parse::<WorkerAddress>()?;
        let shared = Arc::new(Shared {
            secrets,
            tls,
            observer,
            address,
            doors: Doors::default(),
            connections: Arc::new(Semaphore::new(settings.connections)),
            strangers: Arc::new(Semaphore::new(settings.strangers)),
            settings,
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { shared, accepting })
    }

    /// Where coordinators call: what a heartbeat says.
    pub fn address(&self) -> &str {
        &self.shared.address
    }

    pub(crate) fn doors(&self) -> &Doors {
        &self.shared.doors
    }
}

impl Drop for DirectListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts until it is aborted; its connections end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
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
        let place = Arc::clone(&shared.connections).try_acquire_owned();
        let stranger = Arc::clone(&shared.strangers).try_acquire_owned();
        let (Ok(place), Ok(stranger)) = (place, stranger) else {
            shared.observer.saw(DirectEvent::Crowded);
            continue;
        };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            serve(stream, peer, &shared, stranger).await;
            drop(place);
        });
    }
}
