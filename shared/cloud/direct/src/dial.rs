//! A coordinator's way to a worker: connect, let it prove itself, then show the ticket.

use crate::address::{AddressError, WorkerAddress};
use crate::callers::CallersUrl;
use crate::challenge::{Challenge, Proven};
use crate::directory::WorkerDirectory;
use crate::events::{DirectEvent, DirectObserver};
use crate::headers::{CALLERS, CALLERS_PROOF, CHALLENGE, LINES, PROOF, PROTOCOL_HEADER, WORKER};
use crate::link::{Io, Liveness, Socket, carry};
use crate::secrets::FarmSecrets;
use crate::ticket::Ticket;
use crate::tls::ClientTls;
use crate::wire::{Admission, PROTOCOL, read_json};
use futures_util::{SinkExt as _, StreamExt as _};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::lines::{CallerLine, WAITING};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

/// Why a worker is not reached.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub(crate) enum DialError {
    /// It is not known, or takes nothing.
    #[error("worker {0} takes no lines and questions")]
    Nobody(WorkerId),
    /// It has too many to take up.
    #[error("the worker has too many to take up")]
    Full,
    /// What its heartbeat says is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The network does not lead there.
    #[error("{address} cannot be reached: {why}")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// What the system says.
        why: String,
    },
    /// Something else answers there.
    #[error("what answers at {0} is not that worker, or has another farm secret: nothing was said to it")]
    Impostor(String),
    /// It takes too long.
    #[error("{address} did not answer within {patience:?}")]
    Late {
        /// Where it should be.
        address: String,
        /// So long was waited.
        patience: Duration,
    },
    /// It proved itself and does not take our ticket.
    #[error("{0} refuses the ticket: coordinator and worker must have the same farm secrets and version")]
    Refused(String),
    /// No random bytes.
    #[error("the system gives no randomness")]
    NoRandomness,
}

/// Dials workers.
pub(crate) struct Dialler {
    pub secrets: Arc<FarmSecrets>,
    pub directory: Arc<dyn WorkerDirectory>,
    pub tls: Option<ClientTls>,
    pub observer: Arc<dyn DirectObserver>,
    pub patience: Duration,
    pub liveness: Liveness,
}

/// A worker that proved itself and took our ticket.
pub(crate) struct Reached {
    pub socket: Socket,
    /// Where callers may come straight to it, if they may.
    pub callers: Option<CallersUrl>,
}

impl Dialler {
    /// A connection to a worker that proved itself and took our ticket.
    pub(crate) async fn dial(
        &self,
        worker: WorkerId,
        path: &'static str,
        ticket: impl FnOnce(Challenge) -> Ticket + Send,
    ) -> Result<Reached, DialError> {
        let found = self.directory.address(worker).await.ok_or(DialError::Nobody(worker))?;
        let address: WorkerAddress = found.parse()?;
        let dialled = timeout(self.patience, self.connect(worker, &address, path, ticket)).await;
        let late = |_| DialError::Late { address: found, patience: self.patience };
        let dialled = dialled.map_err(late).flatten();
        if let Err(DialError::Impostor(_)) = &dialled {
            self.observer.saw(DirectEvent::Impostor);
        }
        dialled
    }

