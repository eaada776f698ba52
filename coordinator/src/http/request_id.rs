//! Around every request: an id, a span, one line in the log, a measurement, and problems in their final form.

use super::Api;
use super::lifeline::Lifeline;
use super::live::cors;
use super::problem::Problem;
use crate::office::new_id;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    UPGRADE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use std::sync::Arc;
use std::time::Instant;
use tracing::{Instrument, Span, field::Empty};

/// The header that carries the id, both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// For what is no page: nothing of it may run.
const NOTHING_RUNS: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// The id of a request, among its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    /// The caller's own, if it is well formed; else a new one.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).and_then(|h| h.to_str().ok()).filter(|id| well_formed(id));
        Self(given.map_or_else(|| format!("{:032x}", new_id()).into(), Arc::from))
    }
}

/// 1 to 64 characters of `A-Z`, `a-z`, `0-9`, `.`, `_`, `-`: safe in headers, logs and file names.
fn well_formed(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// The middleware.
///
/// # Errors
/// None of its own.
pub async fn observe(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = RequestId::of(req.headers());
    let method = method_name(req.method());
    let span = tracing::info_span!("request", request_id = %id.0, method, route = Empty);
    req.extensions_mut().insert(id.clone());
    if !req.headers().contains_key(UPGRADE) {
        drop(req.conn_data::<Lifeline>().and_then(Lifeline::take));
    }
    let answer = next.call(req).instrument(span.clone()).await?.map_into_boxed_body();
    let _entered = span.enter();
    let mut answer = final_form(answer, &id);
    complete(answer.headers_mut(), &id);
    note(&answer, method, started, &span);
    Ok(answer)
}

/// Problems get the request's id, and refusals of the framework become problems.
fn final_form(answer: ServiceResponse, id: &RequestId) -> ServiceResponse {
    let status = answer.status();
    if !status.is_client_error() && !status.is_server_error() {
        return answer;
    }
    let problem = match answer.response().error() {
        Some(error) => error.as_error::<Problem>().cloned().unwrap_or_else(|| Problem::of_status(status)),
        None if answer.headers().contains_key(CONTENT_TYPE) => return answer,
        None => Problem::of_status(status),
    };
    let mut told = problem.answer(&id.0);
    for name in cors::KEPT.into_iter().chain([ALLOW]) {
        if let Some(value) = answer.headers().get(&name) {
            told.headers_mut().insert(name, value.clone());
        }
    }
    answer.into_response(told)
}

/// Headers that every answer carries.
fn complete(headers: &mut HeaderMap, id: &RequestId) {
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(REFERRER_POLICY) {
        // Addresses may hold a session's token: no site is told which one a browser came from.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, NOTHING_RUNS);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// One line, and one measurement. Paths are not logged: they carry ids and what else clients put there; patterns do not.
fn note(answer: &ServiceResponse, method: &'static str, started: Instant, span: &Span) {
    let route = answer.request().match_pattern().unwrap_or_else(|| "(none)".to_owned());
    let status = answer.status().as_u16();
    let spent = started.elapsed();
    span.record("route", route.as_str());
    let ms = spent.as_micros() as f64 / 1000.0;
    match answer.status() {
        s if s == StatusCode::SERVICE_UNAVAILABLE => tracing::warn!(status, ms, "answered"),
        s if s.is_server_error() => tracing::error!(status, ms, "answered"),
        _ if matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics") => tracing::debug!(status, ms, "answered"),
        _ => tracing::info!(status, ms, "answered"),
    }
    if let Some(api) = answer.request().app_data::<web::Data<Api>>() {
        api.metrics.observe_request(&route, method, status, spent.as_secs_f64());
    }
}

/// Methods by name; those that nobody registered share one, so that a client cannot make up metrics.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_id_is_kept() {
        for good in ["a", "A-Z_0.9", &"x".repeat(64)] {
            assert!(well_formed(good), "{good}");
        }
        for bad in ["", " ", "a b", "ä", "a/b", "a\n", &"x".repeat(65)] {
            assert!(!well_formed(bad), "{bad}");
        }
    }
}
