//! ICE servers: where viewers learn their public address (STUN) or have their media relayed (TURN).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use mouthpiece_domain::ids::SessionId;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use std::fmt;
use thiserror::Error;

/// Servers, and addresses of one server.
const MOST: usize = 8;
/// Characters of an address, a name or a password.
const CHARS: usize = 300;
/// Credentials of a shared secret last for so long if nothing is said: longer than a session.
const DAY_S: u64 = 24 * 3600;
/// Less would expire while a viewer connects.
const SHORTEST_S: u64 = 60;

/// A STUN or TURN server. One for TURN has either a name and a password, or a secret that is shared with it (coturn's
/// `use-auth-secret`), from which each session gets credentials of its own that expire.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServer {
    /// `stun:`, `stuns:`, `turn:` or `turns:` addresses; 1 to 8.
    pub urls: Vec<String>,
    /// The name, where it is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password, where it is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The shared secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// How long credentials made from the secret last, seconds; 60 or more.
    #[serde(default = "a_day")]
    pub ttl_s: u64,
}

fn a_day() -> u64 {
    DAY_S
}

/// Passwords and secrets are in no log.
impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).field("ttl_s", &self.ttl_s).finish_non_exhaustive()
    }
}

/// What a viewer needs to use an ICE server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceAccess {
    /// Its addresses.
    pub urls: Vec<String>,
    /// The name for it, where it needs one.
    pub username: Option<String>,
    /// The password for it, where it needs one.
    pub credential: Option<String>,
}

/// Why an ICE server cannot be told.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum IceServerError {
    /// Too many servers, or a server with too few or too many addresses.
    #[error("ice_servers: at most {MOST} servers, each with 1 to {MOST} urls")]
    Count,
    /// Not an address of an ICE server.
    #[error("ice_servers: '{0}' must be stun:, stuns:, turn: or turns: and a host, without spaces or quotes")]
    Url(String),
    /// A TURN server without credentials, or with too many.
    #[error("ice_servers: '{0}' must have a username and a credential, or a secret, and not both")]
    Credentials(String),
    /// A name, password or secret that cannot be written into a header.
    #[error("ice_servers: the username and credential of '{0}' must be printable ASCII without quotes and backslashes")]
    Unprintable(String),
    /// Credentials would expire at once.
    #[error("ice_servers: ttl_s of '{0}' must be at least {SHORTEST_S}")]
    Ttl(String),
}

/// Passes when all can be told.
///
/// # Errors
/// [`IceServerError`].
pub fn check(servers: &[IceServer]) -> Result<(), IceServerError> {
    if servers.len() > MOST {
        return Err(IceServerError::Count);
    }
    servers.iter().try_for_each(IceServer::check)
}

/// What a session's viewers are told; `at` in seconds since 1970.
pub fn access(servers: &[IceServer], session: SessionId, at: u64) -> Vec<IceAccess> {
    servers.iter().map(|s| s.access(session, at)).collect()
}

impl IceServer {
    fn check(&self) -> Result<(), IceServerError> {
        if !(1..=MOST).contains(&self.urls.len()) {
            return Err(IceServerError::Count);
        }
        if let Some(url) = self.urls.iter().find(|url| !is_address(url)) {
            return Err(IceServerError::Url(url.chars().take(60).collect()));
        }
        let first = || self.urls.first().cloned().unwrap_or_default();
        let fixed = self.username.is_some() || self.credential.is_some();
        let halved = self.username.is_some() != self.credential.is_some();
        let relays = self.urls.iter().any(|url| url.starts_with("turn"));
        if halved || (fixed && self.secret.is_some()) || (relays && !fixed && self.secret.is_none()) {
            return Err(IceServerError::Credentials(first()));
        }
        if [&self.username, &self.credential].into_iter().flatten().any(|text| !is_quotable(text))
            || self.secret.as_ref().is_some_and(|s| s.is_empty() || s.len() > CHARS)
        {
            return Err(IceServerError::Unprintable(first()));
        }
        if self.secret.is_some() && self.ttl_s < SHORTEST_S {
            return Err(IceServerError::Ttl(first()));
        }
        Ok(())
    }

    fn access(&self, session: SessionId, at: u64) -> IceAccess {
        let credentials = match &self.secret {
            Some(secret) => {
                let name = format!("{}:{session}", at.saturating_add(self.ttl_s));
                let word = password(secret, &name);
                (Some(name), word)
            }
            None => (self.username.clone(), self.credential.clone()),
        };
        IceAccess { urls: self.urls.clone(), username: credentials.0, credential: credentials.1 }
    }
}

/// base64(HMAC-SHA1(secret, name)), as the TURN REST scheme has it.
fn password(secret: &str, name: &str) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(name.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

fn is_address(url: &str) -> bool {
    let host = ["stun:", "stuns:", "turn:", "turns:"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\');
    host.is_some_and(|h| !h.is_empty() && url.len() <= CHARS && h.bytes().all(plain))
}

fn is_quotable(text: &str) -> bool {
    let plain = |b: u8| (b == b' ' || b.is_ascii_graphic()) && !matches!(b, b'"' | b'\\');
    !text.is_empty() && text.len() <= CHARS && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> IceServer {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_shared_secret_makes_credentials_that_expire() {
        let turn = server(r#"{"urls":["turn:turn.example.com:3478?transport=udp"],"secret":"north","ttl_s":600}"#);
        check(std::slice::from_ref(&turn)).unwrap();
        let told = &access(&[turn], SessionId(1), 1_800_000_000)[0];
        assert_eq!(told.username.as_deref(), Some("1800000600:ses_00000000000000000000000000000001"));
        // Computed with another program's HMAC-SHA1.
        assert_eq!(told.credential.as_deref(), Some("ozwPcJfCf5v02E8NVaHav/2BbPg="));
    }

    #[test]
    fn what_cannot_be_told_is_refused_by_name() {
        for (text, part) in [
            (r#"{"urls":[]}"#, "1 to 8"),
            (r#"{"urls":["http://a.example"]}"#, "'http://a.example'"),
            (r#"{"urls":["stun:"]}"#, "'stun:'"),
            (r#"{"urls":["stun:a b"]}"#, "'stun:a b'"),
            (r#"{"urls":["stun:a>; rel=x"]}"#, "without spaces or quotes"),
            (r#"{"urls":["turn:a"]}"#, "or a secret"),
            (r#"{"urls":["turn:a"],"username":"u"}"#, "or a secret"),
            (r#"{"urls":["turn:a"],"username":"u","credential":"p","secret":"s"}"#, "not both"),
            (r#"{"urls":["turn:a"],"username":"u\"","credential":"p"}"#, "printable"),
            (r#"{"urls":["turn:a"],"username":"u","credential":"p\n"}"#, "printable"),
            (r#"{"urls":["turn:a"],"secret":"s","ttl_s":59}"#, "at least 60"),
        ] {
            let refused = check(&[server(text)]).unwrap_err().to_string();
            assert!(refused.contains(part), "{text}: {refused}");
        }
        assert_eq!(check(&vec![server(r#"{"urls":["stun:a"]}"#); 9]), Err(IceServerError::Count));
        assert!(serde_json::from_str::<IceServer>(r#"{"urls":["stun:a"],"url":"x"}"#).is_err());
    }

    #[test]
    fn secrets_are_in_no_log() {
        let text = format!("{:?}", server(r#"{"urls":["turn:a"],"secret":"north"}"#));
        assert!(text.contains("turn:a") && !text.contains("north"), "{text}");
    }
}
