//! One connection to a worker's listener.

use crate::answer::answer;
use crate::events::DirectEvent;
use crate::greet::{Guest, Turned, greet};
use crate::link::{Io, Lost, Socket, carry};
use crate::listener::Shared;
use crate::ticket::{Door, Ticket, TicketRefusal};
use crate::wire::{Admission, write_json};
use futures_util::{SinkExt as _, StreamExt as _};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{LineInput, LineOutput};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::lines::{IncomingLine, WAITING};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;

/// What a good ticket is for.
enum Granted {
    Line(Hold),
    Questions(WorkerId),
}

/// How somebody who connects turns out.
enum Admitted {
    /// With a good ticket.
    Guest(Socket, Granted),
    /// With one that is not; it is told so where there is a socket.
    Refused(Option<Socket>, TicketRefusal),
}

/// Serves a connection to its end. `stranger` is given back when it has shown a good ticket.
pub(crate) async fn serve(stream: TcpStream, peer: SocketAddr, shared: &Shared, stranger: OwnedSemaphorePermit) {
    let admitted = timeout(shared.settings.patience, admit(stream, shared)).await.ok().flatten();
    let (socket, granted) = match admitted {
        Some(Admitted::Guest(socket, granted)) => (socket, granted),
        Some(Admitted::Refused(socket, why)) => {
            tracing::warn!(%peer, %why, "a ticket was refused");
            shared.observer.saw(DirectEvent::Refused(why));
            if let Some(socket) = socket {
                part(socket, Admission::Ticket, shared).await;
            }
            return;
        }
        None => return shared.observer.saw(DirectEvent::Stranger),
    };
    drop(stranger);
    let ended = match granted {
        Granted::Line(hold) => line(socket, hold, shared).await,
        Granted::Questions(worker) => questions(socket, worker, shared).await,
    };
    if let Err(lost) = ended {
        tracing::info!(%peer, %lost, "a connection to the worker's listener was lost");
        shared.observer.saw(DirectEvent::Lost);
    }
}

/// Lets in whoever shows a good ticket; `None` for who does not even speak as a guest would.
async fn admit(stream: TcpStream, shared: &Shared) -> Option<Admitted> {
    stream.set_nodelay(true).ok()?;
    let stream: Box<dyn Io> = match &shared.tls {
        Some(tls) => Box::new(tls.0.accept(stream).await.ok()?),
        None => Box::new(stream),
    };
    let mut greeted = None;
    #[allow(clippy::result_large_err, reason = "the library's signature")]
    let callback = |request: &Request, mut response: Response| match greet(request, &mut response, shared, now()) {
        Ok(guest) => {
            greeted = Some(Ok(guest));
            Ok(response)
        }
        Err(Turned::Away(status)) => Err(turned(status)),
        Err(Turned::Ticket(why)) => {
            greeted = Some(Err(why));
            Err(turned(StatusCode::UNAUTHORIZED))
        }
    };
    let accepted = accept_hdr_async_with_config(stream, callback, Some(crate::socket::config())).await;
    let guest = match (greeted?, accepted) {
        (Err(why), _) => return Some(Admitted::Refused(None, why)),
        (Ok(guest), Ok(socket)) => (guest, socket),
        (Ok(_), Err(_)) => return None,
    };
    let (worker, challenge, mut socket) = match guest {
        (Guest::Caller(hold), socket) => return Some(Admitted::Guest(socket, Granted::Line(hold))),
        (Guest::Line(worker, challenge) | Guest::Questions(worker, challenge), socket) => (worker, challenge, socket),
    };
    let Some(Ok(Message::Text(text))) = socket.next().await else { return None };
    let door = if matches!(guest.0, Guest::Line(..)) { Door::Line(&challenge) } else { Door::Questions(&challenge) };
    Some(match Ticket::check(&text, &shared.secrets, |ticket| ticket == worker, door) {
        Ok(Ticket::Line { hold, .. } | Ticket::Caller { hold, .. }) => Admitted::Guest(socket, Granted::Line(hold)),
        Ok(Ticket::Questions { worker, .. }) => Admitted::Guest(socket, Granted::Questions(worker)),
        Err(why) => Admitted::Refused(Some(socket), why),
    })
}

/// The calendar; for callers' tickets only.
fn now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn turned(status: StatusCode) -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = status;
    response
}

/// Says why there is nothing here, and hangs up.
async fn part(mut socket: Socket, why: Admission, shared: &Shared) {
    let Ok(message) = write_json(&why) else { return };
    let parting = async {
        socket.send(message).await?;
        socket.close(None).await?;
        // The last word is read before the connection goes.
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
        Ok::<(), tokio_tungstenite::tungstenite::Error>(())
    };
    let _ = timeout(shared.settings.liveness.farewell, parting).await;
}

async fn welcome(socket: &mut Socket, shared: &Shared) -> Result<(), Lost> {
    let silence = shared.settings.liveness.silence;
    let sent = timeout(silence, socket.send(write_json(&Admission::Welcome)?)).await;
    Ok(sent.map_err(|_| Lost::Silent(silence))??)
}

/// Rings at whoever takes lines, and carries until it is over.
async fn line(mut socket: Socket, hold: Hold, shared: &Shared) -> Result<(), Lost> {
    let ((up, of_caller), (to_caller, down)) =
        (mpsc::channel::<LineInput>(WAITING), mpsc::channel::<LineOutput>(WAITING));
    let called = IncomingLine { hold, up: of_caller, down: to_caller };
    let rung = shared.doors.lines(hold.worker).map(|taker| taker.try_send(called));
    let turned = match rung {
        // It rings before it is welcomed, so that lines ring in the order in which they were opened.
        Some(Ok(())) => {
            welcome(&mut socket, shared).await?;
            return carry(socket, down, up, shared.settings.liveness).await;
        }
        Some(Err(mpsc::error::TrySendError::Full(_))) => Admission::Full,
        Some(Err(mpsc::error::TrySendError::Closed(_))) | None => Admission::Nobody,
    };
    part(socket, turned, shared).await;
    Ok(())
}

async fn questions(mut socket: Socket, worker: WorkerId, shared: &Shared) -> Result<(), Lost> {
    welcome(&mut socket, shared).await?;
    answer(socket, worker, &shared.doors, shared.settings.liveness).await
}
