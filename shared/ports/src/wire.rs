//! Messages between processes: JSON in an envelope with a version, of bounded size.
//!
//! A field that is not known is ignored, so that the next program's messages can be read as long as it only adds. What is
//! changed or taken away raises [`VERSION`]; an older program then says so instead of guessing.

use mouthpiece_domain::fleet::{WorkerCommand, WorkerEvent};
use mouthpiece_domain::live::{LiveAnswer, LiveAsk};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version that is written.
pub const VERSION: u32 = 1;

/// The largest message in bytes, envelope included. An SDP offer is the largest thing that is sent, and is a tenth of this.
pub const MAX_BYTES: usize = 256 * 1024;

/// A message that cannot be written or read.
#[derive(Debug, Error)]
pub enum WireError {
    /// Larger than [`MAX_BYTES`].
    #[error("a message of {0} bytes: at most {MAX_BYTES} are carried")]
    TooLarge(usize),
    /// Written by a newer program.
    #[error("message version {0}: this program reads up to {VERSION}, update it")]
    Version(u32),
    /// Not what it should be.
    #[error("a message that is not understood: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// What may be sent from process to process.
pub trait WireMessage: Serialize + DeserializeOwned {}
impl WireMessage for WorkerCommand {}
impl WireMessage for WorkerEvent {}
impl WireMessage for LiveAsk {}
impl WireMessage for LiveAnswer {}

#[derive(Serialize)]
struct Sealed<'a, M> {
    v: u32,
    body: &'a M,
}

/// Read first: a newer program's body need not be readable.
#[derive(Deserialize)]
struct Seal {
    v: u32,
    #[serde(rename = "body")]
    _body: IgnoredAny,
}

#[derive(Deserialize)]
struct Opened<M> {
    body: M,
}

/// Writes a message.
///
/// # Errors
/// [`WireError::TooLarge`].
pub fn encode<M: WireMessage>(message: &M) -> Result<Vec<u8>, WireError> {
    let bytes = serde_json::to_vec(&Sealed { v: VERSION, body: message })?;
    if bytes.len() > MAX_BYTES { Err(WireError::TooLarge(bytes.len())) } else { Ok(bytes) }
}

/// Reads a message.
///
/// # Errors
/// [`WireError`].
pub fn decode<M: WireMessage>(bytes: &[u8]) -> Result<M, WireError> {
    if bytes.len() > MAX_BYTES {
        return Err(WireError::TooLarge(bytes.len()));
    }
    let Seal { v, .. } = serde_json::from_slice(bytes)?;
    if v > VERSION {
        return Err(WireError::Version(v));
    }
    let Opened { body } = serde_json::from_slice(bytes)?;
    Ok(body)
}

#[cfg(test)]
mod tests;
