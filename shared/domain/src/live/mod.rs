//! Live sessions: their terms, how they are, and what coordinators and callers say to them while they run.

mod questions;
mod speech;
mod stage;

pub use questions::{
    AnswerPart, Declined, HangUp, InterruptSpeech, KeepSessionAlive, LiveAnswer, LiveAsk, LiveQuestion, NotDone,
    OfferToWatch, ReadLiveStatus, RestartIce, RestartedIce, SdpAnswer, TrickleIce, TypedQuestion,
};
pub use speech::{
    BegunUtterance, CallerIntroduction, EventPosition, LineInput, LineOutput, SPEECH_RATES, UTTERANCE_PAUSE,
};
pub use stage::LiveStage;

use crate::time::millis;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

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

/// What the face does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaceMood {
    /// Silent, breathing.
    #[default]
    Idle,
    /// Silent, while somebody speaks to it (said by the caller).
    Listening,
    /// Speaking.
    Talking,
}

impl FaceMood {
    /// The word in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Listening => "listening",
            Self::Talking => "talking",
        }
    }
}

impl fmt::Display for FaceMood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a live session is, at one moment. Times are of the last few seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LiveStatus {
    /// What the face does.
    pub mood: FaceMood,
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
    /// The stage of the frame's way.
    pub stage: LiveStage,
    /// Median, milliseconds.
    pub p50_ms: f32,
    /// 99th percentile, milliseconds.
    pub p99_ms: f32,
}
