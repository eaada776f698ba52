//! Bodies: forms with files, and JSON. Bounded in size, number of fields and time.

use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::fields::Fields;
use crate::http::problem::{Problem, ProblemKind};
use crate::http::words;
use crate::office::intake::{IncomingFile, StagedFile};
use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use mouthpiece_domain::file_kind::FileUse;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The most of a JSON body.
const JSON_BYTES: u64 = 64 * 1024;
/// The most of one text field of a form.
const TEXT_BYTES: usize = 16 * 1024;
/// Fields of a form.
const FIELDS: usize = 40;
/// What a form needs beside its files' content.
const OVERHEAD: u64 = 1024 * 1024;
/// However steadily it comes, a body is not waited for longer.
const LONGEST: Duration = Duration::from_secs(3600);
/// Bytes a second, on average over what has come: whoever sends less holds a place that others wait for.
const SLOWEST: u64 = 4096;

/// A form that arrived whole.
#[derive(Debug, Default)]
pub struct FileForm {
    /// Its text fields.
    pub fields: Fields,
    files: HashMap<&'static str, StagedFile>,
}

impl FileForm {
    /// A file of the form.
    pub fn take(&mut self, name: &str) -> Option<StagedFile> {
        self.files.remove(name)
    }
}

/// The media type of a request's body, lower case, without parameters.
pub fn media_type(req: &HttpRequest) -> Option<String> {
    let text = req.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next()?.trim().to_ascii_lowercase())
}

