//! Addresses as a caller resolves them: relative to the one that it asked, so that they hold below whatever prefix a proxy
//! puts before this server.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use std::convert::Infallible;
use std::future::{Ready, ready};

/// The path that was asked, as this server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPath(String);

impl RequestPath {
    /// The path of a request.
    pub fn of(req: &HttpRequest) -> Self {
        Self(req.path().to_owned())
    }

    /// A reference (RFC 3986) that leads from the asked path to another path of this server.
    pub fn to(&self, path: &str) -> String {
        let from: Vec<&str> = self.0.split('/').collect();
        let to: Vec<&str> = path.split('/').collect();
        // The last part of each is no folder.
        let folders = from.len().min(to.len()).saturating_sub(1);
        let shared = from.iter().zip(&to).take(folders).take_while(|(a, b)| a == b).count();
        let up = "../".repeat(from.len().saturating_sub(1 + shared));
        let down = to.get(shared..).unwrap_or_default().join("/");
        match (up.as_str(), down.as_str()) {
            ("", "") => "./".to_owned(),
            _ => format!("{up}{down}"),
        }
    }
}

impl FromRequest for RequestPath {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(req)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Url;

    #[test]
    fn an_address_is_told_from_where_was_asked() {
        for (asked, path, told) in [
            ("/v1/sessions", "/v1/sessions/a", "sessions/a"),
            ("/v1/sessions/a", "/v1/sessions/a/whep", "a/whep"),
            ("/v1/sessions/a/whep", "/v1/sessions/a/whep/b", "whep/b"),
            ("/v1/sessions/a/events", "/v1/renders/a/result", "../../renders/a/result"),
            ("/v1/events", "/v1/avatars/a/preview", "avatars/a/preview"),
            ("/v1/sessions/a", "/v1/sessions/a", "a"),
            ("/docs", "/docs/", "docs/"),
            ("/problems/a", "/docs/", "../docs/"),
            ("/docs/", "/docs/", "./"),
        ] {
            assert_eq!(RequestPath(asked.to_owned()).to(path), told, "{asked} to {path}");
        }
    }

    proptest! {
        #[test]
        fn it_leads_there_below_any_prefix(
            asked in "(/[a-z0-9_]{1,4}){1,5}/?",
            path in "(/[a-z0-9_]{1,4}){1,5}/?",
            prefix in "(/[a-z]{1,4}){0,3}",
        ) {
            let told = RequestPath(asked.clone()).to(&path);
            let from = Url::parse(&format!("https://farm.example{prefix}{asked}")).unwrap();
            prop_assert_eq!(from.join(&told).unwrap().path().to_owned(), format!("{prefix}{path}"));
        }
    }
}
