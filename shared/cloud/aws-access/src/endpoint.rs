//! Addresses that stand for AWS's own.

use url::Url;

/// The address of a service, `http://HOST:PORT` or `https://HOST`; `None` for anything else: with a user or a password, which
/// would be shown with it, a path or a query.
pub fn plain_endpoint(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
    })
}