fn declared_length(req: &HttpRequest) -> Option<u64> {
    req.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a JSON body.
///
/// # Errors
/// 415 for another type, 413 beyond 64 KiB, 400 when it breaks off or pauses too long.
pub async fn read_json(api: &Api, req: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    if media_type(req).as_deref() != Some("application/json") {
        return Err(Problem::new(
            ProblemKind::UnsupportedMedia,
            "the body must be JSON: send content-type application/json",
        ));
    }
    read_small(api, req, payload, JSON_BYTES).await
}

/// Reads a body of text.
///
/// # Errors
/// 413 beyond `limit` bytes, 400 when it is not UTF-8, breaks off or pauses too long.
pub async fn read_text(api: &Api, req: &HttpRequest, payload: Payload, limit: u64) -> Result<String, Problem> {
    let body = read_small(api, req, payload, limit).await?;
    String::from_utf8(body.into()).map_err(|_| Problem::bad_request("the body must be UTF-8 text"))
}

async fn read_small(api: &Api, req: &HttpRequest, mut payload: Payload, limit: u64) -> Result<Bytes, Problem> {
    let too_large = || Problem::too_large("the body", limit);
    if declared_length(req).is_some_and(|n| n > limit) {
        return Err(too_large());
    }
    let pause = api.settings.body_pause;
    let mut body = BytesMut::new();
    let read = async {
        while let Some(chunk) = next(&mut payload, pause).await? {
            body.extend_from_slice(&chunk.map_err(|e| payload_problem(&e))?);
            if body.len() as u64 > limit {
                return Err(too_large());
            }
        }
        Ok(())
    };
    // So small a body comes at once, or not at all.
    let late = |_| Err(Problem::bad_request(format!("the body took longer than {} s", pause.as_secs())));
    timeout(pause, read).await.unwrap_or_else(late)?;
    Ok(body.freeze())
}

/// Reads a form. `files` are the fields that are files; `known` are all fields.
///
/// # Errors
/// 415 for another type, 413 for a file beyond its limit, 422 for a field that is not known, given twice or unusable, 400 when
/// it is malformed, breaks off, pauses too long or comes too slowly, 429 when too many uploads of this key are under way, 503
/// when too many of all are.
pub async fn read_form(
    api: &Api,
    caller: &Caller,
    req: &HttpRequest,
    payload: Payload,
    files: &[(&'static str, FileUse)],
    known: &[&str],
) -> Result<FileForm, Problem> {
    if media_type(req).as_deref() != Some("multipart/form-data") {
        let detail = "the body must be a form with files: send content-type multipart/form-data";
        return Err(Problem::new(ProblemKind::UnsupportedMedia, detail));
    }
    let limit = files.iter().map(|(_, given_as)| api.office.intake.file_bytes(*given_as)).sum::<u64>() + OVERHEAD;
    if declared_length(req).is_some_and(|n| n > limit) {
        return Err(Problem::too_large("the body", limit));
    }
    let _permit = api.office.intake.permit(caller.key.id)?;
    let form = Multipart::new(req.headers(), payload);
    match timeout(LONGEST, read_fields(api, form, files, known)).await {
        Ok(read) => read,
        Err(_) => Err(Problem::bad_request(format!("the body took longer than {} s", LONGEST.as_secs()))),
    }
}

async fn read_fields(
    api: &Api,
    mut multipart: Multipart,
    files: &[(&'static str, FileUse)],
    known: &[&str],
) -> Result<FileForm, Problem> {
    let mut pace = BodyPace { began: Instant::now(), bytes: 0, pause: api.settings.body_pause };
    let mut form = FileForm::default();
    let mut count = 0;
    while let Some(field) = next(&mut multipart, pace.pause).await? {
        let mut field = field.map_err(|e| multipart_problem(&e))?;
        count += 1;
        if count > FIELDS {
            return Err(Problem::bad_request(format!("the form has more than {FIELDS} fields")));
        }
        let name = field.name().unwrap_or_default().to_owned();
        if let Some((name, given_as)) = files.iter().find(|(file, _)| *file == name) {
            if form.files.contains_key(name) {
                return Err(Problem::invalid(*name, format!("{name} is given twice")));
            }
            let called = called(&field);
            let mut staged = stage(&mut field, api.office.intake.stage(name, *given_as)?, &mut pace).await?;
            staged.called = called;
            form.files.insert(name, staged);
        } else if known.contains(&name.as_str()) {
            let text = text(&mut field, &name, &mut pace).await?;
            form.fields.add_text(&name, text, known)?;
        } else {
            return Err(Problem::unknown(&name, known));
        }
    }
    Ok(form)
}

async fn stage(field: &mut Field, mut stage: IncomingFile, pace: &mut BodyPace) -> Result<StagedFile, Problem> {
    while let Some(chunk) = pace.next(field).await? {
        stage.push(&chunk).await?;
    }
    Ok(stage.finish().await?)
}

/// A file's name as people know it: without folder and ending, at most 100 characters, none of them for control.
fn called(field: &Field) -> String {
    let name = field.content_disposition().and_then(|d| d.get_filename()).unwrap_or_default();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.chars().filter(|c| !c.is_control()).take(100).collect::<String>().trim().to_owned()
}

async fn text(field: &mut Field, name: &str, pace: &mut BodyPace) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(chunk) = pace.next(field).await? {
        text.extend_from_slice(&chunk);
        if text.len() > TEXT_BYTES {
            return Err(Problem::invalid(name, format!("{name} must have at most {TEXT_BYTES} bytes")));
        }
    }
    String::from_utf8(text).map_err(|_| Problem::invalid(name, format!("{name} must be UTF-8 text")))
}

/// How fast a form comes.
struct BodyPace {
    began: Instant,
    bytes: u64,
    /// No piece takes longer, and before this has passed nothing is said of the whole.
    pause: Duration,
}

impl BodyPace {
    /// The next piece of a field.
    async fn next(&mut self, field: &mut Field) -> Result<Option<Bytes>, Problem> {
        let Some(chunk) = next(field, self.pause).await? else { return Ok(None) };
        let chunk = chunk.map_err(|e| multipart_problem(&e))?;
        self.bytes += chunk.len() as u64;
        let since = self.began.elapsed();
        if since > self.pause && self.bytes < since.as_secs() * SLOWEST {
            return Err(Problem::bad_request(format!("less than {SLOWEST} bytes of the body came in a second")));
        }
        Ok(Some(chunk))
    }
}

/// The next piece, which must not take longer than `pause`.
async fn next<S: Stream + Unpin>(stream: &mut S, pause: Duration) -> Result<Option<S::Item>, Problem> {
    let late = |_| Problem::bad_request(format!("no more of the body came for {} s", pause.as_secs()));
    timeout(pause, stream.next()).await.map_err(late)
}

fn payload_problem(error: &PayloadError) -> Problem {
    match error {
        PayloadError::Overflow => Problem::new(ProblemKind::TooLarge, "the body is larger than this address takes"),
        _ => Problem::bad_request(format!("the body cannot be read: {}", words::payload(error))),
    }
}

fn multipart_problem(error: &MultipartError) -> Problem {
    match error {
        MultipartError::Payload(error) => payload_problem(error),
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible => {
            Problem::new(ProblemKind::UnsupportedMedia, "the body must be a form with files: multipart/form-data")
        }
        _ => Problem::bad_request(format!("the form is not well formed: {}", words::form(error))),
    }
}
