//! Pages of other sites may use a live session when they have its token.
//!
//! No cookie is ever allowed to them: `*` together with credentials is refused by browsers, and what the page's own cookie
//! authorises is answered without these headers.

use crate::http::auth::page_cookies;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, AUTHORIZATION, HeaderName, HeaderValue,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, Route, web};

/// The header of RFC 9725 (WHIP) and WHEP that says which bodies may be posted.
pub const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
/// The header of RFC 5789 that says which bodies may be patched.
pub const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

const EVERYBODY: HeaderValue = HeaderValue::from_static("*");
const TAKEN: HeaderValue = HeaderValue::from_static("authorization, content-type, if-match, x-request-id");
const SHOWN: HeaderValue =
    HeaderValue::from_static("location, etag, link, retry-after, x-request-id, accept-post, accept-patch, allow");
const A_DAY: HeaderValue = HeaderValue::from_static("86400");

/// The middleware of addresses that other sites' pages may use.
///
/// # Errors
/// None of its own.
pub async fn shared<B: MessageBody>(req: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    // A token in the query takes nothing away from the cookie: not every address reads it.
    let own_page = !page_cookies(req.request()).is_empty() && !req.headers().contains_key(AUTHORIZATION);
    let mut answer = next.call(req).await?;
    if !own_page {
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, EVERYBODY);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN);
    }
    Ok(answer)
}

/// The headers of [`shared`], to be kept when an answer is written anew.
pub const KEPT: [HeaderName; 2] = [ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS];

/// The answer to a browser that asks what it may do, and to a client that asks what is taken here.
pub fn preflight(methods: &'static str, accepts: Option<(HeaderName, &'static str)>) -> Route {
    web::method(actix_web::http::Method::OPTIONS).to(move || {
        let accepts = accepts.clone();
        async move {
            let mut answer = HttpResponse::NoContent();
            answer
                .insert_header((ALLOW, methods))
                .insert_header((ACCESS_CONTROL_ALLOW_METHODS, methods))
                .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, TAKEN))
                .insert_header((ACCESS_CONTROL_MAX_AGE, A_DAY));
            if let Some(accepts) = accepts {
                answer.insert_header(accepts);
            }
            answer.finish()
        }
    })
}
