//! The page's session: a cookie that stands for a key.

use crate::http::Api;
use crate::http::auth::caller::{page_cookie, same_site};
use crate::http::auth::pages::COOKIE;
use crate::http::auth::{Caller, secret_hash};
use crate::http::dto::PageBody;
use crate::http::dto::requests::PageSessionRequest;
use crate::http::fields::{Fields, missing};
use crate::http::files::read_json;
use crate::http::problem::{Kind, Problem};
use actix_web::http::Version;
use actix_web::http::header::{FORWARDED, HOST, HeaderName, ORIGIN, SET_COOKIE, VIA, X_FORWARDED_FOR};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Whose session the page has: which key the cookie (or the bearer token) stands for.
#[utoipa::path(
    get, operation_id = "read_page_session", path = "/v1/page/session", tag = "page",
    responses((status = 200, description = "The key", body = PageBody)),
)]
pub async fn read(caller: Caller) -> HttpResponse {
    HttpResponse::Ok().json(PageBody::from(&*caller.key))
}

/// Opens the page's session with a key's secret.
#[utoipa::path(
    post, operation_id = "open_page_session", path = "/v1/page/session", tag = "page", request_body = PageSessionRequest,
    responses((status = 204, description = "It is open; the cookie is set")),
)]
pub async fn open(api: Data<Api>, req: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    same_site(&req)?;
    let fields = Fields::json(&read_json(&api, &req, payload).await?, &["key"])?;
    let hash = secret_hash(fields.text("key", 200)?.ok_or_else(|| missing("key"))?);
    if api.keys.find(api.records.as_ref(), &hash).await?.is_none() {
        let detail = "this API key is not valid: it was revoked or never existed";
        return Err(Problem::new(Kind::Unauthorized, detail).at("key"));
    }
    let token = api.pages.open(hash).map_err(Problem::internal)?;
    if let Some(old) = page_cookie(&req) {
        api.pages.close(&old);
    }
    Ok(HttpResponse::NoContent().insert_header((SET_COOKIE, cookie(&token, over_tls(&req)))).finish())
}

/// Closes the page's session.
#[utoipa::path(
    delete, operation_id = "close_page_session", path = "/v1/page/session", tag = "page",
    responses((status = 204, description = "It is closed; the cookie is gone")),
)]
pub async fn close(api: Data<Api>, req: HttpRequest) -> Result<HttpResponse, Problem> {
    same_site(&req)?;
    if let Some(token) = page_cookie(&req) {
        api.pages.close(&token);
    }
    let gone = format!("{}; Max-Age=0", cookie("", over_tls(&req)));
    Ok(HttpResponse::NoContent().insert_header((SET_COOKIE, gone)).finish())
}

fn cookie(token: &str, tls: bool) -> String {
    let secure = if tls { "; Secure" } else { "" };
    format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/{secure}")
}

/// The browser says so in its origin; behind a proxy this process cannot know otherwise.
fn over_tls(req: &HttpRequest) -> bool {
    req.headers().get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// A cookie for the first key, for who opens the page on this very machine and has no valid cookie yet.
pub(super) async fn cookie_for_visitor(api: &Api, req: &HttpRequest) -> Result<Option<String>, Problem> {
    if !api.settings.open_page_on_loopback || !on_this_machine(req) {
        return Ok(None);
    }
    if let Some(hash) = page_cookie(req).and_then(|token| api.pages.find(&token))
        && api.keys.find(api.records.as_ref(), &hash).await?.is_some()
    {
        return Ok(None);
    }
    let keys = api.records.keys().await?;
    let Some(first) = keys.into_iter().find(|k| k.revoked.is_none()) else { return Ok(None) };
    let token = api.pages.open(first.secret_hash).map_err(Problem::internal)?;
    Ok(Some(cookie(&token, false)))
}

/// True when the peer and the host that it asked for are this machine. The host matters because any site's name can be
/// made to lead here; a proxy's marks matter because behind it everybody seems to be here.
fn on_this_machine(req: &HttpRequest) -> bool {
    let proxied = [FORWARDED, X_FORWARDED_FOR, VIA, X_REAL_IP].iter().any(|h| req.headers().contains_key(h));
    let host = req.headers().get(HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let here = req.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    here && names_this_machine(host) && !proxied && req.version() >= Version::HTTP_11
}

fn names_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_this_machines_names_are_its_own() {
        for own in ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8000"] {
            assert!(names_this_machine(own), "{own}");
        }
        for other in ["", "example.com", "localhost.example.com", "127.0.0.1.example.com:80", "::1", "127.0.0.2", "a:b"]
        {
            assert!(!names_this_machine(other), "{other}");
        }
    }

    #[test]
    fn a_visitor_is_here_only_without_any_mark_of_a_proxy() {
        let local =
            || TestRequest::get().peer_addr("127.0.0.1:5000".parse().unwrap()).insert_header((HOST, "localhost"));
        assert!(on_this_machine(&local().to_http_request()));
        assert!(on_this_machine(&local().peer_addr("[::1]:5".parse().unwrap()).to_http_request()));
        assert!(!on_this_machine(&local().peer_addr("10.0.0.1:5".parse().unwrap()).to_http_request()));
        assert!(!on_this_machine(&local().insert_header((HOST, "example.com")).to_http_request()));
        assert!(!on_this_machine(&local().version(Version::HTTP_10).to_http_request()));
        for mark in [FORWARDED, X_FORWARDED_FOR, VIA, X_REAL_IP] {
            assert!(!on_this_machine(&local().insert_header((mark, "x")).to_http_request()));
        }
    }
}
