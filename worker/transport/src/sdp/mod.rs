//! Session descriptions as text: what comes in is bounded and checked before anything is built from it, and what goes out
//! says what browsers need for lip sync.

pub(crate) mod answer;
mod bundle;
pub(crate) mod candidates;
mod checks;
mod formats;
pub(crate) mod fragment;
pub(crate) mod offer;

use crate::error::SignalError;
use str0m::{Candidate, IceCreds};

/// Bytes of an offer or a fragment, at most.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// Candidates taken from one peer, at most. The rest is ignored: a path that works is found among so many, or by the peer's
/// own checks.
pub(crate) const MAX_CANDIDATES: usize = 32;

/// What a section carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaKind {
    Audio,
    Video,
    Other,
}

impl MediaKind {
    /// Of `m=audio 9 ...` and the like, without the `m=`.
    fn of(line: &str) -> Self {
        match line.split_whitespace().next() {
            Some("audio") => Self::Audio,
            Some("video") => Self::Video,
            _ => Self::Other,
        }
    }
}

/// Who sends in a section, from the side of whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Direction {
    pub sends: bool,
    pub receives: bool,
}

impl Direction {
    const BOTH: Self = Self { sends: true, receives: true };

    /// Of an attribute, without the `a=`.
    fn of(attribute: &str) -> Option<Self> {
        match attribute {
            "sendrecv" => Some(Self::BOTH),
            "sendonly" => Some(Self { sends: true, receives: false }),
            "recvonly" => Some(Self { sends: false, receives: true }),
            "inactive" => Some(Self { sends: false, receives: false }),
            _ => None,
        }
    }
}

/// The lines of a description, checked to be of its form.
fn lines(text: &str) -> Result<Vec<&str>, SignalError> {
    if text.len() > MAX_BYTES {
        let said = format!("{} bytes, of which at most {MAX_BYTES} are read", text.len());
        return Err(SignalError::Malformed(said));
    }
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end_matches(['\r', ' ']);
        if line.is_empty() {
            continue;
        }
        let bytes = line.as_bytes();
        let formed = bytes.len() >= 2 && bytes[0].is_ascii_lowercase() && bytes[1] == b'=';
        if !formed || line.chars().any(char::is_control) {
            return Err(SignalError::Malformed(format!("line {} is not of the form x=value", at + 1)));
        }
        lines.push(line);
    }
    Ok(lines)
}

/// A candidate that can be tried from here. Names instead of addresses (mDNS), TCP and the like cannot: such a peer is found
/// by its own checks.
fn candidate(attribute: &str) -> Option<Candidate> {
    Candidate::from_sdp_string(attribute).ok().filter(|c| c.proto() == str0m::net::Protocol::Udp)
}

/// Credentials of ICE as RFC 8839 allows them: anything else could smuggle lines into a description.
fn credentials(ufrag: &str, pass: &str) -> Result<IceCreds, SignalError> {
    let legal = |text: &str, least| {
        (least..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_=#".contains(&b))
    };
    if !legal(ufrag, 4) {
        return Err(SignalError::Malformed("ice-ufrag must be 4 to 256 letters, digits, + or /".to_owned()));
    }
    if !legal(pass, 22) {
        return Err(SignalError::Malformed("ice-pwd must be 22 to 256 letters, digits, + or /".to_owned()));
    }
    Ok(IceCreds { ufrag: ufrag.to_owned(), pass: pass.to_owned() })
}
