//! A worker's private listener: it takes coordinators' lines and questions.
//!
//! It serves WebSockets at fixed paths and nothing else; health and metrics have a listener of their own, for other eyes. Whoever
//! connects has proved nothing yet: such connections are few at a time, and short.

use crate::accept::{Gate, accept};
use crate::address::{AddressError, WorkerAddress};
use crate::callers::CallersUrl;
use crate::doors::Doors;
use crate::events::DirectObserver;
use crate::link::Liveness;
use crate::secrets::FarmSecrets;
use crate::serve::serve;
use crate::socket::outward;
use crate::tls::ServerTls;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use thiserror::Error;
use tokio::task::AbortHandle;

/// How a worker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSettings {
    /// Where; port 0 takes a free one.
    pub bind: SocketAddr,
    /// What coordinators are told in heartbeats, `host:port`; port 0 stands for the one that was taken. `None`: where it listens;
    /// when that is every address of the machine, the one that it has on the way to others.
    pub address: Option<String>,
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
    /// A free port of this machine only, 2048 connections, 128 strangers, 5 s for a ticket.
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            address: None,
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
    #[error(
        "{0} is not one address, and this machine has no way to others: set lines.address, host:port, to what coordinators shall connect to"
    )]
    NoAddress(SocketAddr),
    /// Callers would find no worker.
    #[error("callers can come to workers only, and this process takes no lines")]
    NoWorkers,
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
    /// Where callers come, once they may.
    pub callers: OnceLock<CallersUrl>,
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
            None if local.ip().is_unspecified() => {
                let own = outward(local.ip()).ok_or(ListenError::NoAddress(local))?;
                SocketAddr::new(own, local.port()).to_string()
            }
            None => local.to_string(),
        };
        address.parse::<WorkerAddress>()?;
        let shared = Arc::new(Shared {
            secrets,
            tls,
            observer,
            address,
            doors: Doors::default(),
            callers: OnceLock::new(),
            settings,
        });
        let gate = Gate::new(shared.settings.connections, shared.settings.strangers);
        let serving = Arc::clone(&shared);
        let served = move |stream, peer, stranger| {
            let shared = Arc::clone(&serving);
            async move { serve(stream, peer, &shared, stranger).await }
        };
        let accepting = accept(listener, gate, Arc::clone(&shared.observer), served);
        let accepting = tokio::spawn(accepting).abort_handle();
        Ok(Self { shared, accepting })
    }

    /// Where coordinators call: what a heartbeat says.
    pub fn address(&self) -> &str {
        &self.shared.address
    }

    pub(crate) fn doors(&self) -> &Doors {
        &self.shared.doors
    }

    /// Coordinators are told from now on that callers may come there.
    pub(crate) fn tell_callers(&self, url: CallersUrl) {
        // Told once; a listener has one such address.
        let _ = self.shared.callers.set(url);
    }
}

impl Drop for DirectListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
