//! Sending a stored file: whole, in part, or not at all when the caller has it.

use super::Api;
use super::problem::{PROBLEM_JSON, Problem, ProblemBody};
use super::request_id::RequestId;
use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, ByteRangeSpec, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE, Range,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::{BlobError, BlobReader, LinkHeaders};
use std::io;
use std::time::Duration;

/// A stored file and how it is told.
pub struct DownloadFile<'a> {
    /// Where it lies.
    pub blob: &'a BlobKey,
    /// Its size on record, where there is one.
    pub bytes: Option<u64>,
    /// What to do when it is not there any more, or damaged.
    pub remedy: &'static str,
    /// What it is.
    pub media_type: &'a str,
    /// Changes when its content does; in quotes.
    pub etag: String,
    /// Shown or saved, and its name.
    pub disposition: Option<String>,
    /// It may be fetched from the store itself, where that is set.
    pub by_link: bool,
}

/// A link holds for so long: a player that seeks asks for another one.
const LINK_LIFETIME: Duration = Duration::from_secs(600);

/// Sends a file.
///
/// # Errors
/// 404 when it is gone from the store, 503 when the store cannot be used.
pub async fn send(api: &Api, req: &HttpRequest, file: &DownloadFile<'_>) -> Result<HttpResponse, Problem> {
    let found = api.office.blobs.size(file.blob).await?;
    let Some(size) = found.filter(|size| file.bytes.is_none_or(|bytes| bytes == *size)) else {
        tracing::error!(blob = %file.blob, recorded = ?file.bytes, ?found, "a file on record is not in the store as it was put there");
        return Err(gone(file));
    };
    if names_etag(req, IF_NONE_MATCH, &file.etag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, file.etag.as_str())).finish());
    }
    if file.by_link && req.method() == Method::GET && api.settings.link_origin.is_some() {
        let headers = LinkHeaders { media_type: file.media_type.to_owned(), disposition: file.disposition.clone() };
        if let Some(link) = api.office.blobs.link(file.blob, LINK_LIFETIME, &headers).await? {
            let mut answer = HttpResponse::TemporaryRedirect();
            return Ok(answer
                .insert_header((LOCATION, link))
                .insert_header((CACHE_CONTROL, "private, no-store"))
                .finish());
        }
    }
    let part = match wanted(req, file, size) {
        Part::Whole => None,
        Part::Of(from, to) => Some((from, to)),
        Part::Outside => return Ok(outside(req, size)),
    };
    let (from, length) = part.map_or((0, size), |(from, to)| (from, to - from + 1));
    let body: BoxStream<'static, io::Result<Bytes>> = if req.method() == Method::HEAD || length == 0 {
        stream::empty().boxed()
    } else {
        let reader = api.office.blobs.read(file.blob, from, length).await;
        pieces(reader.map_err(|e| match e {
            BlobError::Missing(_) => gone(file),
            e => Problem::from(e),
        })?)
    };
    let mut answer = HttpResponse::build(if part.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    answer
        .insert_header((CONTENT_TYPE, file.media_type))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((ETAG, file.etag.as_str()));
    if let Some(disposition) = &file.disposition {
        answer.insert_header((CONTENT_DISPOSITION, disposition.as_str()));
    }
    if let Some((from, to)) = part {
        answer.insert_header((CONTENT_RANGE, format!("bytes {from}-{to}/{size}")));
    }
    Ok(answer.body(SizedStream::new(length, body)))
}

fn gone(file: &DownloadFile<'_>) -> Problem {
    Problem::not_found(format!("such file in the store as it was put there: {}", file.remedy))
}

fn pieces(reader: Box<dyn BlobReader>) -> BoxStream<'static, io::Result<Bytes>> {
    let next = |mut reader: Box<dyn BlobReader>| async move {
        let piece = reader.next().await.map_err(io::Error::other).transpose()?;
        Some((piece, reader))
    };
    stream::unfold(reader, next).boxed()
}

enum Part {
    Whole,
    Of(u64, u64),
    Outside,
}

/// The part that is asked for. Several parts, other units, what is malformed and what depends on an older state are answered
/// with the whole, as the standard allows.
fn wanted(req: &HttpRequest, file: &DownloadFile<'_>, size: u64) -> Part {
    let Some(asked) = req.headers().get(RANGE).and_then(|h| h.to_str().ok()) else { return Part::Whole };
    if req.headers().contains_key(IF_RANGE) && !names_etag(req, IF_RANGE, &file.etag) {
        return Part::Whole;
    }
    match asked.parse::<Range>() {
        Ok(Range::Bytes(parts)) => match parts.as_slice() {
            [ByteRangeSpec::FromTo(from, to)] if from > to => Part::Whole,
            [part] => part.to_satisfiable_range(size).map_or(Part::Outside, |(from, to)| Part::Of(from, to)),
            _ => Part::Whole,
        },
        _ => Part::Whole,
    }
}

fn names_etag(req: &HttpRequest, header: HeaderName, etag: &str) -> bool {
    let named = req.headers().get(header).and_then(|h| h.to_str().ok()).unwrap_or_default();
    named.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
}

/// 416. It has no kind of its own: the request is wrong for a file of this size.
fn outside(req: &HttpRequest, size: u64) -> HttpResponse {
    let id = req.extensions().get::<RequestId>().map(|id| id.0.to_string());
    let body = ProblemBody {
        kind: "/problems/bad-request".to_owned(),
        title: "The file has no such part",
        status: 416,
        detail: format!("the range lies outside of the file, which has {size} bytes"),
        request_id: id.unwrap_or_default(),
        field: Some("Range".to_owned()),
        retry_after_s: None,
    };
    HttpResponse::RangeNotSatisfiable()
        .insert_header((CONTENT_RANGE, format!("bytes */{size}")))
        .insert_header((CONTENT_TYPE, PROBLEM_JSON))
        .json(body)
}
