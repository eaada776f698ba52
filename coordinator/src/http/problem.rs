//! Errors as they are answered: `application/problem+json` (RFC 9457) with a stable type, a sentence and the request's id.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use mouthpiece_ports::blobs::BlobError;
use mouthpiece_ports::records::RecordsError;
use serde::Serialize;
use std::fmt;
use std::time::Duration;
use utoipa::ToSchema;

use super::words::one_line;
use crate::farm::FarmError;

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What kinds of problems there are. The slugs are stable: programs may compare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The request cannot be read at all.
    BadRequest,
    /// A field has a value that cannot be used, or is missing.
    InvalidField,
    /// A field that is not known.
    UnknownField,
    /// No valid API key.
    Unauthorized,
    /// The API key may not do that.
    Forbidden,
    /// There is no such thing, or the caller may not see it.
    NotFound,
    /// The address does not take this method.
    MethodNotAllowed,
    /// It was there, and was removed because of its age.
    Gone,
    /// It cannot be done in the state that things are in.
    Conflict,
    /// An idempotency key was used for another request.
    IdempotencyReused,
    /// The body is larger than allowed.
    TooLarge,
    /// The body's type is not taken.
    UnsupportedMedia,
    /// Nothing of what could be sent is understood by the caller.
    NotAcceptable,
    /// The state that the caller knew is not the current one.
    PreconditionFailed,
    /// The caller must say which state it knows.
    PreconditionRequired,
    /// The body is well formed, but cannot be processed.
    Unprocessable,
    /// The caller asked for more than its share.
    OverQuota,
    /// The farm has no room just now.
    NoCapacity,
    /// A store cannot be used just now.
    StoreUnavailable,
    /// The worker that runs a session cannot be reached just now.
    WorkerUnreachable,
    /// A mistake of this program.
    Internal,
}

impl ProblemKind {
    /// All kinds.
    pub const ALL: [Self; 21] = [
        Self::BadRequest,
        Self::InvalidField,
        Self::UnknownField,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Gone,
        Self::Conflict,
        Self::IdempotencyReused,
        Self::TooLarge,
        Self::UnsupportedMedia,
        Self::NotAcceptable,
        Self::PreconditionFailed,
        Self::PreconditionRequired,
        Self::Unprocessable,
        Self::OverQuota,
        Self::NoCapacity,
        Self::StoreUnavailable,
        Self::WorkerUnreachable,
        Self::Internal,
    ];

