//! Live sessions: their terms, and what coordinators and callers say to them while they run.

use crate::fleet::Hold;
use crate::ids::ViewerId;
use crate::time::millis;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Samples a second that pushed speech may have: whatever speech engines and telephones make.
pub const SPEECH_RATES: RangeInclusive<u32> = 8_000..=48_000;
/// An utterance that nobody ends is over when nothing came for it for so long.
pub const UTTERANCE_PAUSE: Duration = Duration::from_secs(5);

/// Bounds of a live session. The worker keeps them, by its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTerms {
    /// It ends when for so long nothing was said and nobody asked to keep it alive.
    #[serde(with = "millis")]
    pub idle_timeout: Duration,
    /// It ends when nobody came to watch within so long.
    #[serde(with = "millis")]
    pub absent_timeout: Duration,
    /// It ends when the last viewer has been gone for so long.
    #[serde(with = "millis")]
    pub left_timeout: Duration,
    /// Video, least and most, bits a second: 100,000 to 8,000,000. What the network bears lies between them.
    pub bitrate: [u32; 2],
}

impl Default for LiveTerms {
    /// Idle for 5 minutes, absent for 60 s, left for 30 s, 200 kbit/s to 1.5 Mbit/s.
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(300),
            absent_timeout: Duration::from_secs(60),
            left_timeout: Duration::from_secs(30),
            bitrate: [200_000, 1_500_000],
        }
    }
}

/// What is asked of a running live session. Answered by exactly one [`Told`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// Which session, by which right: a worker that runs it under another fence says [`NotDone::NotHere`].
    pub hold: Hold,
    /// What.
    pub what: Question,
}

/// See [`Ask`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A viewer's offer. Told: [`Told::Answer`].
    Offer {
        /// The viewer's id, made by the coordinator; unguessable.
        viewer: ViewerId,
        /// The offer, SDP (RFC 8866).
        sdp: String,
    },
    /// Candidates of a viewer's own (`application/trickle-ice-sdpfrag`, RFC 8840). Told: [`Told::Done`].
    Trickle {
        /// Whose.
        viewer: ViewerId,
        /// The entity tag that the viewer holds: its ICE session.
        tag: String,
        /// The fragment.
        fragment: String,
    },
    /// A viewer restarts ICE. Told: [`Told::Restarted`].
    Restart {
        /// Whose.
        viewer: ViewerId,
        /// The fragment with the viewer's new credentials.
        fragment: String,
    },
    /// A viewer is gone. Told: [`Told::Done`].
    HangUp {
        /// Whose.
        viewer: ViewerId,
    },
    /// The face falls silent at once, and what waits to be said is forgotten. Told: [`Told::Done`].
    Interrupt,
    /// Somebody still needs it. Told: [`Told::Done`].
    KeepAlive,
    /// How it is. Told: [`Told::Status`].
    Status,
}

/// The answer to an [`Ask`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The answer to an offer.
    Answer {
        /// SDP.
        sdp: String,
        /// The ICE session's entity tag, without quotes.
        tag: String,
    },
    /// ICE starts anew.
    Restarted {
        /// The fragment with the worker's new credentials and its candidates.
        fragment: String,
        /// The new tag, without quotes.
        tag: String,
    },
    /// It is done.
    Done,
    /// How it is.
    Status(Box<LiveStatus>),
    /// It is not done.
    Not {
        /// Why.
        why: NotDone,
        /// A sentence for the caller.
        detail: String,
    },
}

/// Why something was not done. Each is one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotDone {
    /// The session does not run here under this fence (409, and come back).
    NotHere,
    /// It runs, but cannot be watched yet (409, and come back).
    NotYet,
    /// No such viewer (404).
    NoViewer,
    /// Not SDP, or not an offer that can be answered (400).
    Malformed,
    /// Nothing that can be sent is understood (406).
    NoCodec,
    /// The tag is not that of the current ICE session (412).
    StaleTag,
    /// Well formed, but it cannot be processed (422).
    Unprocessable,
    /// As many viewers as allowed watch already (503, and come back).
    Full,
}

/// What the face does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// Silent, breathing.
    #[default]
    Idle,
    /// Silent, while somebody speaks to it (said by the caller).
    Listening,
    /// Speaking.
    Talking,
}

impl Mood {
    /// The word in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Listening => "listening",
            Self::Talking => "talking",
        }
    }
}

impl fmt::Display for Mood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a live session is, at one moment. Times are of the last few seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LiveStatus {
    /// What the face does.
    pub mood: Mood,
    /// Viewers that are connected.
    pub viewers: u32,
    /// Frames a second that were sent.
    pub fps: f32,
    /// Ticks since the start: frames made and frames skipped.
    pub ticks: u64,
    /// Ticks skipped since the start.
    pub missed: u64,
    /// Video that is asked of the encoder, bits a second.
    pub bitrate: u32,
    /// Speech that waits to be said.
    pub buffered_ms: u64,
    /// Stage by stage, milliseconds.
    pub stages: Vec<StageTime>,
}

/// How long one stage takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageTime {
    /// `chunk` (sound waits for its place), `features`, `generation`, `compose`, `encode`, `send`, and `total`: from a
    /// sound's arrival to the departure of the frame that shows it.
    pub stage: String,
    /// Median, milliseconds.
    pub p50_ms: f32,
    /// 99th percentile, milliseconds.
    pub p99_ms: f32,
}

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
