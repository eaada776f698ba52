//! The farm's secret: whoever knows it is a coordinator or a worker of this farm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::path::Path;
use thiserror::Error;

/// Bytes of a secret, at least.
pub const SHORTEST_SECRET: usize = 32;
/// Secrets that are valid at a time: the current one, and one that comes or goes.
pub const MOST_SECRETS: usize = 2;
/// Bytes of a message authentication code.
pub(crate) const MAC: usize = 32;

/// Why there is no secret. None of these tells anything of it.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum SecretError {
    /// Nothing is there.
    #[error("the farm secret is empty: write a line of at least {SHORTEST_SECRET} random characters")]
    Empty,
    /// It can be guessed.
    #[error("farm secret {line} has {bytes} bytes: it must have at least {SHORTEST_SECRET}")]
    Short {
        /// Which of them, counted from 1.
        line: usize,
        /// Its length.
        bytes: usize,
    },
    /// A rotation has two.
    #[error("there are {0} farm secrets: at most {MOST_SECRETS} may be valid at a time, one a line")]
    TooMany(usize),
    /// Two secrets cannot be told apart.
    #[error("both farm secrets have the same key id: make another one")]
    Same,
    /// The file cannot be read.
    #[error("the file of the farm secret cannot be read: {0}")]
    File(String),
    /// The environment does not have it.
    #[error("the environment variable {0} is not set, or is not a text: it must hold the farm secret")]
    Environment(String),
}

/// Tells the valid secrets apart; says nothing about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub(crate) [u8; 4]);

struct Secret {
    id: KeyId,
    key: Box<[u8]>,
}

/// The valid secrets. The first one signs, each of them is believed.
///
/// To change it without an interruption: write the new one as the second line everywhere, then as the first one, then alone.
pub struct FarmSecrets(Vec<Secret>);

impl fmt::Debug for FarmSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|secret| secret.id)).finish()
    }
}

impl FarmSecrets {
    /// One secret a line; white space around it and empty lines do not count.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.len() > MOST_SECRETS {
            return Err(SecretError::TooMany(lines.len()));
        }
        let mut secrets: Vec<Secret> = Vec::new();
        for (n, line) in lines.iter().enumerate() {
            if line.len() < SHORTEST_SECRET {
                return Err(SecretError::Short { line: n + 1, bytes: line.len() });
            }
            let id = key_id(line.as_bytes());
            if secrets.iter().any(|secret| secret.id == id) {
                return Err(SecretError::Same);
            }
            secrets.push(Secret { id, key: line.as_bytes().into() });
        }
        if secrets.is_empty() { Err(SecretError::Empty) } else { Ok(Self(secrets)) }
    }

    /// Reads them from a file.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let text = std::fs::read_to_string(path).map_err(|e| SecretError::File(format!("{}: {e}", path.display())))?;
        Self::parse(&text)
    }

    /// Reads them from an environment variable.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn from_env(variable: &str) -> Result<Self, SecretError> {
        Self::parse(&std::env::var(variable).map_err(|_| SecretError::Environment(variable.to_owned()))?)
    }

    /// Signs a message of a kind with the current secret.
    pub(crate) fn sign(&self, kind: &str, message: impl FnOnce(KeyId) -> Vec<u8>) -> Vec<u8> {
        let secret = &self.0[0];
        let mut bytes = message(secret.id);
        let mac = secret.mac(kind, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        bytes
    }

    /// True where `mac` is that of a message of a kind by the secret of this id; `None` where no valid one has the id. Takes
    /// as long for a wrong one as for the right one.
    pub(crate) fn is_signed(&self, id: KeyId, kind: &str, message: &[u8], mac: &[u8]) -> Option<bool> {
        let secret = self.0.iter().find(|secret| secret.id == id)?;
        Some(secret.mac(kind, message).verify_slice(mac).is_ok())
    }
}

impl Secret {
    fn mac(&self, kind: &str, message: &[u8]) -> Hmac<Sha256> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            unreachable!("HMAC takes keys of every length")
        };
        // A kind ends with a byte that no kind has in it: what is signed as one kind is never another.
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(message);
        mac
    }
}

fn key_id(secret: &[u8]) -> KeyId {
    let digest = Sha256::new().chain_update(b"mouthpiece key id\0").chain_update(secret).finalize();
    KeyId([digest[0], digest[1], digest[2], digest[3]])
}

/// As it stands in headers, addresses and messages.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The same back; one sequence of bytes has one spelling.
pub(crate) fn from_text(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "one-secret-that-is-long-enough-to-be-one";
    const TWO: &str = "two-secret-that-is-long-enough-to-be-one";

    #[test]
    fn what_makes_no_secret_is_refused_without_telling_it() {
        let refused = |text: &str| FarmSecrets::parse(text).unwrap_err();
        assert_eq!(refused(" \n\n"), SecretError::Empty);
        assert_eq!(refused(&format!("{ONE}\nshort-one")), SecretError::Short { line: 2, bytes: 9 });
        assert!(!refused("short-one").to_string().contains("short-one"));
        assert_eq!(refused(&format!("{ONE}\n{TWO}\n{ONE}x")), SecretError::TooMany(3));
        assert_eq!(refused(&format!("{ONE}\n{ONE}")), SecretError::Same);
        assert!(matches!(FarmSecrets::from_env("MOUTHPIECE_NOT_SET_AT_ALL"), Err(SecretError::Environment(_))));
        assert!(matches!(FarmSecrets::from_file(Path::new("/nonexistent")), Err(SecretError::File(_))));
        let secrets = FarmSecrets::parse(ONE).unwrap();
        assert!(!format!("{secrets:?}").contains("secret"));
    }

    #[test]
    fn a_secret_is_changed_in_three_steps_without_an_interruption() {
        let steps = [ONE.to_owned(), format!("{ONE}\n{TWO}"), format!("{TWO}\n{ONE}"), format!("  {TWO}\r\n")];
        let steps = steps.map(|text| FarmSecrets::parse(&text).unwrap());
        let believes = |who: &FarmSecrets, signer: &FarmSecrets| {
            let mut id = None;
            let signed = signer.sign("a", |by| {
                id = Some(by);
                b"x".to_vec()
            });
            who.is_signed(id.unwrap(), "a", b"x", &signed[1..])
        };
        for pair in steps.windows(2) {
            assert_eq!(believes(&pair[0], &pair[1]), Some(true));
            assert_eq!(believes(&pair[1], &pair[0]), Some(true));
        }
        assert_eq!(believes(&steps[0], &steps[3]), None, "a secret that is gone is believed no more");
    }

    #[test]
    fn what_is_signed_as_one_thing_is_no_other() {
        let secrets = FarmSecrets::parse(ONE).unwrap();
        let id = secrets.0[0].id;
        let signed = secrets.sign("ticket", |_| b"x".to_vec());
        assert_eq!(secrets.is_signed(id, "ticket", b"x", &signed[1..]), Some(true));
        assert_eq!(secrets.is_signed(id, "proof", b"x", &signed[1..]), Some(false));
        assert_eq!(secrets.is_signed(id, "ticket", b"x", &signed[1..9]), Some(false), "a part of it does not do");
    }
}
