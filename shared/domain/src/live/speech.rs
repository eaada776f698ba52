//! What callers say in a live session, and what it says to them.

use super::FaceMood;
use crate::ids::CallerId;
use crate::session::Fence;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Samples a second that pushed speech may have: whatever speech engines and telephones make.
pub const SPEECH_RATES: RangeInclusive<u32> = 8_000..=48_000;
/// An utterance that nobody ends is over when nothing came for it for so long.
pub const UTTERANCE_PAUSE: Duration = Duration::from_secs(5);

/// How far a caller has heard what everybody is told. Each placement of a session counts anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPosition {
    /// The placement.
    pub fence: Fence,
    /// Events of that placement so far.
    pub number: u64,
}

/// An utterance of which a part was played: where it goes on when it must be said anew elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunUtterance {
    /// The caller's name for it.
    pub event: Option<String>,
    /// How much of it was played, milliseconds, over all placements.
    pub played_ms: u64,
}

/// Who calls on a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIntroduction {
    /// Who it is, over all of its lines.
    pub caller: CallerId,
    /// The number of the message that comes next. What this placement had from the caller already is not taken again: whoever
    /// does not know what arrived says all of it anew.
    pub next: u64,
    /// The caller was here before: it wants to hear what everybody was told after this [`LineOutput::Position`]. What comes on this
    /// line before the [`LineOutput::Resumed`] that answers it is told again after it.
    pub after: Option<EventPosition>,
    /// The caller said elsewhere that somebody speaks to the face. Used when this placement does not know the caller.
    #[serde(default)]
    pub listening: bool,
    /// What was being said elsewhere: the speech that comes goes on with it. Used when this placement does not know the caller.
    #[serde(default)]
    pub begun: Option<BegunUtterance>,
}

/// From a caller to a session's voice, in order. Each is answered by a [`LineOutput`] that carries its `event`, the caller's name
/// for it. A caller's messages are counted from 1, over all of its lines; [`LineInput::Identify`] is not counted.
#[derive(Debug, Clone, PartialEq)]
pub enum LineInput {
    /// Speech: continues what is being said, or begins.
    Speak {
        /// The caller's name for it; comes back in events.
        event: Option<String>,
        /// Samples a second, one of [`SPEECH_RATES`].
        rate: u32,
        /// Mono.
        samples: Vec<i16>,
    },
    /// What was pushed so far is all of this utterance. Answered by its [`LineOutput::Ended`] or [`LineOutput::Interrupted`]; where
    /// none is open, by a [`LineOutput::Ended`] of its own.
    SpeakEnd {
        /// The caller's name for it.
        event: Option<String>,
    },
    /// Silence at once; what waits is forgotten. Each utterance gets its [`LineOutput::Interrupted`]; where there is none, whoever
    /// said this gets one of its own. Answered by [`LineOutput::Mood`].
    Interrupt {
        /// The caller's name for this message.
        event: Option<String>,
    },
    /// Somebody speaks to the face. Answered by [`LineOutput::Mood`].
    StartListening {
        /// The caller's name for this message.
        event: Option<String>,
    },
    /// Nobody does any more. Answered by [`LineOutput::Mood`].
    StopListening {
        /// The caller's name for this message.
        event: Option<String>,
    },
    /// Who calls, said before anything else. A line that says nothing of that is of a caller of its own.
    Identify(CallerIntroduction),
    /// Still needed. Answered by [`LineOutput::Kept`].
    KeepAlive {
        /// The caller's name for this message.
        event: Option<String>,
    },
}

/// From a session's voice to its callers.
#[derive(Debug, Clone, PartialEq)]
pub enum LineOutput {
    /// What the face does now; told at once when a line opens, then at each change, and as an answer.
    Mood {
        /// The mood from now on.
        mood: FaceMood,
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
    /// The first sound leaves here of an utterance that began elsewhere; told instead of [`LineOutput::Started`].
    Continued {
        /// What, and from where.
        utterance: BegunUtterance,
    },
    /// The last sound of an utterance has left; or its end was told and there was none.
    Ended {
        /// The caller's name for it.
        event: Option<String>,
        /// How much of it was played, milliseconds.
        played_ms: u64,
    },
    /// It was cut off. One utterance gets one of [`LineOutput::Ended`] and [`LineOutput::Interrupted`]. An interruption when there is
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
    /// The face has so many frames a second from now on: all that talk at once on its worker are more than the engine holds at the
    /// rate that was asked for, or are no more.
    FrameRate {
        /// Frames a second.
        fps: u32,
        /// Frames a second that were asked for.
        asked: u32,
    },
    /// Speech was not taken: send it again later.
    Refused {
        /// The number of the message.
        number: u64,
        /// The caller's name for it.
        event: Option<String>,
        /// When there is room, milliseconds.
        retry_after_ms: u64,
        /// One sentence for the caller.
        detail: String,
    },
    /// So many of the caller's messages are done with: played, cut off, refused, or answered. What comes after them has to be said
    /// anew should this placement be lost. Told to the caller alone, several times a second while something changes.
    Settled {
        /// All messages up to the one with this number.
        through: u64,
        /// What is being said of the caller's speech, if something is.
        begun: Option<BegunUtterance>,
        /// How much of the message after `through` was played, milliseconds.
        of_next_ms: u64,
    },
    /// What everybody was told since follows, up to the next [`LineOutput::Position`].
    Resumed {
        /// That is all of it. Otherwise the caller was away for too long or the session was moved, and only what is
        /// known follows.
        complete: bool,
    },
    /// On this line everything was told up to here. Told when a line opens and after what everybody is told.
    Position {
        /// Up to where.
        position: EventPosition,
    },
    /// The session is over; the last word.
    Over {
        /// The end reason's word.
        reason: String,
    },
}
