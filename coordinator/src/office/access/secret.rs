//! Secrets: made here, kept by their owner, recognised by their hash.

use super::KeyScope;
use crate::office::{new_id, now};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mouthpiece_domain::ids::KeyId;
use mouthpiece_ports::records::{ApiKey, KeyRegister, RecordsError};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use thiserror::Error;

/// What a secret begins with.
const PREFIX: &str = "mp_";
/// Characters of 32 bytes in base64url.
const CHARS: usize = 43;

/// Why a key cannot be made.
#[derive(Debug, Error)]
pub enum KeyError {
    /// It cannot be recorded.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl From<getrandom::Error> for KeyError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

/// 32 random bytes as 43 characters of base64url.
///
/// # Errors
/// The system gives no random bytes.
pub(super) fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A new secret: `mp_` and 43 characters.
///
/// # Errors
/// The system gives no random bytes.
pub fn new_secret() -> Result<String, getrandom::Error> {
    Ok(format!("{PREFIX}{}", random_token()?))
}

/// What is recorded of a secret: its SHA-256 as 64 hexadecimal digits.
pub fn secret_hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, b| {
        let _ = write!(text, "{b:02x}"); // writing to a String cannot fail
        text
    })
}

/// True for what may be a secret: anything else is refused without a look at the records.
pub fn looks_like_a_secret(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(looks_random)
}

/// True for what may be 32 random bytes.
pub(super) fn looks_random(text: &str) -> bool {
    text.len() == CHARS && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Makes the first key, with every scope, if there is no valid key yet. Returns it with its secret, which is told this once.
///
/// # Errors
/// [`KeyError`].
pub async fn create_first_key(
    register: &dyn KeyRegister,
    name: &str,
    max_open: u32,
) -> Result<Option<(ApiKey, String)>, KeyError> {
    if register.keys().await?.iter().any(|key| key.revoked.is_none()) {
        return Ok(None);
    }
    let secret = new_secret()?;
    let key = ApiKey {
        id: KeyId(new_id()),
        name: name.to_owned(),
        secret_hash: secret_hash(&secret),
        scopes: KeyScope::ALL.iter().map(|s| s.name().to_owned()).collect(),
        max_open,
        minutes_per_day: None,
        created: now(),
        revoked: None,
    };
    register.add_key(&key).await?;
    Ok(Some((key, secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_look_like_secrets() {
        let (a, b) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.len(), 46);
        assert!(looks_like_a_secret(&a) && looks_like_a_secret(&b));
        for other in ["", "mp_", "mp_short", &a[1..], &format!("{a}A"), &a.replace("mp_", "xx_")] {
            assert!(!looks_like_a_secret(other), "{other}");
        }
        assert!(!looks_like_a_secret(&format!("mp_{}", "ä".repeat(43))));
    }

    #[test]
    fn a_hash_is_sha_256_in_hexadecimal() {
        assert_eq!(secret_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