    /// Slug, status, title and what to do: everything that is told of a kind, in one table.
    fn table_row(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::BadRequest => (
                "bad-request",
                400,
                "The request cannot be read",
                "The body or a header is not well formed. The detail says where; mend the client.",
            ),
            Self::InvalidField => (
                "invalid-field",
                422,
                "A field cannot be used",
                "The member `field` names it, the detail says what is wrong and what would be right.",
            ),
            Self::UnknownField => (
                "unknown-field",
                422,
                "A field is not known",
                "The member `field` names it. Most often it is misspelt; see /docs for the fields that there are.",
            ),
            Self::Unauthorized => (
                "unauthorized",
                401,
                "No valid API key",
                "Send `Authorization: Bearer mp_...` with a key that was not revoked; `mouthpiece up` prints the first one. For one \
                 live session its token (`mps_...`) will do. The page opens with a link that `mouthpiece page-link` prints.",
            ),
            Self::Forbidden => (
                "forbidden",
                403,
                "The API key may not do that",
                "The key lacks the scope that the detail names, or the request came from another site. Use another key.",
            ),
            Self::NotFound => (
                "not-found",
                404,
                "There is no such thing",
                "It never existed, was deleted, or belongs to another key.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                405,
                "The address does not take this method",
                "The header `Allow` names the methods that it takes.",
            ),
            Self::Gone => (
                "gone",
                410,
                "It was removed because of its age",
                "Things are kept for a time: /v1/retention tells how long, a session tells until when. Make it again; whoever \
                 runs the farm can keep things longer (the settings under `retention`).",
            ),
            Self::Conflict => (
                "conflict",
                409,
                "Not in this state",
                "What was asked for cannot be done as things are; the detail says what must happen first.",
            ),
            Self::IdempotencyReused => (
                "idempotency-reused",
                422,
                "The idempotency key was used for another request",
                "An `Idempotency-Key` stands for one request as long as it is remembered. Make a new one for each new request.",
            ),
            Self::TooLarge => (
                "too-large",
                413,
                "The body is too large",
                "The detail tells the limit. Send a smaller or shorter file.",
            ),
            Self::NotAcceptable => (
                "not-acceptable",
                406,
                "Nothing that can be sent is understood",
                "The offer must receive H.264 video (constrained baseline) or Opus audio. Offer the codecs that the browser has.",
            ),
            Self::PreconditionFailed => (
                "precondition-failed",
                412,
                "The state has changed meanwhile",
                "`If-Match` does not name the current ICE session. Restart ICE with `If-Match: *`, or offer anew.",
            ),
            Self::PreconditionRequired => (
                "precondition-required",
                428,
                "A header is missing that names the state",
                "Send `If-Match` with the entity tag that the last answer carried, or `*`.",
            ),
            Self::Unprocessable => (
                "unprocessable",
                422,
                "The body cannot be processed",
                "It is well formed, but asks for what cannot be done. The detail says what.",
            ),
            Self::UnsupportedMedia => (
                "unsupported-media",
                415,
                "The type of the body or file is not taken",
                "The detail tells what is taken. What counts is the file's content, not its name.",
            ),
            Self::OverQuota => (
                "over-quota",
                429,
                "Too much for this key",
                "The key has as many open sessions, or delivered minutes today, as it may have. Come back after `Retry-After`.",
            ),
            Self::NoCapacity => (
                "no-capacity",
                503,
                "No room just now",
                "The queue is full, or the session would wait longer than it may. Come back after `Retry-After`.",
            ),
            Self::StoreUnavailable => (
                "store-unavailable",
                503,
                "A store cannot be used just now",
                "Nothing was lost and nothing was done. Come back after `Retry-After`; /readyz tells which store it is.",
            ),
            Self::WorkerUnreachable => (
                "worker-unreachable",
                503,
                "The session's worker cannot be reached just now",
                "It is busy, or was lost and the session is about to be moved. Come back after `Retry-After`.",
            ),
            Self::Internal => (
                "internal",
                500,
                "Something failed here",
                "A mistake of this program. Please report it with the request id, which the log carries.",
            ),
        }
    }

    /// The last part of the type.
    pub fn slug(self) -> &'static str {
        self.table_row().0
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.table_row().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The same words for every problem of this kind.
    pub fn title(self) -> &'static str {
        self.table_row().2
    }

    /// What it means and what to do about it.
    pub fn remedy(self) -> &'static str {
        self.table_row().3
    }

    /// The kind of a slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.slug() == slug)
    }
}

/// A refusal: what kind, and a sentence with the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Decides status, type and title.
    pub kind: ProblemKind,
    /// A sentence for the caller.
    pub detail: String,
    /// The field at fault.
    pub field: Option<String>,
    /// When to come back.
    pub retry_after: Option<Duration>,
}

