//! Challenges, and a worker's proof that it is a worker of this farm.
//!
//! Both sides challenge each other with fresh random bytes, so neither needs a clock: a proof or a ticket is good for one
//! connection only. The proof also names the address that was dialled. Whoever stands at another address and passes
//! everything on to the true worker gets a proof for that worker's address, which is not believed.

use crate::secrets::{FarmSecrets, KeyId, MAC, from_text, to_text};
use mouthpiece_domain::ids::WorkerId;

/// What a proof is signed as.
const KIND: &str = "mouthpiece direct 1 proof";
/// What is signed as a proof of where callers may come.
const CALLERS_KIND: &str = "mouthpiece direct 1 callers";

/// Fresh random bytes of one side of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge(pub [u8; 32]);

impl Challenge {
    /// A fresh one; `None` where the system gives no randomness.
    pub fn fresh() -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok().map(|()| Self(bytes))
    }

    pub(crate) fn text(&self) -> String {
        to_text(&self.0)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        from_text(text)?.try_into().ok().map(Self)
    }
}

/// What a worker proves.
pub(crate) struct Proven<'a> {
    /// The path that was asked for.
    pub path: &'a str,
    /// Who it is.
    pub worker: WorkerId,
    /// Where it is called, as its heartbeat says.
    pub address: &'a str,
    /// The coordinator's challenge.
    pub coordinator: &'a Challenge,
    /// Its own.
    pub own: &'a Challenge,
}

impl Proven<'_> {
    fn message(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(160);
        for text in [self.path, self.address] {
            bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&self.worker.0.to_be_bytes());
        bytes.extend_from_slice(&self.coordinator.0);
        bytes.extend_from_slice(&self.own.0);
        bytes
    }

    /// The same, and where callers may come.
    fn callers_message(&self, url: &str) -> Vec<u8> {
        [&self.message(), url.as_bytes()].concat()
    }

    /// The proof, as it stands in a header.
    pub(crate) fn sign(&self, secrets: &FarmSecrets) -> String {
        signed(KIND, self.message(), secrets)
    }

    /// True where `proof` proves it.
    pub(crate) fn is_proven_by(&self, proof: &str, secrets: &FarmSecrets) -> bool {
        is_signed(KIND, &self.message(), proof, secrets)
    }

    /// The proof that callers may come to this worker there. It is another one, so that who does not know of it believes the first.
    pub(crate) fn sign_callers(&self, url: &str, secrets: &FarmSecrets) -> String {
        signed(CALLERS_KIND, self.callers_message(url), secrets)
    }

    /// True where `proof` proves that.
    pub(crate) fn are_callers_proven_by(&self, url: &str, proof: &str, secrets: &FarmSecrets) -> bool {
        is_signed(CALLERS_KIND, &self.callers_message(url), proof, secrets)
    }
}

fn signed(kind: &str, message: Vec<u8>, secrets: &FarmSecrets) -> String {
    let mut id = [0; 4];
    let signed = secrets.sign(kind, |by| {
        id = by.0;
        message
    });
    let mac = &signed[signed.len() - MAC..];
    to_text(&[&id, mac].concat())
}

fn is_signed(kind: &str, message: &[u8], proof: &str, secrets: &FarmSecrets) -> bool {
    let Some(bytes) = from_text(proof) else { return false };
    let Some((id, mac)) = bytes.split_first_chunk::<4>() else { return false };
    secrets.is_signed(KeyId(*id), kind, message, mac) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_for_one_worker_address_path_and_connection() {
        let secrets = FarmSecrets::parse("one-secret-that-is-long-enough-to-be-one").unwrap();
        let other = FarmSecrets::parse("two-secret-that-is-long-enough-to-be-one").unwrap();
        let (a, b) = (Challenge::fresh().unwrap(), Challenge::fresh().unwrap());
        let proven = || Proven { path: "/lines", worker: WorkerId(7), address: "w:1", coordinator: &a, own: &b };
        let proof = proven().sign(&secrets);
        assert!(proven().is_proven_by(&proof, &secrets));
        assert!(!proven().is_proven_by(&proof, &other));
        let wrong = [
            Proven { path: "/questions", ..proven() },
            Proven { worker: WorkerId(8), ..proven() },
            Proven { address: "w:2", ..proven() },
            Proven { coordinator: &b, ..proven() },
            Proven { own: &a, ..proven() },
            Proven { path: "/linesw", address: ":1", ..proven() },
        ];
        for (n, wrong) in wrong.iter().enumerate() {
            assert!(!wrong.is_proven_by(&proof, &secrets), "{n}");
        }
        for broken in ["", "AAAA", "!", &proof[..20], &format!("{proof}A")] {
            assert!(!proven().is_proven_by(broken, &secrets), "{broken}");
        }
        let callers = proven().sign_callers("wss://w", &secrets);
        assert!(proven().are_callers_proven_by("wss://w", &callers, &secrets));
        assert!(!proven().are_callers_proven_by("wss://x", &callers, &secrets), "another address");
        assert!(!proven().are_callers_proven_by("wss://w", &proof, &secrets), "the other proof is none of it");
        assert!(!Proven { worker: WorkerId(8), ..proven() }.are_callers_proven_by("wss://w", &callers, &secrets));
        assert_eq!(Challenge::parse(&a.text()), Some(a));
        assert_eq!(Challenge::parse("AAAA"), None);
    }
}
