//! Watching: WHEP, which is WHIP (RFC 9725) the other way round.
//!
//! A viewer posts an offer and gets the answer and an address of its own; there it trickles candidates, restarts ICE and
//! hangs up. Signalling is relayed to the session's worker; media goes straight between the two.

use super::links::links;
use crate::http::auth::{LinkedVisitor, Visitor, token_in_query};
use crate::http::files::{media_type, read_text};
use crate::http::problem::{Problem, ProblemKind};
use crate::http::{Api, RequestPath, answers, fields};
use crate::office::live::{LiveRefusal, Whereabouts, must_be_live};
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, LINK, LOCATION};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::ViewerId;
use mouthpiece_domain::live::{
    Declined, HangUp, NotDone, OfferToWatch, RestartIce, RestartedIce, SdpAnswer, TrickleIce,
};
use std::time::Instant;

/// The media type of offers and answers.
pub const SDP: &str = "application/sdp";
/// The media type of candidates (RFC 8840).
pub const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// An offer of a browser has some kilobytes.
const SDP_BYTES: u64 = 64 * 1024;

/// Offers to watch a live session, by WHEP (the protocol of WHIP, RFC 9725, for playback). While the session has not started
/// this waits for it a little, then tells to come back. The offer may also send audio: the first viewer's that does is the
/// session's microphone. `OPTIONS` tells what is taken, and pages of other sites may call this with a session's token. A player
/// that knows nothing but an address may have the token in it (`?token=mps_...`), and then finds it in `Location`, too.
///
/// Offers are read as generously as the standards allow. Video must be H.264, sent with `packetization-mode=1`, which each
/// WebRTC receiver takes (RFC 7742): a payload type without `a=fmtp` is answered with it; one that says
/// `packetization-mode=0` is refused where there is no other, since frames do not fit into single packets. Opus may lack its
/// `/2`. One section needs neither `a=group:BUNDLE` nor `a=mid`; several must be bundled. The DTLS certificate must be an ECDSA
/// one, as browsers' are.
#[utoipa::path(
    post, operation_id = "watch_session", path = "/v1/sessions/{id}/whep", tag = "live",
    params(
        ("id" = String, Path),
        ("token" = Option<String>, Query, description = "The session's token, where no header can be sent"),
    ),
    request_body(content = String, content_type = "application/sdp", description = "The offer"),
    responses(
        (status = 201, description = "The answer", content_type = "application/sdp", body = String, headers(
            ("location" = String, description = "The viewer's own address, relative to this one: PATCH and DELETE it"),
            ("etag" = String, description = "The ICE session, for `If-Match`"),
            ("link" = String, description = "ICE servers, each with `rel=\"ice-server\"`"),
        )),
        (status = 406, description = "The offer has nothing that can be sent: H.264 and Opus are"),
        (status = 409, description = "It does not run: come back after Retry-After; without one it never will"),
    ),
)]
pub async fn offer(
    api: Data<Api>,
    LinkedVisitor(visitor): LinkedVisitor,
    id: Path<String>,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let came = Instant::now();
    let session = answers::visited(&api, &visitor, &id).await?.session;
    visitor.may_use()?;
    must_be_live(&session)?;
    let sdp = body(&api, &req, payload, SDP).await?;
    if sdp.trim().is_empty() {
        return Err(Problem::bad_request("the body must be an SDP offer: this address makes no offers of its own"));
    }
    let until = tokio::time::Instant::now() + api.settings.live.whep_wait;
    let hold = api.office.live.settled(session.id, until, |_| true).await?.hold()?;
    let viewer = new_viewer()?;
    let SdpAnswer { sdp, tag } = api.office.live.ask(hold, OfferToWatch { viewer, sdp }).await?;
    api.metrics.live.joined(came.elapsed());
    let mut answer = HttpResponse::Created();
    answer
        .insert_header((
            LOCATION,
            RequestPath::of(&req).to(&format!("/v1/sessions/{}/whep/{viewer}{}", session.id, query(&req))),
        ))
        .insert_header((ETAG, quoted(&tag)?))
        .insert_header((CONTENT_TYPE, SDP));
    for link in links(&api.office.live.ice(session.id)) {
        answer.append_header((LINK, link));
    }
    Ok(answer.body(sdp))
}

