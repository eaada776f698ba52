//! Callers and visitors as handlers' arguments.

use super::credential::{credential, session_token, token_in_query, unauthorized};
use crate::http::problem::Problem;
use crate::http::shared_state;
use crate::office::access::{Access, AccessRefusal, Credential};
use crate::office::{Caller, SessionToken, Visitor};
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

/// A visitor of addresses that are opened without headers of one's own (a browser's WebSockets and streams of events, players
/// that know nothing but an address): there a session's token may also be the query's `token`.
#[derive(Debug, Clone)]
pub struct LinkedVisitor(pub Visitor);

/// As a handler's argument it refuses requests without a valid key (401), and requests that change something, have a cookie
/// and do not come from the page itself (403).
impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        extracted(req, credential(req), async |access: &Access, given| access.caller(given).await)
    }
}

/// As a handler's argument it refuses requests with neither a valid key nor a valid token of a session (401), with the token of
/// a revoked key (403), and with the page's cookie from elsewhere (403).
impl FromRequest for Visitor {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        extracted(req, credential(req), async |access: &Access, given| access.visitor(given).await)
    }
}

impl FromRequest for LinkedVisitor {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = match token_in_query(req).filter(|_| !req.headers().contains_key(AUTHORIZATION)) {
            Some(text) if SessionToken::is_one(&text) => session_token(&text),
            Some(_) => Err(unauthorized(
                "the query's `token` must be a session's token (mps_...); an API key's secret belongs into no address",
            )),
            None => credential(req),
        };
        extracted(req, found, async |access: &Access, given| access.visitor(given).await.map(Self))
    }
}

/// Who is found by a request's credential.
fn extracted<T: 'static>(
    req: &HttpRequest,
    found: Result<Credential, Problem>,
    who: impl AsyncFnOnce(&Access, Credential) -> Result<T, AccessRefusal> + 'static,
) -> LocalBoxFuture<'static, Result<T, Problem>> {
    let api = shared_state(req);
    Box::pin(async move { Ok(who(&api?.office.access, found?).await?) })
}
