//! Sessions: made, listed, looked at, cancelled.

use super::auth::{Caller, Scope, Visitor};
use super::dto::requests::SessionRequest;
use super::dto::{SessionBody, SessionList};
use super::fields::{self, Fields, missing};
use super::files::{fetch::URL_CHARS, keep, read_json};
use super::live::{complete, making};
use super::options::{self, Options};
use super::problem::Problem;
use super::submission::{Started, Wanted, idempotency, replay, start, token, within_quota};
use super::{Api, Asked, new_id};
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use mouthpiece_domain::control::Change;
use mouthpiece_domain::file_kind::FileUse;
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::session::{Kind, Phase, Session};
use mouthpiece_ports::records::{Avatar, SessionFilter};
use serde_json::json;

const OPEN: [Phase; 5] = [Phase::Requested, Phase::Assigned, Phase::Preparing, Phase::Running, Phase::Draining];

/// Makes a session: a render of an avatar and a recording at an address, or a live one of an avatar.
#[utoipa::path(
    post, operation_id = "create_session", path = "/v1/sessions", tag = "sessions", request_body = SessionRequest,
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "The same key and the same request again make nothing new and are answered with the same session, as \
            long as the key is remembered: /v1/retention tells how long, and at least until the session has ended")),
    responses(
        (status = 201, description = "Accepted", body = SessionBody, headers(("location" = String, description = "Its address"))),
        (status = 200, description = "The same request was made before", body = SessionBody,
            headers(("idempotent-replay" = String, description = "true"))),
        (status = 429, description = "Too much for this key"),
    ),
)]
pub async fn create(
    api: Data<Api>,
    caller: Caller,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    caller.need(Scope::Sessions)?;
    let token = token(&req)?;
    let of_renders: Vec<_> = ["kind", "avatar_id", "speech_url"].into_iter().chain(options::FIELDS).collect();
    let of_live: Vec<_> = ["kind", "avatar_id"].into_iter().chain(making::COMMON).chain(making::FIELDS).collect();
    let all: Vec<_> = of_renders.iter().copied().chain(making::FIELDS).collect();
    let fields = Fields::json(&read_json(&api, &req, payload).await?, &all)?;
    match kind(&fields)? {
        Kind::Live => {
            fields.only(&of_live)?;
            create_live(&api, &caller, &fields, token, &Asked::of(&req)).await
        }
        _ => {
            fields.only(&of_renders)?;
            create_render(&api, &caller, &fields, token, &Asked::of(&req)).await
        }
    }
}

async fn create_render(
    api: &Api,
    caller: &Caller,
    fields: &Fields,
    token: Option<String>,
    here: &Asked,
) -> Result<HttpResponse, Problem> {
    let avatar = fields.id("avatar_id")?.ok_or_else(|| missing("avatar_id"))?;
    let url = fields.text("speech_url", URL_CHARS)?.ok_or_else(|| missing("speech_url"))?;
    let options = Options::read(fields, &api.settings.sessions)?;
    let avatar = usable_avatar(api, caller, avatar).await?;
    let asked = json!({
        "kind": "render",
        "avatar": avatar.id.to_string(),
        "speech": {"url": url},
        "options": options.canonical(),
    });
    let idempotency = idempotency(caller, token, &asked);
    if let Some(session) = replay(api, idempotency.as_ref()).await? {
        return answer(api, caller, Started { session, replayed: true }, StatusCode::CREATED, here).await;
    }
    within_quota(api, caller).await?;
    let speech = api.fetcher.fetch(api, "speech_url", url, FileUse::Speech).await?;
    let speech = Some(keep(api, &speech).await?);
    let wanted = Wanted { kind: Kind::Render, avatar: &avatar, speech, options, live: None };
    let started = start(api, caller, SessionId(new_id()), wanted, idempotency, caller.key.max_open).await?;
    answer(api, caller, started, StatusCode::CREATED, here).await
}

