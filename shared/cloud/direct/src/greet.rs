//! What a worker answers to a request: pure, without a socket.

use crate::challenge::{Challenge, Proven};
use crate::headers::{CHALLENGE, LINES, PROOF, PROTOCOL_HEADER, QUESTIONS, WORKER};
use crate::listener::Shared;
use crate::ticket::{Door, Ticket, TicketRefusal};
use crate::wire::PROTOCOL;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::time::Wall;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

/// Who is connected, and what is still to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guest {
    /// A coordinator that wants a line, and must answer this challenge.
    Line(WorkerId, Challenge),
    /// A coordinator that wants to ask, and must answer this challenge.
    Questions(WorkerId, Challenge),
    /// A caller that showed its ticket.
    Caller(Hold),
}

/// Why a request is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// No such path, worker or version.
    Away(StatusCode),
    /// A caller's ticket is not good.
    Ticket(TicketRefusal),
}

/// Looks at a request and writes the proof into the response.
pub(crate) fn greet(request: &Request, response: &mut Response, shared: &Shared, now: Wall) -> Result<Guest, Turned> {
    let away = |status| Err(Turned::Away(status));
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let uri = request.uri();
    if let Some(session) = uri.path().strip_prefix(LINES).and_then(|rest| rest.strip_prefix('/')) {
        let Some(session) = session.parse().ok().filter(|_| shared.settings.callers) else {
            return away(StatusCode::NOT_FOUND);
        };
        let guest = caller(uri.query().unwrap_or_default(), session, shared, now).map_err(Turned::Ticket)?;
        // A browser that offers versions hangs up where none is chosen.
        if header(PROTOCOL_HEADER).is_some_and(|offered| offered.split(',').any(|one| one.trim() == PROTOCOL)) {
            response.headers_mut().insert(PROTOCOL_HEADER, HeaderValue::from_static(PROTOCOL));
        }
        return Ok(guest);
    }
    let path = match uri.path() {
        LINES => LINES,
        QUESTIONS => QUESTIONS,
        _ => return away(StatusCode::NOT_FOUND),
    };
    let asked = header(WORKER).and_then(|id| id.parse().ok()).zip(header(CHALLENGE).and_then(Challenge::parse));
    let Some((worker, coordinator)) = asked else { return away(StatusCode::BAD_REQUEST) };
    if header(PROTOCOL_HEADER) != Some(PROTOCOL) {
        return away(StatusCode::UPGRADE_REQUIRED);
    }
    if !shared.doors.has(worker) {
        return away(StatusCode::NOT_FOUND);
    }
    let Some(own) = Challenge::fresh() else { return away(StatusCode::SERVICE_UNAVAILABLE) };
    let proven = Proven { path, worker, address: &shared.address, coordinator: &coordinator, own: &own };
    let values = [HeaderValue::from_str(&own.text()), HeaderValue::from_str(&proven.sign(&shared.secrets))];
    let [Ok(challenge), Ok(proof)] = values else { return away(StatusCode::INTERNAL_SERVER_ERROR) };
    let headers = response.headers_mut();
    headers.insert(PROTOCOL_HEADER, HeaderValue::from_static(PROTOCOL));
    headers.insert(CHALLENGE, challenge);
    headers.insert(PROOF, proof);
    Ok(if path == LINES { Guest::Line(worker, own) } else { Guest::Questions(worker, own) })
}

/// A caller shows its ticket in the address.
fn caller(query: &str, session: SessionId, shared: &Shared, now: Wall) -> Result<Guest, TicketRefusal> {
    let text = query.split('&').find_map(|pair| pair.strip_prefix("ticket=")).ok_or(TicketRefusal::Malformed)?;
    match Ticket::check(text, &shared.secrets, |worker| shared.doors.has(worker), Door::Caller { session, now })? {
        Ticket::Caller { hold, .. } => Ok(Guest::Caller(hold)),
        Ticket::Line { .. } | Ticket::Questions { .. } => Err(TicketRefusal::OtherPurpose),
    }
}
