//! The page's files, embedded in the binary.

use super::taken;
use super::{guarded, with_videos_from};
use crate::http::Api;
use crate::http::problem::Problem;
use crate::office::hex;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/web.rs"));

/// The repository's samples, for the first visit.
static SAMPLES: &[(&str, &[u8])] = &[
    ("samples/officer.jpg", include_bytes!("../../../../samples/officer.jpg")),
    ("samples/portrait.png", include_bytes!("../../../../samples/portrait.png")),
    ("samples/speech.wav", include_bytes!("../../../../samples/speech.wav")),
];

struct Asset {
    content: &'static [u8],
    media_type: &'static str,
    etag: String,
}

static ASSETS: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    let asset = |(path, content): &(&'static str, &'static [u8])| {
        let etag = hex(&Sha256::digest(content)).chars().take(16).collect::<String>();
        (*path, Asset { content, media_type: media_type(path), etag: format!("\"{etag}\"") })
    };
    let made = [(taken::PATH, taken::MODULE.as_bytes())];
    WEB.iter().chain(SAMPLES).chain(&made).map(asset).collect()
});

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        Some("wav") => "audio/wav",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    }
}

/// The page. It is the same for everybody, and holds nothing of this farm but where videos may come from.
pub async fn page(api: Data<Api>) -> Result<HttpResponse, Problem> {
    let index = ASSETS.get("index.html").ok_or_else(|| Problem::internal("the page is not in the binary"))?;
    let mut answer = HttpResponse::Ok();
    guarded(&mut answer).insert_header((CONTENT_TYPE, index.media_type)).insert_header((CACHE_CONTROL, "no-cache"));
    if let Some(origin) = &api.settings.link_origin {
        answer.insert_header((CONTENT_SECURITY_POLICY, with_videos_from(origin)));
    }
    Ok(answer.body(index.content))
}

/// A file of the page.
pub async fn asset(path: Path<String>, req: HttpRequest) -> Result<HttpResponse, Problem> {
    let asset = ASSETS.get(path.as_str()).ok_or_else(|| Problem::not_found("such file of the page"))?;
    let known = req.headers().get(IF_NONE_MATCH).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let fresh = known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag);
    let mut answer = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    guarded(&mut answer).insert_header((CACHE_CONTROL, "no-cache")).insert_header((ETAG, asset.etag.as_str()));
    // The client library may be imported by pages of other sites; it holds nothing of this farm.
    if path.starts_with("live/") {
        answer.insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    }
    if fresh {
        return Ok(answer.finish());
    }
    Ok(answer.insert_header((CONTENT_TYPE, asset.media_type)).body(asset.content))
}