async fn create_live(
    api: &Api,
    caller: &Caller,
    fields: &Fields,
    token: Option<String>,
    here: &Asked,
) -> Result<HttpResponse, Problem> {
    let avatar = fields.id("avatar_id")?.ok_or_else(|| missing("avatar_id"))?;
    let (options, terms) = making::read(fields, &api.settings.sessions, &api.settings.live)?;
    let avatar = usable_avatar(api, caller, avatar).await?;
    let asked = json!({
        "kind": "live",
        "avatar": avatar.id.to_string(),
        "terms": making::canonical(&terms),
        "options": options.canonical(),
    });
    let idempotency = idempotency(caller, token, &asked);
    if let Some(session) = replay(api, idempotency.as_ref()).await? {
        return answer(api, caller, Started { session, replayed: true }, StatusCode::CREATED, here).await;
    }
    within_quota(api, caller).await?;
    let wanted = Wanted { kind: Kind::Live, avatar: &avatar, speech: None, options, live: Some(terms) };
    let started = start(api, caller, SessionId(new_id()), wanted, idempotency, caller.key.max_open).await?;
    answer(api, caller, started, StatusCode::CREATED, here).await
}

fn kind(fields: &Fields) -> Result<Kind, Problem> {
    fields.word("kind", &[("render", Kind::Render), ("live", Kind::Live)])?.ok_or_else(|| missing("kind"))
}

/// An avatar that a new session may use.
pub(super) async fn usable_avatar(api: &Api, caller: &Caller, id: AvatarId) -> Result<Avatar, Problem> {
    let avatar = api.records.avatar(id).await?.filter(|a| caller.sees(a.key));
    avatar.ok_or_else(|| Problem::invalid("avatar_id", format!("there is no avatar {id}: add the portrait first")))
}

/// The answer for a new session (`fresh`), or for one that the same request had made (200).
pub(super) async fn answer(
    api: &Api,
    caller: &Caller,
    started: Started,
    fresh: StatusCode,
    asked: &Asked,
) -> Result<HttpResponse, Problem> {
    let Started { session, replayed } = started;
    let place = match session.kind {
        Kind::Render if fresh == StatusCode::ACCEPTED => "renders",
        _ => "sessions",
    };
    let location = (LOCATION, asked.to(&format!("/v1/{place}/{}", session.id)));
    let ages = &api.settings.retention;
    let mut body =
        if replayed { as_seen(api, &session, asked).await? } else { SessionBody::new(&session, ages, asked) };
    complete(api, &Visitor::Key(caller.clone()), &session, &mut body)?;
    if replayed {
        let replay = ("idempotent-replay", "true");
        return Ok(HttpResponse::Ok().insert_header(location).insert_header(replay).json(body));
    }
    Ok(HttpResponse::build(fresh).insert_header(location).json(body))
}

/// A session of the records as the brain sees it, if it is open.
async fn as_seen(api: &Api, session: &Session, asked: &Asked) -> Result<SessionBody, Problem> {
    if session.phase == Phase::Ended {
        return Ok(SessionBody::new(session, &api.settings.retention, asked));
    }
    let ages = &api.settings.retention;
    let held = api.farm.session(session.id).await?;
    let seen = |change| SessionBody::now(change, ages, asked);
    Ok(held.as_ref().map_or_else(|| SessionBody::new(session, ages, asked), seen))
}

/// A session as it is now: as the brain sees it while it holds it, else as recorded. `None` when there is none.
pub(super) async fn current(api: &Api, id: SessionId) -> Result<Option<Change>, Problem> {
    if let Some(change) = api.farm.session(id).await? {
        return Ok(Some(change));
    }
    Ok(api.records.session(id).await?.map(|session| Change { session, queue_position: None }))
}

/// A session that the caller may see, by the id in the path.
pub(super) async fn visible(api: &Api, caller: &Caller, id: &str, what: &str) -> Result<Change, Problem> {
    may_read(caller)?;
    let id: SessionId = fields::path_id(what, id)?;
    let change = current(api, id).await?.filter(|c| caller.sees(c.session.key));
    change.ok_or_else(|| Problem::not_found(format!("{what} {id}")))
}