/// Tells a viewer's candidates (`If-Match` with its entity tag), or restarts its ICE (`If-Match: *`).
#[utoipa::path(
    patch, operation_id = "trickle_viewer", path = "/v1/sessions/{id}/whep/{viewer}", tag = "live",
    params(
        ("id" = String, Path), ("viewer" = String, Path),
        ("token" = Option<String>, Query, description = "The session's token, where no header can be sent"),
        ("If-Match" = String, Header, description = "The entity tag, in quotes; `*` restarts ICE"),
    ),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag", description = "The fragment"),
    responses(
        (status = 200, description = "ICE is restarted: the worker's fragment",
            content_type = "application/trickle-ice-sdpfrag", body = String,
            headers(("etag" = String, description = "The new ICE session"))),
        (status = 204, description = "The candidates are taken"),
        (status = 409, description = "The session is just being moved: come back after Retry-After"),
        (status = 412, description = "The entity tag is not the current one"),
        (status = 428, description = "There is no If-Match"),
    ),
)]
pub async fn patch(
    api: Data<Api>,
    LinkedVisitor(visitor): LinkedVisitor,
    path: Path<(String, String)>,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let WatchedSession { hold, viewer, .. } = watched(&api, &visitor, &path).await?;
    let condition = if_match(&req)?;
    let fragment = body(&api, &req, payload, FRAGMENT).await?;
    let Condition::Tag(tag) = condition else {
        let restarted = api.office.live.ask(hold, RestartIce { viewer, fragment }).await;
        let RestartedIce { fragment, tag } = restarted.map_err(|refusal| of_viewer(viewer, refusal))?;
        return Ok(HttpResponse::Ok()
            .insert_header((ETAG, quoted(&tag)?))
            .insert_header((CONTENT_TYPE, FRAGMENT))
            .body(fragment));
    };
    let taken = api.office.live.ask(hold, TrickleIce { viewer, tag, fragment }).await;
    taken.map_err(|refusal| of_viewer(viewer, refusal))?;
    Ok(HttpResponse::NoContent().finish())
}

/// Hangs up: the viewer watches no more.
#[utoipa::path(
    delete, operation_id = "unwatch_session", path = "/v1/sessions/{id}/whep/{viewer}", tag = "live",
    params(
        ("id" = String, Path), ("viewer" = String, Path),
        ("token" = Option<String>, Query, description = "The session's token, where no header can be sent"),
    ),
    responses(
        (status = 200, description = "It is gone"),
        (status = 404, description = "It was gone before, or its session was"),
        (status = 409, description = "It is not a live session"),
    ),
)]
pub async fn hang_up(
    api: Data<Api>,
    LinkedVisitor(visitor): LinkedVisitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let WatchedSession { hold, before, viewer } = watched(&api, &visitor, &path).await?;
    let mut gone = api.office.live.ask(hold, HangUp { viewer }).await;
    // Who has followed a session that was moved hangs up where it was.
    if let (Err(LiveRefusal::Declined(Declined { why: NotDone::NoViewer, .. })), Some(before)) = (&gone, before) {
        gone = api.office.live.ask(before, HangUp { viewer }).await;
    }
    gone.map_err(|refusal| match refusal {
        // Its worker has let the session go, and nobody else has it (yet): there is nothing left to hang up.
        LiveRefusal::Moving { .. } => no_viewer(viewer),
        other => of_viewer(viewer, other),
    })?;
    Ok(HttpResponse::Ok().finish())
}

/// A viewer, and where its session is.
struct WatchedSession {
    hold: Hold,
    /// Where it was moved from; it may still be shown there.
    before: Option<Hold>,
    viewer: ViewerId,
}

