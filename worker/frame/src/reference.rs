//! What an avatar is made from.

use crate::{I420, Mesh};

/// One picture of the person, with the face that was found in it.
#[derive(Debug, Clone)]
pub struct ReferenceFrame {
    /// The picture at output size.
    pub picture: I420,
    /// The face, in pixels of `picture`.
    pub face: Mesh,
}

/// The pictures that an avatar is made from, already at output size: one for a portrait, several for a video (played forth
/// and back).
#[derive(Debug, Clone)]
pub struct Reference {
    /// At least one frame; all share one size.
    pub frames: Vec<ReferenceFrame>,
    /// Frames a second of a video; 0 for a still.
    pub frames_per_second: f32,
}
