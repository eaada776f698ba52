//! Where callers find a worker: `wss://host[:port][/prefix]`, as a proxy or the worker itself answers there.

use crate::address::WorkerAddress;
use mouthpiece_domain::ids::SessionId;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Characters of an address, at most.
const LONGEST: usize = 300;

/// An address that is none.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error(
    "'{0}' is no address for callers: it must be wss://host, with a port and a path if need be, or ws:// in a private network"
)]
pub struct CallersUrlError(String);

/// A worker's public address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallersUrl {
    is_secure: bool,
    /// Host, and port where one is named.
    authority: String,
    /// What a proxy puts before the paths: empty, or `/...` without a slash at its end.
    prefix: String,
}

impl FromStr for CallersUrl {
    type Err = CallersUrlError;

    fn from_str(text: &str) -> Result<Self, CallersUrlError> {
        let refuse = || CallersUrlError(text.chars().filter(|c| !c.is_control()).take(80).collect());
        let (is_secure, rest) = match (text.strip_prefix("wss://"), text.strip_prefix("ws://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(refuse()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let prefix = path.trim_end_matches('/');
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~');
        if text.len() > LONGEST || !prefix.bytes().all(plain) || prefix.split('/').any(|part| part == "..") {
            return Err(refuse());
        }
        // Port 0 stands for the one that is taken; a host alone has its scheme's.
        let with_port = match authority.strip_suffix(":0") {
            Some(host) => format!("{host}:1"),
            None if authority.ends_with(']') || !authority.contains(':') => format!("{authority}:1"),
            None => authority.to_owned(),
        };
        with_port.parse::<WorkerAddress>().map_err(|_| refuse())?;
        Ok(Self { is_secure, authority: authority.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for CallersUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority, self.prefix)
    }
}

impl CallersUrl {
    /// What is on the way there cannot be read.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// With the port that was taken, where it names port 0.
    pub(crate) fn at(mut self, port: u16) -> Self {
        if let Some(host) = self.authority.strip_suffix(":0") {
            self.authority = format!("{host}:{port}");
        }
        self
    }

    /// Where a session is spoken in by whoever has a ticket.
    pub(crate) fn audio(&self, session: SessionId, ticket: &str) -> String {
        format!("{self}/v1/sessions/{session}/audio?ticket={ticket}")
    }

    /// The session in a request's path, whether or not a proxy took the prefix away.
    pub(crate) fn session_in(&self, path: &str) -> Option<SessionId> {
        let path = path.strip_prefix(&self.prefix).unwrap_or(path);
        path.strip_prefix("/v1/sessions/")?.strip_suffix("/audio")?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_host_and_perhaps_a_port_and_a_path() {
        let session = SessionId(7);
        for good in
            ["wss://w1.example.org", "wss://w1.example.org:8443", "ws://10.0.0.7:9000/farm/w1", "wss://[fd00::7]"]
        {
            let url: CallersUrl = good.parse().unwrap();
            assert_eq!((url.to_string(), url.is_secure()), (good.to_owned(), good.starts_with("wss")));
            let address = url.audio(session, "T");
            let path = address.strip_prefix("wss://").or(address.strip_prefix("ws://")).unwrap();
            let path = &path[path.find('/').unwrap()..path.find('?').unwrap()];
            assert_eq!(url.session_in(path), Some(session), "{path}");
            assert_eq!(
                url.session_in(&format!("/v1/sessions/{session}/audio")),
                Some(session),
                "the prefix was taken away"
            );
        }
        let url: CallersUrl = "wss://w:0/".parse().unwrap();
        assert_eq!(url.at(81).to_string(), "wss://w:81");
        let url: CallersUrl = "wss://w:443".parse().unwrap();
        assert_eq!(url.at(81).to_string(), "wss://w:443");
        for bad in ["/v1/sessions/x/audio", "/v1/sessions//audio", "/", "", "/v2/sessions/ses_1/audio"] {
            assert_eq!("wss://w".parse::<CallersUrl>().unwrap().session_in(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_else_there_is_is_refused() {
        for bad in [
            "",
            "w",
            "https://w",
            "wss://",
            "wss:///x",
            "wss://u:p@w",
            "wss://w:x",
            "wss://w:70000",
            "wss://w?x=1",
            "wss://w/x?y",
            "wss://w/#x",
            "wss://w/a b",
            "wss://w/../x",
            "wss://w\r\n",
            "WSS://w",
            "wss://fd00::7",
        ] {
            assert!(bad.parse::<CallersUrl>().is_err(), "{bad}");
        }
        assert!(format!("wss://w/{}", "x".repeat(300)).parse::<CallersUrl>().is_err());
    }
}