/// Where a viewer's session runs. A session that does not run has no viewers: those that it had are gone with the worker.
async fn watched(api: &Api, visitor: &Visitor, path: &(String, String)) -> Result<WatchedSession, Problem> {
    let (id, viewer) = path;
    let change = answers::visited(api, visitor, id).await?;
    visitor.may_use()?;
    must_be_live(&change.session)?;
    let viewer: ViewerId = fields::path_id("viewer", viewer)?;
    let before = change.session.handed_over();
    match Whereabouts::of(change) {
        Whereabouts::Runs(hold) => Ok(WatchedSession { hold, before, viewer }),
        _ => Err(no_viewer(viewer)),
    }
}

fn no_viewer(viewer: ViewerId) -> Problem {
    Problem::not_found(format!("viewer {viewer}: its session does not run where it ran; offer again"))
}

/// The same for a session that ended, or lost its worker, while that was asked.
fn of_viewer(viewer: ViewerId, refusal: LiveRefusal) -> Problem {
    match refusal {
        LiveRefusal::Ended(_) | LiveRefusal::NotRunning(_) => no_viewer(viewer),
        other => other.into(),
    }
}

/// The query of the viewer's own address: whoever came with nothing but an address leaves with nothing else.
fn query(req: &HttpRequest) -> String {
    let token = token_in_query(req).filter(|_| !req.headers().contains_key(AUTHORIZATION));
    token.map_or_else(String::new, |token| format!("?token={token}"))
}

/// Ids of viewers are secrets, so all of their bits are random.
fn new_viewer() -> Result<ViewerId, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    Ok(ViewerId(u128::from_be_bytes(bytes)))
}

async fn body(api: &Api, req: &HttpRequest, payload: Payload, kind: &str) -> Result<String, Problem> {
    if media_type(req).as_deref() != Some(kind) {
        return Err(Problem::new(
            ProblemKind::UnsupportedMedia,
            format!("the body must be {kind}: send it as content-type"),
        ));
    }
    read_text(api, req, payload, SDP_BYTES).await
}

fn quoted(tag: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("\"{tag}\"")).map_err(Problem::internal)
}

/// What `If-Match` says.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    /// Whatever ICE session there is.
    Any,
    /// The resource must still have this tag.
    Tag(String),
}

fn if_match(req: &HttpRequest) -> Result<Condition, Problem> {
    let Some(header) = req.headers().get(IF_MATCH) else {
        let detail = "send If-Match with the entity tag of the answer, or * to restart ICE";
        return Err(Problem::new(ProblemKind::PreconditionRequired, detail));
    };
    let text = header.to_str().unwrap_or_default().trim();
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    match inner.unwrap_or(text) {
        "*" => Ok(Condition::Any),
        tag if inner.is_some() && !tag.is_empty() && !tag.contains('"') => Ok(Condition::Tag(tag.to_owned())),
        // A weak tag never matches, and a list cannot be what was handed out.
        _ => {
            let detail = "If-Match must be the answer's entity tag as it was, in quotes, or * to restart ICE";
            Err(Problem::new(ProblemKind::PreconditionFailed, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_condition_is_one_tag_or_any() {
        let read = |value: &str| if_match(&TestRequest::patch().insert_header((IF_MATCH, value)).to_http_request());
        let tag = |t: &str| Ok(Condition::Tag(t.to_owned()));
        for (value, wanted) in [("\"a:b\"", tag("a:b")), ("*", Ok(Condition::Any)), ("\"*\"", Ok(Condition::Any))] {
            assert_eq!(read(value), wanted, "{value}");
        }
        for value in ["", "a", "\"\"", "W/\"a\"", "\"a\", \"b\"", "\"a"] {
            assert_eq!(read(value).unwrap_err().kind, ProblemKind::PreconditionFailed, "{value}");
        }
        let none = if_match(&TestRequest::patch().to_http_request());
        assert_eq!(none.unwrap_err().kind, ProblemKind::PreconditionRequired);
    }
}
