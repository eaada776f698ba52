//! Sessions: made, listed, looked at, cancelled.

use super::auth::{Caller, KeyScope, Visitor};
use super::dto::requests::SessionRequest;
use super::dto::{SessionBody, SessionList};
use super::fields::{Fields, URL_CHARS, missing};
use super::files::read_json;
use super::idempotency::token;
use super::live::making;
use super::problem::Problem;
use super::{Api, RequestPath, answers, options};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use mouthpiece_domain::session::{Phase, SessionKind};
use mouthpiece_ports::records::SessionFilter;

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
    caller.need(KeyScope::Sessions)?;
    let token = token(&req)?;
    let of_renders: Vec<_> = ["kind", "avatar_id", "speech_url"].into_iter().chain(options::FIELDS).collect();
    let of_live: Vec<_> = ["kind", "avatar_id"].into_iter().chain(making::COMMON).chain(making::FIELDS).collect();
    let all: Vec<_> = of_renders.iter().copied().chain(making::FIELDS).collect();
    let fields = Fields::json(&read_json(&api, &req, payload).await?, &all)?;
    match kind(&fields)? {
        SessionKind::Live => {
            fields.only(&of_live)?;
            create_live(&api, &caller, &fields, token, &RequestPath::of(&req)).await
        }
        _ => {
            fields.only(&of_renders)?;
            create_render(&api, &caller, &fields, token, &RequestPath::of(&req)).await
        }
    }
}

async fn create_render(
    api: &Api,
    caller: &Caller,
    fields: &Fields,
    token: Option<String>,
    here: &RequestPath,
) -> Result<HttpResponse, Problem> {
    let avatar = fields.id("avatar_id")?.ok_or_else(|| missing("avatar_id"))?;
    let url = fields.text("speech_url", URL_CHARS)?.ok_or_else(|| missing("speech_url"))?;
    let options = options::read(fields, &api.settings.sessions)?;
    let started = api.office.render_fetched(caller, token, avatar, url, options).await?;
    answers::started(api, caller, started, StatusCode::CREATED, here).await
}

async fn create_live(
    api: &Api,
    caller: &Caller,
    fields: &Fields,
    token: Option<String>,
    here: &RequestPath,
) -> Result<HttpResponse, Problem> {
    let avatar = fields.id("avatar_id")?.ok_or_else(|| missing("avatar_id"))?;
    let (options, terms) = making::read(fields, &api.settings.sessions, &api.settings.live)?;
    let started = api.office.go_live(caller, token, avatar, options, terms).await?;
    answers::started(api, caller, started, StatusCode::CREATED, here).await
}

fn kind(fields: &Fields) -> Result<SessionKind, Problem> {
    fields.word("kind", &[("render", SessionKind::Render), ("live", SessionKind::Live)])?.ok_or_else(|| missing("kind"))
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
    caller.may_read()?;
    let fields = Fields::query(req.query_string(), &["state", "kind", "avatar_id", "limit", "before"])?;
    let state = fields.word("state", &[("open", &OPEN[..]), ("ended", &[Phase::Ended][..])])?;
    let limit = fields.number32("limit", 1..=500)?.unwrap_or(100);
    let filter = SessionFilter {
        key: caller.sees_only(),
        kind: fields.word("kind", &SessionKind::ALL.map(|kind| (kind.name(), kind)))?,
        phases: state.unwrap_or_default().to_vec(),
        avatar: fields.id("avatar_id")?,
        before: fields.id("before")?,
        limit,
    };
    let found = api.office.sessions.list(&filter).await?;
    let full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = found.last().filter(|_| full).map(|change| change.session.id.to_string());
    let asked = RequestPath::of(&req);
    let sessions = found.iter().map(|change| answers::told(&api, change, &asked)).collect();
    Ok(HttpResponse::Ok().json(SessionList { sessions, next }))
}

/// Looks at a session.
#[utoipa::path(
    get, operation_id = "read_session", path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "The session", body = SessionBody)),
)]
pub async fn read(
    api: Data<Api>,
    visitor: Visitor,
    id: Path<String>,
    asked: RequestPath,
) -> Result<HttpResponse, Problem> {
    let change = answers::visited(&api, &visitor, &id).await?;
    let mut body = answers::told(&api, &change, &asked);
    answers::complete(&api, &visitor, &change.session, &mut body).await?;
    Ok(HttpResponse::Ok().json(body))
}

/// Wants no more of a session. Of a render that has ended, the video is removed for good, with the recording that it was made
/// of; its portrait goes with its avatar.
#[utoipa::path(
    delete, operation_id = "cancel_session", path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses(
        (status = 202, description = "It is being cancelled", body = SessionBody),
        (status = 200, description = "It had ended; what it left is removed", body = SessionBody),
    ),
)]
pub async fn cancel(
    api: Data<Api>,
    caller: Caller,
    id: Path<String>,
    asked: RequestPath,
) -> Result<HttpResponse, Problem> {
    let change = answers::visible(&api, &caller, &id, "session").await?;
    answers::cancelled(&api, &caller, change, &asked).await
}
