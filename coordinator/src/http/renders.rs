//! Renders: the same sessions, by upload, and their results.

use super::auth::{Caller, KeyScope};
use super::dto::SessionBody;
use super::dto::requests::RenderForm;
use super::fields::{Fields, missing};
use super::files::read_form;
use super::idempotency::token;
use super::problem::{Problem, ProblemKind};
use super::{Api, RequestPath, ages, answers, download, options};
use crate::office::intake::StagedFile;
use crate::office::orders::UploadedFace;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use mouthpiece_domain::control::SessionChange;
use mouthpiece_domain::file_kind::FileUse;
use mouthpiece_domain::session::{Phase, SessionKind};

/// Makes a render of a portrait (or an avatar) and a recording. The files are kept until nobody has used them for a time, the
/// video for a time after the session's end: /v1/retention tells how long.
#[utoipa::path(
    post, operation_id = "create_render", path = "/v1/renders", tag = "renders",
    request_body(content = RenderForm, content_type = "multipart/form-data"),
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "The same key and the same request again make nothing new and are answered with the same session, as \
            long as the key is remembered: /v1/retention tells how long, and at least until the session has ended")),
    responses(
        (status = 202, description = "Accepted", body = SessionBody, headers(("location" = String, description = "Its address"))),
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
    if token.is_none() {
        api.office.submissions.within_quota(&caller).await?; // before anything is uploaded in vain
    }
    let files = [("portrait", FileUse::Portrait), ("speech", FileUse::Speech)];
    let known: Vec<_> = ["portrait", "avatar_id", "speech", "face"].into_iter().chain(options::FIELDS).collect();
    let mut form = read_form(&api, &caller, &req, payload, &files, &known).await?;
    let (portrait, speech) = (form.take("portrait"), form.take("speech"));
    let fields = form.fields;
    let face = whose_face(&fields, portrait)?;
    let speech = speech.ok_or_else(|| missing("speech"))?;
    let options = options::read(&fields, &api.settings.sessions)?;
    let started = api.office.render_uploaded(&caller, token, face, &speech, options).await?;
    answers::started(&api, &caller, started, StatusCode::ACCEPTED, &RequestPath::of(&req)).await
}

fn whose_face(fields: &Fields, portrait: Option<StagedFile>) -> Result<UploadedFace, Problem> {
    let face = options::face(fields)?;
    match (fields.id("avatar_id")?, portrait) {
        (None, None) => Err(Problem::invalid("portrait", "portrait is missing: send a file, or an avatar_id")),
        (Some(_), Some(_)) => Err(Problem::invalid("avatar_id", "send either a portrait or an avatar_id, not both")),
        (Some(_), None) if face.is_some() => {
            Err(Problem::invalid("face", "an avatar has its face already: leave face out, or send the portrait"))
        }
        (Some(avatar), None) => Ok(UploadedFace::Avatar(avatar)),
        (None, Some(portrait)) => Ok(UploadedFace::Portrait(portrait, face)),
    }
}

/// A session of kind render that the caller may see.
async fn render(api: &Api, caller: &Caller, id: &str) -> Result<SessionChange, Problem> {
    let change = answers::visible(api, caller, id, "render").await?;
    if change.session.kind == SessionKind::Render {
        Ok(change)
    } else {
        Err(Problem::not_found(format!("render {}", change.session.id)))
    }
}

/// Looks at a render.
#[utoipa::path(
    get, operation_id = "read_render", path = "/v1/renders/{id}", tag = "renders", params(("id" = String, Path)),
    responses((status = 200, description = "The session", body = SessionBody)),
)]
pub async fn read(
    api: Data<Api>,
    caller: Caller,
    id: Path<String>,
    asked: RequestPath,
) -> Result<HttpResponse, Problem> {
    let change = render(&api, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(answers::told(&api, &change, &asked)))
}

/// Wants no more of a render. When it has ended its video is removed for good, with the recording that it was made of; its
/// portrait goes with its avatar.
#[utoipa::path(
    delete, operation_id = "cancel_render", path = "/v1/renders/{id}", tag = "renders", params(("id" = String, Path)),
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
    let change = render(&api, &caller, &id).await?;
    answers::cancelled(&api, &caller, change, &asked).await
}

/// Gets the video. Ranges are served. It is kept for a time after the session's end: `expires_at` of the session's result.
#[utoipa::path(
    get, operation_id = "read_render_result", path = "/v1/renders/{id}/result", tag = "renders",
    params(
        ("id" = String, Path),
        ("download" = Option<u32>, Query, minimum = 0, maximum = 1, description = "1: to be saved, not shown"),
        ("Range" = Option<String>, Header, description = "Only a part, for example bytes=0-1023"),
    ),
    responses(
        (status = 200, description = "The video", content_type = "video/mp4", body = Vec<u8>),
        (status = 206, description = "A part of it", content_type = "video/mp4", body = Vec<u8>),
        (status = 304, description = "It is as in If-None-Match"),
        (status = 409, description = "It is not finished"),
        (status = 410, description = "It was removed because of its age"),
        (status = 416, description = "It has no such part"),
    ),
)]
pub async fn result(
    api: Data<Api>,
    caller: Caller,
    id: Path<String>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let save = Fields::query(req.query_string(), &["download"])?.number("download", 0..=1)? == Some(1);
    let session = render(&api, &caller, &id).await?.session;
    if session.phase != Phase::Ended {
        let detail = "the render is not finished: follow /v1/sessions/{id}/events, or ask again later";
        return Err(Problem::new(ProblemKind::Conflict, detail));
    }
    let output = session.end.as_ref().and_then(|end| end.output.as_deref());
    if let Some(removed) = output.and_then(|o| o.removed) {
        return Err(Problem::new(ProblemKind::Gone, ages::gone(&api.settings.retention, removed)));
    }
    let Some((output, blob)) = output.and_then(|o| Some((o, o.blob.as_ref()?))) else {
        return Err(Problem::not_found("result: the render ended without one"));
    };
    let disposition = if save { "attachment" } else { "inline" };
    let file = download::DownloadFile {
        blob,
        bytes: Some(output.bytes),
        remedy: "render it again",
        media_type: "video/mp4",
        etag: format!("\"{:032x}-{}-{}\"", session.id.0, session.fence.0, output.bytes),
        disposition: Some(format!("{disposition}; filename=\"mouthpiece-{}.mp4\"", session.id)),
        by_link: true,
    };
    download::send(&api, &req, &file).await
}
