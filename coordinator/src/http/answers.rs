//! Sessions in answers: found by the path, told with their links, a live one with what its viewers need.

use super::auth::{Caller, KeyScope, Visitor};
use super::dto::{SessionBody, time_text};
use super::problem::Problem;
use super::{Api, RequestPath, fields};
use crate::office::submission::AcceptedSession;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use mouthpiece_domain::control::SessionChange;
use mouthpiece_domain::session::{Phase, Session, SessionKind};
use mouthpiece_ports::lines::CallerAddress;

/// A session that the caller may see, by the id in the path; `what` is what it is called there.
pub async fn visible(api: &Api, caller: &Caller, id: &str, what: &str) -> Result<SessionChange, Problem> {
    caller.may_read()?; // before the id is judged: who may not read is told that
    let id = fields::path_id(what, id)?;
    let change = api.office.access.visible(caller, id).await?;
    change.ok_or_else(|| Problem::not_found(format!("{what} {id}")))
}

/// The session with this id of the path, if the visitor may look at it.
pub async fn visited(api: &Api, visitor: &Visitor, id: &str) -> Result<SessionChange, Problem> {
    if let Visitor::Key(caller) = visitor {
        caller.may_read()?; // as above
    }
    let id = fields::path_id("session", id)?;
    let change = api.office.access.session(visitor, id).await?;
    change.ok_or_else(|| Problem::not_found(format!("session {id}")))
}

/// A session as it is told to whoever asked there.
pub fn told(api: &Api, change: &SessionChange, asked: &RequestPath) -> SessionBody {
    SessionBody::now(change, &api.settings.retention, asked)
}

/// The answer for a new session (`fresh`), or for one that the same request had made (200).
pub async fn started(
    api: &Api,
    caller: &Caller,
    started: AcceptedSession,
    fresh: StatusCode,
    asked: &RequestPath,
) -> Result<HttpResponse, Problem> {
    let AcceptedSession { session, replayed } = started;
    let place = match session.kind {
        SessionKind::Render if fresh == StatusCode::ACCEPTED => "renders",
        _ => "sessions",
    };
    let location = (LOCATION, asked.to(&format!("/v1/{place}/{}", session.id)));
    let (mut body, session) = if replayed {
        let change = api.office.sessions.as_seen(session).await?;
        (told(api, &change, asked), change.session)
    } else {
        (SessionBody::new(&session, &api.settings.retention, asked), session)
    };
    complete(api, &Visitor::Key(caller.clone()), &session, &mut body).await?;
    if replayed {
        let replay = ("idempotent-replay", "true");
        return Ok(HttpResponse::Ok().insert_header(location).insert_header(replay).json(body));
    }
    Ok(HttpResponse::build(fresh).insert_header(location).json(body))
}

/// Adds to a session's body what only whoever may watch it is told: ICE servers, where its worker takes speech itself and, for the
/// key that made it, its token.
///
/// # Errors
/// 500 when no token can be made, which never happens.
pub async fn complete(api: &Api, visitor: &Visitor, session: &Session, body: &mut SessionBody) -> Result<(), Problem> {
    let open = session.phase < Phase::Ended && visitor.may_use().is_ok();
    let Some(live) = body.live.as_mut().filter(|_| open) else { return Ok(()) };
    live.ice_servers = api.office.live.ice(session.id).into_iter().map(Into::into).collect();
    if let Some(CallerAddress { url, until }) = api.office.live.caller_address(session).await {
        live.direct_audio_url = Some(url);
        live.direct_audio_expires = Some(time_text(until));
    }
    if visitor.made(session) {
        let token = api.office.access.session_token(visitor.key(), session);
        let (token, expires) = token.ok_or_else(|| Problem::internal("no session token can be made"))?;
        live.token = Some(token.text());
        live.token_expires = Some(time_text(expires));
    }
    Ok(())
}

/// Cancels a session, or removes what an ended one left, and tells how it is then.
pub async fn cancelled(
    api: &Api,
    caller: &Caller,
    change: SessionChange,
    asked: &RequestPath,
) -> Result<HttpResponse, Problem> {
    caller.need(KeyScope::Sessions)?;
    if change.session.phase == Phase::Ended {
        let now = api.office.sessions.remove_results(change).await?;
        return Ok(HttpResponse::Ok().json(told(api, &now, asked)));
    }
    let now = api.office.sessions.cancel(change).await?;
    Ok(HttpResponse::Accepted().json(told(api, &now, asked)))
}
