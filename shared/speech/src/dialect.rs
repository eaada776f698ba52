//! What the relay needs of a language of messages. Another language is another file beside [`super::agent_dialect`].

use crate::words;
use mouthpiece_domain::live::{LineInput, LineOutput};
use tokio::time::Instant;

/// A language of messages over a socket. It keeps what it must remember from one message to the next.
pub trait SpeechDialect {
    /// What a text message says; `None` where it says nothing.
    ///
    /// # Errors
    /// [`MessageRefusal`].
    fn text(&mut self, text: &str, now: Instant) -> Result<Option<LineInput>, MessageRefusal>;

    /// What a binary message says; `None` where it says nothing.
    ///
    /// # Errors
    /// [`MessageRefusal`].
    fn binary(&mut self, bytes: &[u8], now: Instant) -> Result<Option<LineInput>, MessageRefusal>;

    /// Speech that was read was not taken: what comes next stands by itself.
    fn begin_anew(&mut self);

    /// An event as a text message.
    fn event(&self, event: &SpeechEvent<'_>) -> String;
}

/// What a program is told.
#[derive(Debug)]
pub enum SpeechEvent<'a> {
    /// The session's voice says this. [`LineOutput::Over`] is the end.
    Voice(&'a LineOutput),
    /// The session runs, and is spoken with.
    Live,
    /// Its worker was lost, and it is looked for.
    Reconnecting,
    /// So much speech was lost with its worker: it was neither played nor kept.
    Lost {
        /// How much, milliseconds.
        lost_ms: u64,
    },
    /// So much was played of what this caller is saying. Told to callers that asked for it.
    Progress {
        /// The caller's name for the utterance.
        event: Option<&'a str>,
        /// Milliseconds, over all placements.
        played_ms: u64,
    },
    /// This socket ends: another one is to be opened.
    Reconnect {
        /// So many of the messages that came over this one were taken.
        taken: u64,
    },
    /// It has ended, for this reason.
    Ended(&'a str),
    /// A message was not taken.
    Refused(&'a MessageRefusal),
}

/// The word, in metrics, for speech that the session refused: it has no room, and will have.
pub const NO_ROOM: &str = "no_room";

/// Kinds of refusals: stable words, for programs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCode {
    /// Not a JSON object.
    Malformed,
    /// There is no such message.
    UnknownType,
    /// The message has no such field.
    UnknownField,
    /// The field's value cannot be used, or is missing.
    InvalidField,
}

impl RefusalCode {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownType => "unknown_type",
            Self::UnknownField => "unknown_field",
            Self::InvalidField => "invalid_field",
        }
    }
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRefusal {
    /// A stable word, for programs and metrics.
    pub code: RefusalCode,
    /// What is wrong, and the remedy.
    pub message: String,
    /// The caller's name for what was refused, where it could be read.
    pub event: Option<String>,
}

impl MessageRefusal {
    /// A sentence of one line.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: words::one_line(message), event: None }
    }
}