/// A problem as it is written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Which kind: a stable address that explains it.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid-field")]
    pub kind: String,
    /// The kind in words.
    #[schema(example = "A field cannot be used")]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What is wrong here, and the remedy.
    #[schema(example = "fps must be 25 or 30")]
    pub detail: String,
    /// The id that the log carries.
    #[schema(example = "0197b2c4d5e6")]
    pub request_id: String,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "fps", nullable = false)]
    pub field: Option<String>,
    /// When to come back, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem of a kind, told in one line. No text of a library belongs into it (see [`words`](super::words)).
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: one_line(detail), field: None, retry_after: None }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::BadRequest, detail)
    }

    /// 422: a field cannot be used.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ProblemKind::InvalidField, detail) }
    }

    /// 422: a field that is not known.
    pub fn unknown(field: &str, known: &[&str]) -> Self {
        let shown: String = field.chars().filter(|c| !c.is_control()).take(60).collect();
        let detail = format!("'{shown}' is not a field here: there are {}", known.join(", "));
        Self { field: Some(shown), ..Self::new(ProblemKind::UnknownField, detail) }
    }

    /// 404: there is no such thing for this caller.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(ProblemKind::NotFound, format!("there is no {what}"))
    }

    /// 413: larger than allowed.
    pub fn too_large(what: &str, limit: u64) -> Self {
        Self::new(
            ProblemKind::TooLarge,
            format!("{what} is larger than {limit} bytes, which is the most that is taken"),
        )
    }

    /// 503: a store cannot be used.
    pub fn store_unavailable(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self::new(ProblemKind::StoreUnavailable, detail).after(retry_after)
    }

    /// 500: a mistake of this program. The cause goes to the log only.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed by a mistake of this program");
        Self::new(ProblemKind::Internal, "something failed here; the log has more under this request id")
    }

    /// The same, with a time to come back.
    #[must_use]
    pub fn after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// The same, blaming a field.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// What is answered where only a status is known.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::new(ProblemKind::Unauthorized, "send a valid API key"),
            403 => Self::new(ProblemKind::Forbidden, "this may not be done"),
            404 => Self::new(ProblemKind::NotFound, "there is nothing at this address; /docs lists what there is"),
            405 => Self::new(ProblemKind::MethodNotAllowed, "this address does not take this method"),
            406 => Self::new(ProblemKind::NotAcceptable, "nothing that can be sent is understood"),
            409 => Self::new(ProblemKind::Conflict, "this cannot be done as things are"),
            412 => Self::new(ProblemKind::PreconditionFailed, "the state has changed meanwhile"),
            413 => Self::new(ProblemKind::TooLarge, "the body is larger than this address takes"),
            415 => Self::new(ProblemKind::UnsupportedMedia, "the type of the body is not taken here"),
            428 => Self::new(ProblemKind::PreconditionRequired, "send If-Match"),
            s if s < 500 => Self::bad_request("the request cannot be read"),
            _ => Self::internal(format!("an answer with status {status} and nothing else")),
        }
    }

    /// Seconds for the `Retry-After` header: rounded up, at least one.
    fn retry_after_s(&self) -> Option<u64> {
        self.retry_after.map(|d| d.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1))
    }

    /// The answer.
    pub fn answer(&self, request_id: &str) -> HttpResponse {
        let status = self.kind.status();
        let retry_after_s = self.retry_after_s();
        let body = ProblemBody {
            kind: format!("/problems/{}", self.kind.slug()),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: self.detail.clone(),
            request_id: request_id.to_owned(),
            field: self.field.clone(),
            retry_after_s,
        };
        let mut answer = HttpResponse::build(status).json(body);
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == ProblemKind::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mouthpiece\""));
        }
        answer
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    /// Without the request's id, which the middleware puts in.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.answer("")
    }
}

impl From<RecordsError> for Problem {
    fn from(error: RecordsError) -> Self {
        tracing::error!(%error, "the records refused a request");
        let wait = Duration::from_secs(if error.is_retryable() { 2 } else { 60 });
        Self::store_unavailable("the record store cannot be used just now: try again later", wait)
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        tracing::error!(%error, "the artifact store refused a request");
        match error {
            BlobError::Full(_) => Self::store_unavailable("the artifact store is full", Duration::from_secs(60)),
            _ => Self::store_unavailable("the artifact store cannot be used just now", Duration::from_secs(2)),
        }
    }
}

impl From<FarmError> for Problem {
    fn from(error: FarmError) -> Self {
        let wait = match error {
            FarmError::Stopped => 5,
            FarmError::Overwhelmed => 1,
        };
        Self::new(ProblemKind::NoCapacity, error.to_string()).after(Duration::from_secs(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_a_slug_of_its_own_and_a_status() {
        let slugs: HashSet<_> = ProblemKind::ALL.iter().map(|k| k.slug()).collect();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::from_slug(kind.slug()), Some(kind));
            assert_eq!(kind.status().as_u16(), kind.table_row().1);
            assert!(kind.status().as_u16() >= 400 && !kind.title().is_empty() && !kind.remedy().is_empty());
        }
        assert_eq!(ProblemKind::from_slug("nonsense"), None);
    }

    #[test]
    fn waiting_is_told_in_whole_seconds_and_never_zero() {
        let wait = |ms| Problem::new(ProblemKind::OverQuota, "").after(Duration::from_millis(ms)).retry_after_s();
        assert_eq!((wait(0), wait(1), wait(1000), wait(1001)), (Some(1), Some(1), Some(1), Some(2)));
    }
}
