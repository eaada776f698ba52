//! What goes over a connection: one WebSocket message each.
//!
//! The version of all of it is the WebSocket subprotocol ([`PROTOCOL`]). A kind of message that is not known is passed over, so
//! that kinds can be added while old and new programs run side by side; whatever changes a meaning gets another version.

mod line;
mod question;

pub(crate) use question::{Asked, NoAnswer, ToCoordinator, ToWorker};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio_tungstenite::tungstenite::Message;

/// The version, as a WebSocket subprotocol.
pub const PROTOCOL: &str = "mouthpiece.direct.1";
/// Bytes of a message, at most: what a caller's message may have at a coordinator, with room for its name.
pub const LARGEST: usize = (1 << 20) + 4096;

/// "I say no more."
pub(crate) const END: &str = r#"{"type":"end"}"#;
/// "I hear no more."
pub(crate) const DEAF: &str = r#"{"type":"deaf"}"#;

/// A message that cannot be carried, or was not understood.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum WireError {
    /// It would be too large.
    #[error("a message of {0} bytes: at most {LARGEST} can be carried")]
    TooLarge(usize),
    /// It is none of ours.
    #[error("a message that cannot be read: {0}")]
    Malformed(String),
}

/// Can be read from a connection.
pub(crate) trait WireRead: Sized + Send + 'static {
    /// From a text message; `None` for a kind that is not known.
    fn read_text(text: &str) -> Result<Option<Self>, WireError>;

    /// The same for a binary message.
    fn read_binary(_bytes: &[u8]) -> Result<Option<Self>, WireError> {
        Err(WireError::Malformed("nothing binary is expected here".to_owned()))
    }
}

/// A message that was written already, by whoever could still do something about one that is too large.
pub(crate) struct Encoded(Message);

impl Encoded {
    pub(crate) fn of(message: &impl Serialize) -> Result<Self, WireError> {
        write_json(message).map(Self)
    }
}

/// Can be written to a connection.
pub(crate) trait WireWrite: Send + 'static {
    /// As one message.
    fn write(self) -> Result<Message, WireError>;
}

impl WireWrite for Encoded {
    fn write(self) -> Result<Message, WireError> {
        Ok(self.0)
    }
}

/// What a worker says to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Admission {
    /// The connection is what was asked for.
    Welcome,
    /// It has too many to take up.
    Full,
    /// Nobody takes that here (any more).
    Nobody,
    /// The ticket is not good.
    Ticket,
}

/// One message of JSON.
pub(crate) fn write_json(message: &impl Serialize) -> Result<Message, WireError> {
    let text = serde_json::to_string(message).map_err(|e| WireError::Malformed(e.to_string()))?;
    if text.len() > LARGEST { Err(WireError::TooLarge(text.len())) } else { Ok(Message::text(text)) }
}

/// The same back.
pub(crate) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, WireError> {
    serde_json::from_str(text).map_err(|e| WireError::Malformed(e.to_string()))
}
