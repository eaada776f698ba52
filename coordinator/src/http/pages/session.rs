//! The page's session: a cookie that stands for a key.

use crate::http::Api;
use crate::http::auth::site::same_site;
use crate::http::auth::{Caller, page_cookies};
use crate::http::dto::PageBody;
use crate::http::dto::requests::PageSessionRequest;
use crate::http::fields::{Fields, missing};
use crate::http::files::read_json;
use crate::http::problem::Problem;
use actix_web::http::header::{ORIGIN, SET_COOKIE};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

/// Browsers keep no cookie for longer, seconds. How long it is worth something is decided here ([`crate::office::access`]).
const COOKIE_S: u32 = 400 * 86_400;

/// Whose session the page has: which key the cookie (or the bearer token) stands for.
#[utoipa::path(
    get, operation_id = "read_page_session", path = "/v1/page/session", tag = "page",
    responses((status = 200, description = "The key", body = PageBody)),
)]
pub async fn read(caller: Caller) -> HttpResponse {
    HttpResponse::Ok().json(PageBody::from(&*caller.key))
}

/// Opens the page's session with a key's secret, or with the secret of a link that `mouthpiece up` or `mouthpiece page-link`
/// printed, which is used up with that. Only the page itself may ask: a browser must name this server as the origin.
#[utoipa::path(
    post, operation_id = "open_page_session", path = "/v1/page/session", tag = "page", request_body = PageSessionRequest,
    responses((status = 204, description = "It is open; the cookie is set")),
)]
pub async fn open(api: Data<Api>, req: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let fields = Fields::json(&read_json(&api, &req, payload).await?, &["key", "link"])?;
    same_site(&req)?;
    let key = match (fields.text("key", 200)?, fields.text("link", 200)?) {
        (Some(secret), None) => {
            api.office.access.key_of_secret(secret).await.map_err(|refusal| Problem::from(refusal).at("key"))?
        }
        (None, Some(link)) => api.office.access.follow_link(link).await?,
        (None, None) => return Err(missing("key")),
        (Some(_), Some(_)) => return Err(Problem::invalid("link", "link and key: give one of them, not both")),
    };
    let token = api.office.access.open_page(&key).await?;
    for old in page_cookies(&req) {
        api.office.access.close_page(&old).await?;
    }
    Ok(HttpResponse::NoContent().insert_header((SET_COOKIE, cookie(&api, &req, &token, COOKIE_S))).finish())
}

/// Closes the page's session.
#[utoipa::path(
    delete, operation_id = "close_page_session", path = "/v1/page/session", tag = "page",
    responses((status = 204, description = "It is closed; the cookie is gone")),
)]
pub async fn close(api: Data<Api>, req: HttpRequest) -> Result<HttpResponse, Problem> {
    same_site(&req)?;
    for token in page_cookies(&req) {
        api.office.access.close_page(&token).await?;
    }
    Ok(HttpResponse::NoContent().insert_header((SET_COOKIE, cookie(&api, &req, "", 0))).finish())
}

/// The cookie for the place where the browser says that it is. It cannot lie in favour of another: whom it lies about gets
/// no cookie.
fn cookie(api: &Api, req: &HttpRequest, token: &str, lasts_s: u32) -> String {
    let origin = req.headers().get(ORIGIN).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let public = api.settings.public_url.as_ref().filter(|url| url.is_origin(origin));
    let path = public.map_or("/", |url| url.path());
    let secure = if origin.starts_with("https://") { "; Secure" } else { "" };
    let name = api.settings.cookie_name();
    format!("{name}={token}; HttpOnly; SameSite=Strict; Path={path}; Max-Age={lasts_s}{secure}")
}
