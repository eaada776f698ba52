//! The stages that a live session's time is measured by. Metrics, the API and the page name them from here.

use serde::{Deserialize, Serialize};

/// One stage of the way from sound in to frame out, in the order that a sound goes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveStage {
    /// Sound that had arrived waits for its place.
    Chunk,
    /// The ear makes a cue of the sound.
    Features,
    /// The engine draws the mouth. (The puppet's goes onto the frame in the same step.)
    Generation,
    /// A frame is put together without the engine: all of a frame at rest.
    Compose,
    /// The picture is encoded.
    Encode,
    /// From its time (or from encoded, where that was later) to the socket.
    Send,
    /// From a sound's arrival to the departure of the frame that shows it.
    Total,
}

impl LiveStage {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Chunk, Self::Features, Self::Generation, Self::Compose, Self::Encode, Self::Send, Self::Total];

    /// What it is, in the API's words; goes on after its name.
    pub fn about(self) -> &'static str {
        match self {
            Self::Chunk => "sound waits for its place",
            Self::Features => "the ear makes a cue of the sound",
            Self::Generation => "the engine draws the mouth",
            Self::Compose => "a frame at rest is put together without the engine",
            Self::Encode => "the picture is encoded",
            Self::Send => "from its time to the socket",
            Self::Total => "from a sound's arrival to its frame's departure",
        }
    }

    /// The word in metrics and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chunk => "chunk",
            Self::Features => "features",
            Self::Generation => "generation",
            Self::Compose => "compose",
            Self::Encode => "encode",
            Self::Send => "send",
            Self::Total => "total",
        }
    }
}
