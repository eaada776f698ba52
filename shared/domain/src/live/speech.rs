//! What callers say in a live session, and what it says to them.

use super::Mood;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Samples a second that pushed speech may have: whatever speech engines and telephones make.
pub const SPEECH_RATES: RangeInclusive<u32> = 8_000..=48_000;
/// An utterance that nobody ends is over when nothing came for it for so long.
pub const UTTERANCE_PAUSE: Duration = Duration::from_secs(5);

/// From a caller to a session's voice, in order. Each is answered by a [`Down`] that carries its `event`, the caller's name
/// for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Up {
    /// Speech: continues what is being said, or begins.
    Speak {
        /// The caller's name for it; comes back in events.
        event: Option<String>,
        /// Samples a second, one of [`SPEECH_RATES`].
        rate: u32,
        /// Mono.
        samples: Vec<i16>,
    },
    /// What was pushed so far is all of this utterance. Answered by its [`Down::Ended`] or [`Down::Interrupted`]; where
    /// none is open, by a [`Down::Ended`] of its own.
    SpeakEnd {
        /// The caller's name for it.
        event: Option<String>,
    },
    /// Silence at once; what waits is forgotten. Each utterance gets its [`Down::Interrupted`]; where there is none, whoever
    /// said this gets one of its own. Answered by [`Down::Mood`].
    Interrupt {
        /// The caller's name for this message.
        event: Option<String>,
    },
    /// Somebody speaks to the face. Answered by [`Down::Mood`].
    StartListening {
        /// The caller's name for this message.
        event: Option<String>,
    },
    /// Nobody does any more. Answered by [`Down::Mood`].
    StopListening {
        /// The caller's name for this message.
        event: Option<String>,
    },
    /// Still needed. Answered by [`Down::Kept`].
    KeepAlive {
        /// The caller's name for this message.
        event: Option<String>,
    },
}

/// From a session's voice to its callers.
#[derive(Debug, Clone, PartialEq)]
pub enum Down {
    /// What the face does now; told at once when a line opens, then at each change, and as an answer.
    Mood {
        /// That.
        mood: Mood,
        /// What it answers, if it does.
        event: Option<String>,
    },
    /// The session is kept, as was asked.
    Kept {
        /// What it answers.
        event: Option<String>,
    },
    /// The first sound of an utterance leaves now.
    Started {
        /// The caller's name for it.
        event: Option<String>,
    },
    /// The last sound of an utterance has left; or its end was told and there was none.
    Ended {
        /// The caller's name for it.
        event: Option<String>,
        /// How much of it was played, milliseconds.
        played_ms: u64,
    },
    /// It was cut off. One utterance gets one of [`Down::Ended`] and [`Down::Interrupted`]. An interruption when there is
    /// nothing to cut off is told with its own name.
    Interrupted {
        /// The caller's name for it.
        event: Option<String>,
        /// How much of it was played, milliseconds.
        played_ms: u64,
    },
    /// How much speech waits; told when a quarter of the buffer was filled or emptied.
    Buffer {
        /// Milliseconds that wait.
        buffered_ms: u64,
        /// Milliseconds that may wait.
        limit_ms: u64,
    },
    /// Speech was not taken: send it again later.
    Refused {
        /// The caller's name for it.
        event: Option<String>,
        /// When there is room, milliseconds.
        retry_after_ms: u64,
        /// Why.
        detail: String,
    },
    /// The session is over; the last word.
    Over {
        /// The end reason's word.
        reason: String,
    },
}
