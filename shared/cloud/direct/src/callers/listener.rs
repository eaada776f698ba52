//! The listener, and one caller's connection to it.

use super::admission::{Granted, admit};
use super::host::WorkerHost;
use super::socket::CallerSocket;
use super::{CallerSettings, CallersUrl};
use crate::accept::{Gate, accept};
use crate::dial::Dialler;
use crate::events::{DirectEvent, DirectObserver};
use crate::listener::{DirectListener, ListenError};
use crate::ticket::TicketRefusal;
use crate::tls::ServerTls;
use mouthpiece_domain::ids::{CallerId, SessionId};
use mouthpiece_ports::seats::BoundedSeats;
use mouthpiece_speech::{AgentDialect, Relay, RelayStart, SOCKETS_OF_A_SESSION, SocketClose, SpeechSocket as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

/// What relays have for their last words when the process stops.
const LAST_WORDS: Duration = Duration::from_millis(1500);

/// What every caller's connection shares.
pub(super) struct CallersShared {
    pub settings: CallerSettings,
    pub url: CallersUrl,
    pub tls: Option<ServerTls>,
    pub observer: Arc<dyn DirectObserver>,
    pub dialler: Arc<Dialler>,
    pub listener: Arc<DirectListener>,
    pub seats: BoundedSeats<SessionId>,
    pub closing: watch::Sender<bool>,
    gate: Gate,
}

/// A worker's listener for callers. When it is dropped all its connections end, as they would if the process died.
pub(crate) struct CallerListener {
    shared: Arc<CallersShared>,
    accepting: AbortHandle,
}

impl CallerListener {
    /// Opens the port. Sessions are found through `listener`, and elsewhere through `dialler`.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn open(
        settings: CallerSettings,
        tls: Option<ServerTls>,
        dialler: Arc<Dialler>,
        listener: Arc<DirectListener>,
    ) -> Result<Self, ListenError> {
        let bind = |source| ListenError::Bind { bind: settings.bind, source };
        let port = crate::socket::listen(settings.bind).map_err(bind)?;
        let local = port.local_addr().map_err(bind)?;
        let shared = Arc::new(CallersShared {
            url: settings.url.clone().at(local.port()),
            tls,
            observer: Arc::clone(&dialler.observer),
            dialler,
            listener,
            seats: BoundedSeats::new(SOCKETS_OF_A_SESSION, settings.connections),
            closing: watch::Sender::new(false),
            gate: Gate::new(settings.connections, settings.strangers),
            settings,
        });
        let serving = Arc::clone(&shared);
        let served = move |stream, peer, stranger| {
            let shared = Arc::clone(&serving);
            async move { serve(stream, peer, shared, stranger).await }
        };
        let gate = shared.gate.clone();
        let accepting = accept(port, gate, Arc::clone(&shared.observer), served);
        let accepting = tokio::spawn(accepting).abort_handle();
        Ok(Self { shared, accepting })
    }

    /// Where callers come.
    pub fn url(&self) -> &CallersUrl {
        &self.shared.url
    }

    /// Waits until all callers were sent on, at most so long; those that are left then are told that it stops.
    pub async fn send_on(&self, within: Duration) {
        if timeout(within, self.shared.gate.emptied()).await.is_err() {
            self.shared.closing.send_replace(true);
            let _ = timeout(LAST_WORDS, self.shared.gate.emptied()).await;
        }
    }
}

impl Drop for CallerListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves a caller to its end. `stranger` is given back when it has shown a good ticket.
async fn serve(stream: TcpStream, peer: SocketAddr, shared: Arc<CallersShared>, stranger: OwnedSemaphorePermit) {
    let patience = shared.settings.patience;
    let admitted = timeout(patience, admit(stream, &shared)).await.unwrap_or(Err(DirectEvent::Stranger));
    let (socket, granted) = match admitted {
        Ok(admitted) => admitted,
        Err(event) => return refused(&shared, peer, event),
    };
    drop(stranger);
    let Granted { hold, rate, after, progress, seat } = granted;
    let socket = CallerSocket { socket, patience: shared.settings.timeouts.read };
    let Some(caller) = new_caller() else {
        return socket.close(SocketClose::new(1011, "the system gives no randomness")).await;
    };
    let mut line = match shared.listener.doors().ring(hold) {
        Ok(line) => line,
        Err(error) => return socket.close(SocketClose::new(1013, format!("{error}: try again later"))).await,
    };
    // A session tells at once what its face does; whoever calls one that is not here is hung up on.
    let first = match timeout(patience, line.down.recv()).await {
        Ok(Some(first)) => first,
        Ok(None) => {
            refused(&shared, peer, DirectEvent::Refused(TicketRefusal::OtherPlacement));
            return socket.close(SocketClose::new(1012, TicketRefusal::OtherPlacement.to_string())).await;
        }
        Err(_) => return socket.close(SocketClose::new(1013, "the session did not answer: try again later")).await,
    };
    let host = WorkerHost { shared, since: Instant::now() };
    let start =
        RelayStart { dialect: AgentDialect::new(rate), hold, line, first: Some(first), caller, after, progress };
    Relay::new(host, socket, start).run(seat).await;
}

fn refused(shared: &CallersShared, peer: SocketAddr, event: DirectEvent) {
    if let DirectEvent::Refused(why) = event {
        tracing::warn!(%peer, %why, "a caller's ticket was refused");
    }
    shared.observer.saw(event);
}

fn new_caller() -> Option<CallerId> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok().map(|()| CallerId(u128::from_be_bytes(bytes)))
}
