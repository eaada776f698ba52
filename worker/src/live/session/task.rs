//! What a session asks of whoever runs it, and is told about it.

use crate::error::RenderError;
use mouthpiece_domain::live::LineOutput;
use mouthpiece_domain::session::SessionEnd;
use std::time::{Duration, Instant};

/// How a live session ended.
#[derive(Debug)]
pub enum LiveEnd {
    /// By itself: nobody was there, or nothing was said, for too long.
    Ended(SessionEnd),
    /// Its owner wanted no more: it was ended, or runs somewhere else from now on.
    Stopped,
    /// It was moved away, and its viewers have gone, or had the time to.
    Moved,
    /// Engine or encoder failed.
    Failed(RenderError),
}

/// What is to be done next.
#[derive(Debug)]
pub enum LiveTask {
    /// Encode [`super::LiveSession::sound`] and send it.
    Sound(SoundDue),
    /// A frame has its turn: say what the ear heard for it.
    Frame(FrameTurn),
    /// Wait for a message, at most until then.
    Wait(Instant),
    /// Nothing any more.
    Over(LiveEnd),
}

/// A packet of sound that leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoundDue {
    /// Media time at which a decoder gives out its first sample.
    pub pts: Duration,
    /// When that leaves.
    pub captured: Instant,
}

/// A frame that has its turn; all sound for it was heard by the ear, if it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameTurn {
    /// Counts the session's frames from 0, at the rate that was asked for.
    pub number: u64,
    /// When it is shown, media time.
    pub shown: Duration,
    /// The middle of its time, seconds of media time.
    pub middle: f64,
    /// Frames before it whose turn was over.
    pub skipped: u64,
    /// When its turn came.
    pub begun: Instant,
}

/// What the ear heard for a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeardVoice {
    /// How much voice, 0 to about 1.
    pub voice: f32,
    /// Nothing is asked of the mouth: the frame can be drawn without the engine.
    pub is_calm: bool,
}

/// A frame that somebody will see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameOrder {
    /// Counts the session's frames from 0, at the rate that was asked for.
    pub number: u64,
    /// When it is shown, media time.
    pub shown: Duration,
    /// It must be a key frame.
    pub key: bool,
    /// It is drawn with the mouth at rest, without the engine.
    pub is_calm: bool,
    /// When its turn came.
    pub begun: Instant,
    /// When it must be drawn, so that it is encoded before it leaves.
    pub due: Instant,
}

/// When the work on a frame went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameWork {
    /// Drawing began.
    pub drawing: Instant,
    /// The picture was there.
    pub drawn: Instant,
    /// It was encoded.
    pub encoded: Instant,
}

/// What is to be carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveOutput {
    /// Tell callers.
    Tell(CallerChoice, LineOutput),
    /// Set the encoder to so many bits a second, and say so if it took that.
    Bitrate(u32),
}

/// Which callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerChoice {
    /// Everybody.
    All,
    /// Everybody but this line.
    AllBut(u64),
    /// This line.
    Line(u64),
}
