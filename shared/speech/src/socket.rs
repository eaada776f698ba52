//! A caller's socket, as the relay needs it: messages in, texts out, and a close with a reason.

use crate::words::one_line;
use bytes::Bytes;
use std::time::Duration;

/// Bytes of a close's reason (RFC 6455, 5.5).
const REASON: usize = 123;

/// What came from the caller.
#[derive(Debug)]
pub enum SocketInput {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
    /// It asks whether anybody is there, and is to be answered.
    Ping(Bytes),
    /// It is there.
    Pong,
    /// It closed the socket or is gone.
    Gone,
    /// What it sends cannot be read.
    Broken(SocketClose),
}

/// Why a socket is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketClose {
    /// The code of RFC 6455.
    pub code: u16,
    /// A sentence for the caller.
    pub reason: String,
    /// The caller does not read, so nothing is waited for.
    pub stalled: bool,
}

impl SocketClose {
    /// A code and a sentence, of which 123 bytes fit.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = one_line(reason);
        reason.truncate(reason.floor_char_boundary(REASON));
        Self { code, reason, stalled: false }
    }

    /// Of a caller that is gone.
    pub fn gone() -> Self {
        Self::new(1006, "the caller is gone")
    }

    /// Of a caller that read nothing for so long.
    pub fn unread(patience: Duration) -> Self {
        let reason = format!("nothing was read for {patience:?}: read what is sent");
        Self { stalled: true, ..Self::new(1008, reason) }
    }
}

/// A caller's open WebSocket.
#[allow(async_fn_in_trait, reason = "used by concrete types only, which are moved to their runtime as they are")]
pub trait SpeechSocket: Sized {
    /// What comes next. Safe to cancel.
    async fn next(&mut self) -> SocketInput;

    /// Tells something.
    ///
    /// # Errors
    /// The caller is gone, or does not read.
    async fn say(&mut self, text: String) -> Result<(), SocketClose>;

    /// Answers a ping.
    ///
    /// # Errors
    /// As [`Self::say`].
    async fn pong(&mut self, bytes: &[u8]) -> Result<(), SocketClose>;

    /// Asks whether the caller is there.
    ///
    /// # Errors
    /// As [`Self::say`].
    async fn ping(&mut self) -> Result<(), SocketClose>;

    /// Closes it, and ends the connection a little later if it is still there.
    async fn close(self, close: SocketClose);
}
