//! Whether a request with the page's cookie was made by this server's own page.

use crate::http::problem::{Problem, ProblemKind};
use crate::http::shared_state;
use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderName, ORIGIN};

/// Set by browsers themselves towards addresses with TLS and this machine's own; no script can.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// True when the browser says that a page of another server asks, be it one on another port of this host: that may not even
/// read with this server's cookie.
pub fn comes_from_elsewhere(req: &HttpRequest) -> bool {
    let site = req.headers().get(SEC_FETCH_SITE).map(|value| value.to_str().unwrap_or_default());
    site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

/// Passes when the browser says that one of this server's own pages asks. What says nothing is no browser with its cookie,
/// and is refused: browsers name the origin whenever they change something or open a WebSocket.
///
/// # Errors
/// 403.
pub(in crate::http) fn same_site(req: &HttpRequest) -> Result<(), Problem> {
    let header = |name: HeaderName| req.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = header(SEC_FETCH_SITE) {
        // As the browser sees it, so it holds behind proxies that ask for another host.
        return if site == "same-origin" { Ok(()) } else { Err(elsewhere()) };
    }
    let Some(origin) = header(ORIGIN) else {
        let detail = "with a cookie only this server's own page may change things, and no Origin says that it asks: \
                      use 'Authorization: Bearer mp_...' instead";
        return Err(Problem::new(ProblemKind::Forbidden, detail));
    };
    let named = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let asked = header(HOST).filter(|host| !host.is_empty());
    let own = named.zip(asked).is_some_and(|(named, host)| named.eq_ignore_ascii_case(host));
    let public =
        || shared_state(req).is_ok_and(|api| api.settings.public_url.as_ref().is_some_and(|url| url.is_origin(origin)));
    if own || public() { Ok(()) } else { Err(elsewhere()) }
}

fn elsewhere() -> Problem {
    let detail = "the request comes from a page of another site: with a cookie only this server's own page may change \
                  things. Behind a proxy that asks for another host, set http.public_url to the address that the browser shows";
    Problem::new(ProblemKind::Forbidden, detail)
}
