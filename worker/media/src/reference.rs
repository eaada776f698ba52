//! A reference: what an avatar is made from, one still or a short loop, already at output size.
//!
//! A picture is analysed at its own size and scaled afterwards, so that a small output does not blur the landmarks:
//! [`PreparedReference::from_portrait`], [`PreparedReference::from_video`]. [`Analysis`] is the same without the scaling; it can draw
//! what it found. What was prepared can be kept as bytes: [`PreparedReference::to_bytes`].

mod analysis;
mod error;
mod framing;
mod inspect;
mod portrait;
mod preview;
mod signs;
mod stored;
mod video;

pub use analysis::{Analysis, FaceReport, MIN_ENLARGED_SIDE, MIN_FACE_SIDE};
pub use error::ReferenceError;
pub use framing::{CLEAR_EYES, ChosenFrame, PortraitCrop, SizeReason};
pub use mouthpiece_frame::{Reference, ReferenceFrame};
pub use preview::preview;
pub use signs::Signs;
pub use stored::StoredError;
pub use video::MAX_VIDEO_FRAMES;

/// What the caller wants of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrepareOptions {
    /// Longer side of the output in pixels; a smaller picture is not enlarged, unless its face has few pixels.
    pub size: u32,
    /// The longer side may grow up to this until the eyes of a still are [`CLEAR_EYES`] apart; none: it is as asked.
    pub up_to: Option<u32>,
    /// Which part of a still is shown. Videos are shown whole.
    pub crop: PortraitCrop,
    /// Which face, counted by size: 1 is the largest, which is also taken when none is named.
    pub face: Option<usize>,
}

impl Default for PrepareOptions {
    /// The whole picture, 512 pixels, the largest face.
    fn default() -> Self {
        Self { size: 512, up_to: None, crop: PortraitCrop::None, face: None }
    }
}

/// A reference and what to tell the user about it.
#[derive(Debug, Clone)]
pub struct PreparedReference {
    /// Ready for an engine.
    pub reference: Reference,
    /// What was found.
    pub report: FaceReport,
}