    async fn connect(
        &self,
        worker: WorkerId,
        address: &WorkerAddress,
        path: &'static str,
        ticket: impl FnOnce(Challenge) -> Ticket,
    ) -> Result<Reached, DialError> {
        let unreachable = |why: String| DialError::Unreachable { address: address.to_string(), why };
        let impostor = || DialError::Impostor(address.to_string());
        let broken = |error: SocketError| unreachable(error.to_string());
        let stream = self.reach(address).await?;
        let own = Challenge::fresh().ok_or(DialError::NoRandomness)?;
        let request = request(worker, address, path, &own).ok_or_else(impostor)?;
        let (mut socket, response) =
            client_async_with_config(request, stream, Some(crate::socket::config())).await.map_err(|e| match e {
                SocketError::Http(response) if response.status() == StatusCode::NOT_FOUND => DialError::Nobody(worker),
                SocketError::Io(error) => unreachable(error.to_string()),
                // No redirect is followed, and nothing else is a worker's answer.
                _ => impostor(),
            })?;
        let (given, callers) = proven(&response, &self.secrets, worker, address, path, &own).ok_or_else(impostor)?;
        socket.send(Message::text(ticket(given).sign(&self.secrets))).await.map_err(broken)?;
        let answer = loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => break text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Err(error)) => return Err(broken(error)),
                _ => return Err(unreachable("it hung up".to_owned())),
            }
        };
        match read_json(&answer) {
            Ok(Admission::Welcome) => Ok(Reached { socket, callers }),
            Ok(Admission::Full) => Err(DialError::Full),
            Ok(Admission::Nobody) => Err(DialError::Nobody(worker)),
            Ok(Admission::Ticket) | Err(_) => Err(DialError::Refused(address.to_string())),
        }
    }

    /// A line to a session on the worker that its hold names.
    pub(crate) async fn line(&self, hold: Hold) -> Result<CallerLine, DialError> {
        let ticket = move |challenge| Ticket::Line { hold, challenge };
        let Reached { socket, .. } = self.dial(hold.worker, LINES, ticket).await?;
        let ((up, outgoing), (incoming, down)) = (mpsc::channel(WAITING), mpsc::channel(WAITING));
        let (observer, liveness) = (Arc::clone(&self.observer), self.liveness);
        tokio::spawn(async move {
            if let Err(why) = carry(socket, outgoing, incoming, liveness).await {
                tracing::info!(worker_id = %hold.worker, session_id = %hold.session, %why, "a line was lost");
                observer.saw(DirectEvent::Lost);
            }
        });
        Ok(CallerLine { up, down })
    }

    /// The first of its addresses that answers.
    async fn reach(&self, address: &WorkerAddress) -> Result<Box<dyn Io>, DialError> {
        let unreachable = |why: String| DialError::Unreachable { address: address.to_string(), why };
        let found = address.resolve().await.map_err(|e| unreachable(e.to_string()))?;
        let mut why = "it leads to no address that a worker may have".to_owned();
        for found in found {
            match crate::socket::connect(found).await {
                Ok(stream) => return self.encrypted(stream, address).await,
                Err(error) => why = error.to_string(),
            }
        }
        Err(unreachable(why))
    }

    async fn encrypted(&self, stream: TcpStream, address: &WorkerAddress) -> Result<Box<dyn Io>, DialError> {
        let Some(ClientTls(connector)) = &self.tls else { return Ok(Box::new(stream)) };
        let unreachable = |why: String| DialError::Unreachable { address: address.to_string(), why };
        let name = ServerName::try_from(address.host().to_owned()).map_err(|e| unreachable(e.to_string()))?;
        let stream = connector.connect(name, stream).await.map_err(|e| unreachable(format!("over TLS: {e}")))?;
        Ok(Box::new(stream))
    }
}

/// The request that a worker is called with; there is nothing secret in it.
fn request(worker: WorkerId, address: &WorkerAddress, path: &str, own: &Challenge) -> Option<Request> {
    let mut request = format!("ws://{address}{path}").into_client_request().ok()?;
    let headers = request.headers_mut();
    headers.insert(PROTOCOL_HEADER, HeaderValue::from_static(PROTOCOL));
    headers.insert(WORKER, HeaderValue::from_str(&worker.to_string()).ok()?);
    headers.insert(CHALLENGE, HeaderValue::from_str(&own.text()).ok()?);
    Some(request)
}

/// The challenge of a worker that proved itself, and where callers may come to it.
fn proven(
    response: &Response,
    secrets: &FarmSecrets,
    worker: WorkerId,
    address: &WorkerAddress,
    path: &str,
    own: &Challenge,
) -> Option<(Challenge, Option<CallersUrl>)> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let given = Challenge::parse(header(CHALLENGE)?)?;
    let proven = Proven { path, worker, address: address.as_str(), coordinator: own, own: &given };
    if !proven.is_proven_by(header(PROOF)?, secrets) {
        return None;
    }
    let callers = header(CALLERS).zip(header(CALLERS_PROOF));
    let callers = callers.filter(|(url, proof)| proven.are_callers_proven_by(url, proof, secrets));
    Some((given, callers.and_then(|(url, _)| url.parse().ok())))
}
