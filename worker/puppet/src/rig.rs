//! A rig: everything that is measured once on a reference frame, ready to be drawn with.

use super::eyes::Eye;
use super::fields::Sheets;
use super::frame::FaceFrame;
use super::head::Head;
use super::interior::Interior;
use super::mouth::Mouth;
use super::palette::Palette;
use super::source::Source;
use mouthpiece_frame::ReferenceFrame;

/// One reference frame's face, ready to move.
#[derive(Debug, Clone)]
pub(super) struct Rig {
    pub(super) frame: FaceFrame,
    pub(super) mouth: Mouth,
    pub(super) sheets: Sheets,
    pub(super) head: Head,
    pub(super) eyes: [Eye; 2],
    pub(super) interior: Interior,
}

impl Rig {
    /// Builds the rig of one reference frame whose frame and mouth are known already. Takes some milliseconds.
    pub(super) fn build(reference: &ReferenceFrame, frame: FaceFrame, mouth: &Mouth, source: &Source) -> Self {
        let (width, height) = (source.width, source.height);
        let points = frame.landmarks(&reference.face);
        let palette = Palette::of(&reference.picture, &reference.face);
        Self {
            frame,
            sheets: Sheets::lay(mouth, frame, width, height),
            head: Head::measure(&points, frame, width, height),
            eyes: Eye::both(&points, frame, source),
            interior: Interior::new(mouth, palette, 1.0 / frame.unit),
            mouth: mouth.clone(),
        }
    }
    /// Memory that it takes, but for a few hundred bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.sheets.bytes() + self.head.bytes()
    }
}
