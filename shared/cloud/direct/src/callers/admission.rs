//! Who comes in: a request is looked at, a ticket is checked, a place is taken.

use super::listener::CallersShared;
use super::query::CallerQuery;
use crate::clock::calendar;
use crate::events::DirectEvent;
use crate::link::{Io, Socket};
use crate::ticket::{Door, Ticket, TicketRefusal};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::live::EventPosition;
use mouthpiece_ports::seats::{BoundedSeat, SeatsFull};
use mouthpiece_speech::LARGEST;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

/// Why a request is not granted.
enum NotAdmitted {
    NoSuchPath,
    BadQuery(String),
    Ticket(TicketRefusal),
    Full(SeatsFull),
}

/// What a caller with a good ticket may do.
pub(super) struct Granted {
    pub hold: Hold,
    /// Samples a second of its binary messages.
    pub rate: u32,
    pub after: Option<EventPosition>,
    pub progress: bool,
    pub seat: BoundedSeat<SessionId>,
}

/// Lets in whoever shows a good ticket; what is to be counted comes back for anybody else.
pub(super) async fn admit(stream: TcpStream, shared: &CallersShared) -> Result<(Socket, Granted), DirectEvent> {
    let stranger = DirectEvent::Stranger;
    stream.set_nodelay(true).map_err(|_| stranger)?;
    let stream: Box<dyn Io> = match &shared.tls {
        Some(tls) => Box::new(tls.0.accept(stream).await.map_err(|_| stranger)?),
        None => Box::new(stream),
    };
    let mut judged = Err(stranger);
    #[allow(clippy::result_large_err, reason = "the library's signature")]
    let callback = |request: &Request, response: Response| match grant(request, shared) {
        Ok(granted) => {
            judged = Ok(granted);
            Ok(response)
        }
        Err(refused) => {
            judged = Err(refused.event());
            Err(refused.answer())
        }
    };
    let config = crate::socket::config().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    let accepted = accept_hdr_async_with_config(stream, callback, Some(config)).await;
    let granted = judged?;
    Ok((accepted.map_err(|_| stranger)?, granted))
}

fn grant(request: &Request, shared: &CallersShared) -> Result<Granted, NotAdmitted> {
    let uri = request.uri();
    let session = shared.url.session_in(uri.path()).ok_or(NotAdmitted::NoSuchPath)?;
    let CallerQuery { ticket, rate, after, progress } =
        CallerQuery::read(uri.query().unwrap_or_default()).map_err(NotAdmitted::BadQuery)?;
    let ticket = ticket.ok_or(NotAdmitted::Ticket(TicketRefusal::Malformed))?;
    let is_here = |worker| shared.listener.doors().has(worker);
    let door = Door::Caller { session, now: calendar() };
    let hold = match Ticket::check(ticket, &shared.dialler.secrets, is_here, door).map_err(NotAdmitted::Ticket)? {
        Ticket::Caller { hold, .. } => hold,
        Ticket::Line { .. } | Ticket::Questions { .. } => return Err(NotAdmitted::Ticket(TicketRefusal::OtherPurpose)),
    };
    let seat = shared.seats.take(session).map_err(NotAdmitted::Full)?;
    Ok(Granted { hold, rate, after, progress, seat })
}

impl NotAdmitted {
    /// What is counted of it.
    fn event(&self) -> DirectEvent {
        match self {
            Self::NoSuchPath | Self::BadQuery(_) => DirectEvent::Stranger,
            Self::Ticket(why) => DirectEvent::Refused(*why),
            Self::Full(_) => DirectEvent::Crowded,
        }
    }

    /// As a coordinator answers: a status and a sentence.
    fn answer(&self) -> ErrorResponse {
        let (status, slug, detail) = match self {
            Self::NoSuchPath => {
                let detail = "there is nothing here but /v1/sessions/{id}/audio, with a ticket of a coordinator's";
                (StatusCode::NOT_FOUND, "not-found", detail.to_owned())
            }
            Self::BadQuery(sentence) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid-field", sentence.clone()),
            Self::Ticket(why) => {
                let detail = format!("{why}. The session's answer at a coordinator has a fresh address");
                (StatusCode::UNAUTHORIZED, "unauthorized", detail)
            }
            Self::Full(SeatsFull::One { most }) => {
                let detail = format!("{most} audio sockets of this session are open already: close one first");
                (StatusCode::TOO_MANY_REQUESTS, "over-quota", detail)
            }
            Self::Full(SeatsFull::All) => {
                let detail = "too many audio sockets are open on this worker: come back later";
                (StatusCode::SERVICE_UNAVAILABLE, "no-capacity", detail.to_owned())
            }
        };
        let title = status.canonical_reason().unwrap_or_default();
        let body =
            json!({"type": format!("/problems/{slug}"), "title": title, "status": status.as_u16(), "detail": detail});
        let body = body.to_string();
        let length = HeaderValue::from(body.len());
        let mut response = ErrorResponse::new(Some(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, length);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        if matches!(self, Self::Full(_)) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
