//! Messages between processes: JSON with a version.

use mouthpiece_domain::fleet::{Command, WorkerEvent};
use mouthpiece_domain::live::{Ask, Told};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version that is written.
pub const VERSION: u32 = 1;
/// A message larger than this is refused, whatever it says.
pub const MAX_BYTES: usize = 256 * 1024;

/// A message that cannot be read.
#[derive(Debug, Error)]
pub enum WireError {
    /// Too large.
    #[error("a message of {0} bytes: at most {MAX_BYTES} are read")]
    TooLarge(usize),
    /// Written by a newer program.
    #[error("message version {0}: this program reads up to {VERSION}, update it")]
    Version(u32),
    /// Not what it should be.
    #[error("a message that is not understood: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// What may be sent.
pub trait Message: Serialize + DeserializeOwned {}
impl Message for Command {}
impl Message for WorkerEvent {}
impl Message for Ask {}
impl Message for Told {}

#[derive(Serialize)]
struct Envelope<'a, M> {
    v: u32,
    body: &'a M,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Deserialize)]
struct Opened<M> {
    body: M,
}

/// Writes a message.
///
/// # Errors
/// [`WireError::TooLarge`].
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, WireError> {
    let bytes = serde_json::to_vec(&Envelope { v: VERSION, body: message })?;
    if bytes.len() > MAX_BYTES { Err(WireError::TooLarge(bytes.len())) } else { Ok(bytes) }
}

/// Reads a message. Fields that are not known are ignored, so that a newer minor sender can be read.
///
/// # Errors
/// [`WireError`].
pub fn decode<M: Message>(bytes: &[u8]) -> Result<M, WireError> {
    if bytes.len() > MAX_BYTES {
        return Err(WireError::TooLarge(bytes.len()));
    }
    let Version { v } = serde_json::from_slice(bytes)?;
    if v > VERSION {
        return Err(WireError::Version(v));
    }
    let Opened { body } = serde_json::from_slice(bytes)?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::ids::WorkerId;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let said = WorkerEvent::Goodbye { worker: WorkerId(7) };
        let bytes = encode(&said).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            format!(r#"{{"v":1,"body":{{"goodbye":{{"worker":"{}"}}}}}}"#, WorkerId(7))
        );
        assert_eq!(decode::<WorkerEvent>(&bytes).unwrap(), said);
    }

    #[test]
    fn a_newer_version_is_named() {
        let error = decode::<Command>(br#"{"v":2,"body":"something_new"}"#).unwrap_err().to_string();
        assert_eq!(error, "message version 2: this program reads up to 1, update it");
        assert!(matches!(decode::<Command>(&vec![b' '; MAX_BYTES + 1]), Err(WireError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn noise_is_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<Command>(&bytes);
            let _ = decode::<WorkerEvent>(&bytes);
        }
    }
}
