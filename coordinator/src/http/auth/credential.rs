//! How a request says who calls: a bearer token, the page's cookie, or a session's token in the query.

use super::site::{comes_from_elsewhere, same_site};
use crate::http::problem::{Problem, ProblemKind};
use crate::http::shared_state;
use crate::office::SessionToken;
use crate::office::access::{Credential, looks_like_a_secret};
use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, COOKIE};

/// Values of the cookie that are looked at.
const MOST_COOKIES: usize = 4;

pub(super) fn unauthorized(detail: &str) -> Problem {
    Problem::new(ProblemKind::Unauthorized, detail)
}

/// A bearer token goes before a cookie: who sends one means it.
pub(super) fn credential(req: &HttpRequest) -> Result<Credential, Problem> {
    if let Some(header) = req.headers().get(AUTHORIZATION) {
        let malformed = || unauthorized("the Authorization header must be 'Bearer mp_...' with an API key's secret");
        let (scheme, secret) = header.to_str().ok().and_then(|h| h.split_once(' ')).ok_or_else(malformed)?;
        let secret = secret.trim();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(malformed());
        }
        if SessionToken::is_one(secret) {
            return session_token(secret);
        }
        return if looks_like_a_secret(secret) { Ok(Credential::Secret(secret.to_owned())) } else { Err(malformed()) };
    }
    let cookies = page_cookies(req);
    if cookies.is_empty() {
        return Err(unauthorized("send 'Authorization: Bearer mp_...' with an API key's secret"));
    }
    if !req.method().is_safe() || comes_from_elsewhere(req) {
        same_site(req)?;
    }
    Ok(Credential::Page(cookies))
}

/// A session's token by its text.
pub(super) fn session_token(text: &str) -> Result<Credential, Problem> {
    let malformed =
        || unauthorized("this session token is not well formed: take it whole from the session's `live.token`");
    SessionToken::read(text).map(Credential::Session).ok_or_else(malformed)
}

/// The values of the page's cookie. Mostly one; another server on this host can set more of the same name, which browsers send
/// first if their path is longer.
pub fn page_cookies(req: &HttpRequest) -> Vec<String> {
    let Ok(api) = shared_state(req) else { return Vec::new() };
    let own = api.settings.cookie_name();
    let headers = req.headers().get_all(COOKIE).filter_map(|h| h.to_str().ok());
    let pairs = headers.flat_map(|h| h.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let values = pairs.filter(|(name, value)| *name == own && !value.is_empty()).map(|(_, value)| value.to_owned());
    values.take(MOST_COOKIES).collect()
}

/// The query's `token`.
pub fn token_in_query(req: &HttpRequest) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(req.query_string().as_bytes());
    pairs.find(|(name, _)| name == "token").map(|(_, value)| value.into_owned())
}