/// What sees everything also reads its own.
pub(super) fn may_read(caller: &Caller) -> Result<(), Problem> {
    if caller.may(Scope::Farm) { Ok(()) } else { caller.need(Scope::Sessions) }
}

/// Lists sessions, newest first: the key's own, all with the scope `farm`.
#[utoipa::path(
    get, operation_id = "list_sessions", path = "/v1/sessions", tag = "sessions",
    params(
        ("state" = Option<String>, Query, pattern = "^(open|ended)$", description = "`open` or `ended`; all if it is not given"),
        ("kind" = Option<String>, Query, pattern = "^(render|live|prepare)$", description = "`render`, `live` or `prepare`"),
        ("avatar_id" = Option<String>, Query, pattern = "^avt_[0-9a-f]{32}$", description = "Only of this avatar"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "At most so many. Default: 100"),
        ("before" = Option<String>, Query, pattern = "^ses_[0-9a-f]{32}$", description = "Only older than this session"),
    ),
    responses((status = 200, description = "The sessions", body = SessionList)),
)]
pub async fn list(api: Data<Api>, caller: Caller, req: HttpRequest) -> Result<HttpResponse, Problem> {
    may_read(&caller)?;
    let fields = Fields::query(req.query_string(), &["state", "kind", "avatar_id", "limit", "before"])?;
    let state = fields.word("state", &[("open", &OPEN[..]), ("ended", &[Phase::Ended][..])])?;
    let limit = fields.number32("limit", 1..=500)?.unwrap_or(100);
    let filter = SessionFilter {
        key: caller.sees_only(),
        kind: fields.word("kind", &Kind::ALL.map(|kind| (kind.name(), kind)))?,
        phases: state.unwrap_or_default().to_vec(),
        avatar: fields.id("avatar_id")?,
        before: fields.id("before")?,
        limit,
    };
    let found = api.records.sessions(&filter).await?;
    let full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = found.last().filter(|_| full).map(|s| s.id.to_string());
    let mut sessions = Vec::with_capacity(found.len());
    for session in &found {
        sessions.push(as_seen(&api, session, &Asked::of(&req)).await?);
    }
    Ok(HttpResponse::Ok().json(SessionList { sessions, next }))
}

/// Looks at a session.
#[utoipa::path(
    get, operation_id = "read_session", path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "The session", body = SessionBody)),
)]
pub async fn read(api: Data<Api>, visitor: Visitor, id: Path<String>, asked: Asked) -> Result<HttpResponse, Problem> {
    let change = visitor.session(&api, &id).await?;
    let mut body = SessionBody::now(&change, &api.settings.retention, &asked);
    complete(&api, &visitor, &change.session, &mut body)?;
    Ok(HttpResponse::Ok().json(body))
}

/// Wants no more of a session.
#[utoipa::path(
    delete, operation_id = "cancel_session", path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses(
        (status = 202, description = "It is being cancelled", body = SessionBody),
        (status = 200, description = "It had ended", body = SessionBody),
    ),
)]
pub async fn cancel(api: Data<Api>, caller: Caller, id: Path<String>, asked: Asked) -> Result<HttpResponse, Problem> {
    let change = visible(&api, &caller, &id, "session").await?;
    cancelled(&api, &caller, change, &asked).await
}

pub(super) async fn cancelled(
    api: &Api,
    caller: &Caller,
    change: Change,
    asked: &Asked,
) -> Result<HttpResponse, Problem> {
    caller.need(Scope::Sessions)?;
    if change.session.phase == Phase::Ended {
        return Ok(HttpResponse::Ok().json(SessionBody::now(&change, &api.settings.retention, asked)));
    }
    let id = change.session.id;
    api.farm.cancel(id).await?;
    let now = current(api, id).await?.unwrap_or(change);
    Ok(HttpResponse::Accepted().json(SessionBody::now(&now, &api.settings.retention, asked)))
}
