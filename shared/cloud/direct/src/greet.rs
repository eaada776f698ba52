//! What a worker answers to a request: pure, without a socket.

use crate::challenge::{Challenge, Proven};
use crate::headers::{CALLERS, CALLERS_PROOF, CHALLENGE, LINES, PROOF, PROTOCOL_HEADER, QUESTIONS, WORKER};
use crate::listener::Shared;
use crate::wire::PROTOCOL;
use mouthpiece_domain::ids::WorkerId;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

/// Who is connected, and what is still to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guest {
    /// A coordinator that wants a line, and must answer this challenge.
    Line(WorkerId, Challenge),
    /// A coordinator that wants to ask, and must answer this challenge.
    Questions(WorkerId, Challenge),
}

/// Looks at a request and writes the proof into the response; the status where there is no such path, worker or version.
pub(crate) fn greet(request: &Request, response: &mut Response, shared: &Shared) -> Result<Guest, StatusCode> {
    let away = Err::<Guest, _>;
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let path = match request.uri().path() {
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
    if let Some(url) = shared.callers.get().map(ToString::to_string) {
        let proof = proven.sign_callers(&url, &shared.secrets);
        let values = [HeaderValue::from_str(&url), HeaderValue::from_str(&proof)];
        let [Ok(url), Ok(proof)] = values else { return away(StatusCode::INTERNAL_SERVER_ERROR) };
        headers.insert(CALLERS, url);
        headers.insert(CALLERS_PROOF, proof);
    }
    Ok(if path == LINES { Guest::Line(worker, own) } else { Guest::Questions(worker, own) })
}
