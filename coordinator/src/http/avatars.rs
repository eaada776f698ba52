//! Avatars: registered portraits.

use super::auth::{Caller, KeyScope};
use super::dto::requests::{AvatarForm, AvatarRequest};
use super::dto::{AvatarBody, AvatarList};
use super::fields::{self, Fields, NAME_CHARS, URL_CHARS, missing};
use super::files::{media_type, read_form, read_json};
use super::options::face;
use super::problem::{Problem, ProblemKind};
use super::{Api, RequestPath, download};
use crate::office::avatars::AvatarPreview;
use crate::office::orders::AddedAvatar;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use mouthpiece_domain::file_kind::FileUse;
use mouthpiece_ports::records::Avatar;

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
        (status = 200, description = "It was registered before, and keeps the name that it got then", body = AvatarBody),
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
    let (portrait, fields) = match media_type(&req).as_deref() {
        Some("application/json") => {
            let fields = Fields::json(&read_json(&api, &req, payload).await?, &["url", "name", "face"])?;
            check(&fields)?;
            let url = fields.text("url", URL_CHARS)?.ok_or_else(|| missing("url"))?;
            (api.office.intake.fetch(caller.key.id, "url", url, FileUse::Portrait).await?, fields)
        }
        Some("multipart/form-data") => {
            let files = [("image", FileUse::Portrait)];
            let mut form = read_form(&api, &caller, &req, payload, &files, &["image", "name", "face"]).await?;
            (form.take("image").ok_or_else(|| missing("image"))?, form.fields)
        }
        _ => {
            let detail = "send the portrait as multipart/form-data, or its address as application/json";
            return Err(Problem::new(ProblemKind::UnsupportedMedia, detail));
        }
    };
    let name = fields.text("name", NAME_CHARS)?.unwrap_or(&portrait.called).to_owned();
    let AddedAvatar { seen, preparing } = api.office.add_avatar(&caller, &portrait, face(&fields)?, name).await?;
    let status = if preparing { StatusCode::ACCEPTED } else { StatusCode::OK };
    let here = RequestPath::of(&req);
    let location = (LOCATION, here.to(&format!("/v1/avatars/{}", seen.avatar.id)));
    Ok(HttpResponse::build(status).insert_header(location).json(AvatarBody::new(&seen, &here)))
}

/// What can be judged before anything is fetched.
fn check(fields: &Fields) -> Result<(), Problem> {
    fields.text("name", NAME_CHARS)?;
    face(fields)?;
    Ok(())
}

/// An avatar that the caller may see, by the id in the path.
async fn visible(api: &Api, caller: &Caller, id: &str) -> Result<Avatar, Problem> {
    caller.may_read()?;
    let id = fields::path_id("avatar", id)?;
    let avatar = api.office.avatars.visible(caller, id).await?;
    avatar.ok_or_else(|| Problem::not_found(format!("avatar {id}")))
}

/// Lists avatars, newest first: the key's own, all with the scope `farm`.
#[utoipa::path(
    get, operation_id = "list_avatars", path = "/v1/avatars", tag = "avatars",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "At most so many. Default: 100")),
    responses((status = 200, description = "The avatars", body = AvatarList)),
)]
pub async fn list(api: Data<Api>, caller: Caller, req: HttpRequest) -> Result<HttpResponse, Problem> {
    caller.may_read()?;
    let limit = Fields::query(req.query_string(), &["limit"])?.number32("limit", 1..=500)?.unwrap_or(100);
    let asked = RequestPath::of(&req);
    let found = api.office.avatars.list(&caller, limit).await?;
    Ok(HttpResponse::Ok().json(AvatarList { avatars: found.iter().map(|a| AvatarBody::new(a, &asked)).collect() }))
}

/// Looks at an avatar.
#[utoipa::path(
    get, operation_id = "read_avatar", path = "/v1/avatars/{id}", tag = "avatars", params(("id" = String, Path)),
    responses((status = 200, description = "The avatar", body = AvatarBody)),
)]
pub async fn read(
    api: Data<Api>,
    caller: Caller,
    id: Path<String>,
    asked: RequestPath,
) -> Result<HttpResponse, Problem> {
    let avatar = visible(&api, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(AvatarBody::new(&api.office.avatars.seen(avatar).await?, &asked)))
}

/// Removes an avatar for good: its portrait, what was prepared from it, and the videos of all renders with it, whatever their
/// ages. Open sessions that use it go on; what they leave is removed after their end. The files are gone within a quarter of
/// an hour, unless another avatar has the same portrait, or it is uploaded again. Records of sessions stay for their age, without
/// the videos.
#[utoipa::path(
    delete, operation_id = "delete_avatar", path = "/v1/avatars/{id}", tag = "avatars", params(("id" = String, Path)),
    responses((status = 204, description = "It is forgotten")),
)]
pub async fn delete(api: Data<Api>, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    caller.need(KeyScope::Sessions)?;
    let avatar = visible(&api, &caller, &id).await?;
    if api.office.avatars.remove(avatar.id).await? {
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
    let Some(AvatarPreview { blob, media_type }) = api.office.avatars.preview(&avatar).await? else {
        return Err(Problem::not_found(format!("preview of avatar {} yet", avatar.id)));
    };
    let etag = format!("\"{:032x}\"", avatar.prepared_by.0);
    let file = download::DownloadFile {
        blob: &blob,
        bytes: None,
        remedy: "add the portrait again",
        media_type: &media_type,
        etag,
        disposition: Some("inline".to_owned()),
        by_link: false,
    };
    download::send(&api, &req, &file).await
}
