//! Avatars: registered portraits.

use super::auth::{Caller, Scope};
use super::dto::avatar::{Standing, is_picture};
use super::dto::requests::{AvatarForm, AvatarRequest};
use super::dto::{AvatarBody, AvatarList};
use super::fields::{self, Fields, missing};
use super::files::{Staged, fetch::URL_CHARS, keep, media_type, read_form, read_json};
use super::options::{Options, face};
use super::problem::{Kind as ProblemKind, Problem};
use super::sessions::may_read;
use super::submission::{Wanted, standing, start};
use super::{Api, Asked, download, new_id, now};
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use mouthpiece_domain::file_kind::FileUse;
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::retention::Class;
use mouthpiece_domain::session::Kind;
use mouthpiece_ports::records::Avatar;
use std::time::Duration;

/// A preparation takes seconds; one that takes this long will not end.
const LONGEST_PREPARATION: Duration = Duration::from_secs(600);
/// Characters of a name.
pub(super) const NAME_CHARS: usize = 100;

/// Registers a portrait and has it prepared. The same portrait and face again are answered with the same avatar. It is kept
/// until nobody has used it for a time: `expires_at` of the avatar.
#[utoipa::path(
    post, operation_id = "add_avatar", path = "/v1/avatars", tag = "avatars",
    request_body(content(
        (AvatarForm = "multipart/form-data"),
        (AvatarRequest = "application/json"),
    )),
    responses(
        (status = 202, description = "It is being prepared", body = AvatarBody, headers(("location" = String, description = "Its address"))),
        (status = 200, description = "It was registered before", body = AvatarBody),
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
    let (portrait, fields) = match media_type(&req).as_deref() {
        Some("application/json") => {
            let fields = Fields::json(&read_json(&api, &req, payload).await?, &["url", "name", "face"])?;
            check(&fields)?;
            let url = fields.text("url", URL_CHARS)?.ok_or_else(|| missing("url"))?;
            (api.fetcher.fetch(&api, "url", url, FileUse::Portrait).await?, fields)
        }
        Some("multipart/form-data") => {
            let files = [("image", FileUse::Portrait)];
            let mut form = read_form(&api, &req, payload, &files, &["image", "name", "face"]).await?;
            (form.take("image").ok_or_else(|| missing("image"))?, form.fields)
        }
        _ => {
            let detail = "send the portrait as multipart/form-data, or its address as application/json";
            return Err(Problem::new(ProblemKind::UnsupportedMedia, detail));
        }
    };
    let name = fields.text("name", NAME_CHARS)?.unwrap_or(&portrait.called).to_owned();
    let id = SessionId(new_id());
    let on_its_way = api.submitting.begin(id);
    let avatar = register(&api, &caller, &portrait, face(&fields)?, name, id).await?;
    let mut status = StatusCode::OK;
    if avatar.prepared_by == id || matches!(standing(&api, &avatar).await?, Standing::Failed(_)) {
        let mut options = Options::new(&api.settings.sessions);
        options.max_duration = LONGEST_PREPARATION.min(api.settings.sessions.longest_duration);
        let wanted = Wanted { kind: Kind::Prepare, avatar: &avatar, speech: None, options, live: None };
        // How many sessions a key may have open does not count here: adding a portrait is not using it.
        start(&api, &caller, id, wanted, None, u32::MAX).await?;
        status = StatusCode::ACCEPTED;
    }
    drop(on_its_way);
    let avatar = api.records.avatar(avatar.id).await?.unwrap_or(avatar);
    let here = Asked::of(&req);
    let location = (LOCATION, here.to(&format!("/v1/avatars/{}", avatar.id)));
    Ok(HttpResponse::build(status).insert_header(location).json(body(&api, &avatar, &here).await?))
}

/// What can be judged before anything is fetched.
fn check(fields: &Fields) -> Result<(), Problem> {
    fields.text("name", NAME_CHARS)?;
    face(fields)?;
    Ok(())
}

/// Registers a portrait, to be prepared by `prepared_by`; when the caller has it already, that avatar is returned.
pub(super) async fn register(
    api: &Api,
    caller: &Caller,
    portrait: &Staged,
    face: Option<u32>,
    name: String,
    prepared_by: SessionId,
) -> Result<Avatar, Problem> {
    let at = now();
    let avatar = Avatar {
        id: AvatarId(new_id()),
        key: caller.key.id,
        name,
        content: portrait.sha256.clone(),
        portrait: keep(api, portrait).await?,
        media_type: portrait.media_type.to_owned(),
        bytes: portrait.bytes,
        face,
        prepared_by,
        created: at,
        used: at,
    };
    Ok(api.records.add_avatar(&avatar).await?)
}

