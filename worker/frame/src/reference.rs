//! What an avatar is made from.

use crate::{I420, Mesh};

/// The coloured disc of an eye, in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Iris {
    /// Its middle, `[x, y]`.
    pub centre: [f32; 2],
    /// Its radius.
    pub radius: f32,
}

/// Which pixels of a picture show the person: what moves with them, and what stays behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matte {
    /// A value for each pixel, row by row: 0 background, 255 person, between them hair and soft edges.
    pub coverage: Vec<u8>,
}

/// One picture of the person, with the face that was found in it.
#[derive(Debug, Clone)]
pub struct ReferenceFrame {
    /// The picture at output size.
    pub picture: I420,
    /// The face, in pixels of `picture`.
    pub face: Mesh,
    /// The irises, the viewer's left one first; none where they were not looked for.
    pub irises: Option<[Iris; 2]>,
    /// The person, cut out; as many values as `picture` has pixels. None where they were not, or not surely.
    pub matte: Option<Matte>,
}

impl ReferenceFrame {
    /// A picture and its face alone, as a video's frames have them.
    pub fn new(picture: I420, face: Mesh) -> Self {
        Self { picture, face, irises: None, matte: None }
    }
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
