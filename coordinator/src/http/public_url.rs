//! Where callers reach this server when they do not reach it as itself: through a proxy, with TLS, below a prefix.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use url::Url;

/// An address with `http` or `https`, a host and a path that ends with a slash; nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl(Url);

/// Why an address cannot be the public one.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum PublicUrlError {
    /// Not an address.
    #[error("'{0}' is no address: write it as the browser shows it, such as \"https://farm.example/avatar/\"")]
    Malformed(String),
    /// Another scheme.
    #[error("'{0}' must begin with http:// or https://")]
    Scheme(String),
    /// More than an address of a place.
    #[error("'{0}' must be scheme, host and path only: no login, no '?', no '#', no ';'")]
    More(String),
}

impl PublicUrl {
    /// True for this address's origin, as browsers write it.
    pub fn is_origin(&self, origin: &str) -> bool {
        self.0.origin().ascii_serialization().eq_ignore_ascii_case(origin)
    }

    /// The path; it begins and ends with a slash.
    pub fn path(&self) -> &str {
        self.0.path()
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let shown = || text.chars().take(200).collect::<String>();
        let mut url = Url::parse(text).map_err(|_| PublicUrlError::Malformed(shown()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(PublicUrlError::Scheme(shown()));
        }
        let login = !url.username().is_empty() || url.password().is_some();
        // A semicolon would end the path of a cookie.
        if login || url.query().is_some() || url.fragment().is_some() || url.path().contains(';') {
            return Err(PublicUrlError::More(shown()));
        }
        if !url.path().ends_with('/') {
            let folder = format!("{}/", url.path());
            url.set_path(&folder);
        }
        Ok(Self(url))
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = PublicUrlError;

    fn try_from(text: String) -> Result<Self, PublicUrlError> {
        text.parse()
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0.into()
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_place() {
        for (text, told, origin) in [
            ("https://farm.example", "https://farm.example/", "https://farm.example"),
            ("HTTPS://Farm.example:443/avatar", "https://farm.example/avatar/", "https://farm.example"),
            ("http://10.0.0.5:8080/a/b/", "http://10.0.0.5:8080/a/b/", "http://10.0.0.5:8080"),
            ("http://[::1]:8000/", "http://[::1]:8000/", "http://[::1]:8000"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), told);
            assert!(url.is_origin(origin) && !url.is_origin("https://elsewhere.example") && !url.is_origin("null"));
        }
        for (text, words) in [
            ("farm.example", "is no address"),
            ("/avatar/", "is no address"),
            ("https://", "is no address"),
            ("ftp://farm.example/", "must begin with http"),
            ("https://me@farm.example/", "no login"),
            ("https://farm.example/?a=1", "no '?'"),
            ("https://farm.example/#a", "no '#'"),
            ("https://farm.example/a;b", "no ';'"),
        ] {
            let refused = text.parse::<PublicUrl>().unwrap_err().to_string();
            assert!(refused.contains(words) && refused.contains(text), "{refused}");
        }
    }
}