async fn body(api: &Api, avatar: &Avatar, asked: &Asked) -> Result<AvatarBody, Problem> {
    let until = api.settings.retention.until(Class::Avatars, avatar.used);
    Ok(AvatarBody::new(avatar, standing(api, avatar).await?, until, asked))
}

/// An avatar that the caller may see, by the id in the path.
async fn visible(api: &Api, caller: &Caller, id: &str) -> Result<Avatar, Problem> {
    may_read(caller)?;
    let id: AvatarId = fields::path_id("avatar", id)?;
    let avatar = api.records.avatar(id).await?.filter(|a| caller.sees(a.key));
    avatar.ok_or_else(|| Problem::not_found(format!("avatar {id}")))
}

/// Lists avatars, newest first: the key's own, all with the scope `farm`.
#[utoipa::path(
    get, operation_id = "list_avatars", path = "/v1/avatars", tag = "avatars",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "At most so many. Default: 100")),
    responses((status = 200, description = "The avatars", body = AvatarList)),
)]
pub async fn list(api: Data<Api>, caller: Caller, req: HttpRequest) -> Result<HttpResponse, Problem> {
    may_read(&caller)?;
    let limit = Fields::query(req.query_string(), &["limit"])?.number32("limit", 1..=500)?.unwrap_or(100);
    let mut avatars = Vec::new();
    for avatar in api.records.avatars(caller.sees_only(), limit).await? {
        avatars.push(body(&api, &avatar, &Asked::of(&req)).await?);
    }
    Ok(HttpResponse::Ok().json(AvatarList { avatars }))
}

/// Looks at an avatar.
#[utoipa::path(
    get, operation_id = "read_avatar", path = "/v1/avatars/{id}", tag = "avatars", params(("id" = String, Path)),
    responses((status = 200, description = "The avatar", body = AvatarBody)),
)]
pub async fn read(api: Data<Api>, caller: Caller, id: Path<String>, asked: Asked) -> Result<HttpResponse, Problem> {
    let avatar = visible(&api, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(body(&api, &avatar, &asked).await?))
}

/// Forgets an avatar. Sessions that use it go on. Its portrait, and what was prepared from it, are removed when nobody has
/// used them for as long as uploads are kept (/v1/retention).
#[utoipa::path(
    delete, operation_id = "delete_avatar", path = "/v1/avatars/{id}", tag = "avatars", params(("id" = String, Path)),
    responses((status = 204, description = "It is forgotten")),
)]
pub async fn delete(api: Data<Api>, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    caller.need(Scope::Sessions)?;
    let avatar = visible(&api, &caller, &id).await?;
    if api.records.remove_avatar(avatar.id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::not_found(format!("avatar {}", avatar.id)))
    }
}

/// Gets a picture of a ready avatar: the one made at its preparation, or the portrait where a render prepared it.
#[utoipa::path(
    get, operation_id = "read_avatar_preview", path = "/v1/avatars/{id}/preview", tag = "avatars", params(("id" = String, Path)),
    responses(
        (status = 200, description = "The picture", content_type = "image/png", body = Vec<u8>),
        (status = 206, description = "A part of it", content_type = "image/png", body = Vec<u8>),
        (status = 304, description = "It is as in If-None-Match"),
        (status = 416, description = "It has no such part"),
    ),
)]
pub async fn preview(
    api: Data<Api>,
    caller: Caller,
    id: Path<String>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let avatar = visible(&api, &caller, &id).await?;
    let none = || Problem::not_found(format!("preview of avatar {} yet", avatar.id));
    let Standing::Ready(output) = standing(&api, &avatar).await? else { return Err(none()) };
    let made = output.and_then(|o| o.blob);
    // What was prepared is missing until it is prepared again when its portrait left and came back.
    let is_there = match &made {
        Some(blob) => api.blobs.size(blob).await?.is_some(),
        None => false,
    };
    let (blob, media_type) = match made {
        Some(made) if is_there || !is_picture(&avatar) => (made, "image/png"),
        _ if is_picture(&avatar) => (avatar.portrait.clone(), avatar.media_type.as_str()),
        _ => return Err(none()),
    };
    let etag = format!("\"{:032x}\"", avatar.prepared_by.0);
    let file = download::File { blob: &blob, media_type, etag, disposition: Some("inline".to_owned()) };
    download::send(&api, &req, &file).await
}
