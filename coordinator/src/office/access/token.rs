//! Session tokens: the right to one live session, to be handed to whoever watches or speaks.
//!
//! `mps_` and base64url of: the session's id (16 bytes), when it expires (8 bytes, seconds since 1970, big endian), and the
//! first 16 bytes of HMAC-SHA256 over both. The key is the secret hash of the API key that made the session, so a token
//! needs no record of its own, every coordinator can check it, and revoking the API key ends it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_ports::records::ApiKey;
use sha2::Sha256;

/// What a token begins with.
const PREFIX: &str = "mps_";
const CLAIMS: usize = 24;
const SIGNATURE: usize = 16;
/// Characters of 40 bytes in base64url.
const CHARS: usize = 54;

/// A token as it was sent: what it says, and whether that is true is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionToken {
    /// The session that it is for.
    pub session: SessionId,
    /// When it expires, seconds since 1970.
    pub expires: u64,
    signature: [u8; SIGNATURE],
}

impl SessionToken {
    /// True for what wants to be a session's token, well formed or not.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// A new one; `None` never happens (this HMAC takes keys of any length).
    pub fn issue(key: &ApiKey, session: SessionId, expires: u64) -> Option<Self> {
        let whole = signed(key, &claims(session, expires))?.finalize().into_bytes();
        let signature = whole.first_chunk().copied()?;
        Some(Self { session, expires, signature })
    }

    /// Reads one; `None` when it is not well formed.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX).filter(|d| d.len() == CHARS)?;
        let bytes = URL_SAFE_NO_PAD.decode(digits).ok()?;
        let (claims, signature) = bytes.split_at_checked(CLAIMS)?;
        let (session, expires) = claims.split_at_checked(16)?;
        Some(Self {
            session: SessionId(u128::from_be_bytes(session.try_into().ok()?)),
            expires: u64::from_be_bytes(expires.try_into().ok()?),
            signature: signature.try_into().ok()?,
        })
    }

    /// True when this key's secret hash signed it. Takes as long for a wrong signature as for a right one.
    pub fn is_signed_by(&self, key: &ApiKey) -> bool {
        let mac = signed(key, &claims(self.session, self.expires));
        mac.is_some_and(|mac| mac.verify_truncated_left(&self.signature).is_ok())
    }

    /// The token as it is handed out.
    pub fn text(&self) -> String {
        let bytes = [&claims(self.session, self.expires)[..], &self.signature].concat();
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

fn claims(session: SessionId, expires: u64) -> [u8; CLAIMS] {
    let mut claims = [0; CLAIMS];
    let (first, second) = claims.split_at_mut(16);
    first.copy_from_slice(&session.0.to_be_bytes());
    second.copy_from_slice(&expires.to_be_bytes());
    claims
}

fn signed(key: &ApiKey, claims: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.secret_hash.as_bytes()).ok()?;
    mac.update(claims);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::ids::KeyId;
    use mouthpiece_domain::time::Wall;
    use proptest::prelude::*;

    fn key(hash: &str) -> ApiKey {
        ApiKey {
            id: KeyId(1),
            name: String::new(),
            secret_hash: hash.into(),
            scopes: Vec::new(),
            max_open: 1,
            minutes_per_day: None,
            created: Wall(0),
            revoked: None,
        }
    }

    #[test]
    fn a_token_is_what_its_description_says() {
        // Computed with another program's HMAC-SHA256.
        let token = SessionToken::issue(&key(&"ab".repeat(32)), SessionId(0x0102), 1_800_000_000).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&token.text()[4..]).unwrap();
        assert_eq!(bytes[..24], claims(SessionId(0x0102), 1_800_000_000));
        let signature = bytes[24..].iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(signature, "9e3fd793540ecef523a28a7f392da33f");
    }

    #[test]
    fn another_session_time_or_key_is_not_what_was_signed() {
        let own = key("own");
        let token = SessionToken::issue(&own, SessionId(7), 100).unwrap();
        assert!(token.is_signed_by(&own) && !token.is_signed_by(&key("other")));
        assert!(!SessionToken { session: SessionId(8), ..token }.is_signed_by(&own));
        assert!(!SessionToken { expires: 101, ..token }.is_signed_by(&own));
        for n in 0..16 {
            let mut forged = token;
            forged.signature[n] ^= 1;
            assert!(!forged.is_signed_by(&own));
        }
    }

    proptest! {
        #[test]
        fn a_token_reads_back(session: u128, expires: u64) {
            let token = SessionToken::issue(&key("own"), SessionId(session), expires).unwrap();
            prop_assert_eq!(SessionToken::read(&token.text()), Some(token));
            prop_assert_eq!(token.text().len(), 4 + CHARS);
        }

        #[test]
        fn one_token_has_one_spelling(text in "mps_[A-Za-z0-9_-]{54}") {
            if let Some(token) = SessionToken::read(&text) {
                prop_assert_eq!(token.text(), text);
            }
        }

        #[test]
        fn any_text_is_answered(text in ".*", tail in "[ -~]{0,60}") {
            let _ = (SessionToken::read(&text), SessionToken::read(&format!("mps_{tail}")));
        }
    }
}
