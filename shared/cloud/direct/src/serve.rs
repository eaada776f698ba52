//! One connection to a worker's listener.

use crate::answer::answer;
use crate::events::DirectEvent;
use crate::greet::{Guest, greet};
use crate::link::{Io, Lost, Socket, carry};
use crate::listener::Shared;
use crate::ticket::{Door, Ticket, TicketRefusal};
use crate::wire::{Admission, write_json};
use futures_util::{SinkExt as _, StreamExt as _};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::lines::{CallerLine, LineError};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
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
    /// With one that is not; it is told so.
    Refused(Socket, TicketRefusal),
}

/// Serves a connection to its end. `stranger` is given back when it has shown a good ticket.
pub(crate) async fn serve(stream: TcpStream, peer: SocketAddr, shared: &Shared, stranger: OwnedSemaphorePermit) {
    let admitted = timeout(shared.settings.patience, admit(stream, shared)).await.ok().flatten();
    let (socket, granted) = match admitted {
        Some(Admitted::Guest(socket, granted)) => (socket, granted),
        Some(Admitted::Refused(socket, why)) => {
            tracing::warn!(%peer, %why, "a ticket was refused");
            shared.observer.saw(DirectEvent::Refused(why));
            return part(socket, Admission::Ticket, shared).await;
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
    let callback = |request: &Request, mut response: Response| match greet(request, &mut response, shared) {
        Ok(guest) => {
            greeted = Some(guest);
            Ok(response)
        }
        Err(status) => Err(turned(status)),
    };
    let accepted = accept_hdr_async_with_config(stream, callback, Some(crate::socket::config())).await;
    let (guest, mut socket) = greeted.zip(accepted.ok())?;
    let (Guest::Line(worker, challenge) | Guest::Questions(worker, challenge)) = guest;
    let Some(Ok(Message::Text(text))) = socket.next().await else { return None };
    let door = if matches!(guest, Guest::Line(..)) { Door::Line(&challenge) } else { Door::Questions(&challenge) };
    Some(match Ticket::check(&text, &shared.secrets, |ticket| ticket == worker, door) {
        Ok(Ticket::Line { hold, .. } | Ticket::Caller { hold, .. }) => Admitted::Guest(socket, Granted::Line(hold)),
        Ok(Ticket::Questions { worker, .. }) => Admitted::Guest(socket, Granted::Questions(worker)),
        Err(why) => Admitted::Refused(socket, why),
    })
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
    let turned = match shared.doors.ring(hold) {
        // It rings before it is welcomed, so that lines ring in the order in which they were opened.
        Ok(CallerLine { up, down }) => {
            welcome(&mut socket, shared).await?;
            return carry(socket, down, up, shared.settings.liveness).await;
        }
        Err(LineError::Full) => Admission::Full,
        Err(_) => Admission::Nobody,
    };
    part(socket, turned, shared).await;
    Ok(())
}

async fn questions(mut socket: Socket, worker: WorkerId, shared: &Shared) -> Result<(), Lost> {
    welcome(&mut socket, shared).await?;
    answer(socket, worker, &shared.doors, shared.settings.liveness).await
}
