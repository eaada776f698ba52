//! A rig: everything that is measured once on a reference frame, ready to be drawn with.

use super::corners::Creases;
use super::eyes::Eye;
use super::fields::Sheets;
use super::figure::Figure;
use super::frame::FaceFrame;
use super::head::Head;
use super::interior::Interior;
use super::moustache::overhang;
use super::mouth::Mouth;
use super::own_teeth::OwnWhite;
use super::palette::Palette;
use super::source::Source;
use mouthpiece_frame::ReferenceFrame;
use mouthpiece_media::face::softness;

/// One reference frame's face, ready to move.
#[derive(Debug, Clone)]
pub(super) struct Rig {
    pub(super) frame: FaceFrame,
    pub(super) mouth: Mouth,
    pub(super) sheets: Sheets,
    pub(super) head: Head,
    pub(super) eyes: [Eye; 2],
    /// The person as a layer of their own, where they could be cut out.
    pub(super) figure: Option<Figure>,
    pub(super) interior: Interior,
    /// Where the line between the lips runs on beyond the corners.
    pub(super) creases: Creases,
    /// How blurred the face is, in pixels.
    pub(super) soft: f32,
    /// The teeth that the portrait shows between its lips, where it shows any.
    pub(super) own_teeth: Option<OwnWhite>,
}

impl Rig {
    /// Builds the rig of one reference frame whose frame and mouth are known already. Takes some milliseconds.
    pub(super) fn build(reference: &ReferenceFrame, frame: FaceFrame, mouth: &Mouth, source: &Source) -> Self {
        let (width, height) = (source.width, source.height);
        let points = frame.landmarks(&reference.face);
        let inner_face = frame.pixels([-0.75, 0.75], [-1.1, 0.45], width, height);
        let soft = softness(inner_face, |x, y| source.luma_at([x as f32, y as f32]));
        let palette = Palette::of(&reference.picture, &reference.face);
        let head = Head::measure(&points, frame, [width, height], reference.matte.is_some());
        let cut = |matte| Figure::cut(&reference.picture, matte, frame.unit, &head.grid);
        Self {
            frame,
            sheets: Sheets::lay(mouth, frame, width, height),
            figure: reference.matte.as_ref().filter(|m| m.coverage.len() == width * height).map(cut),
            head,
            eyes: Eye::both(&points, reference.irises, frame, source, soft),
            soft,
            own_teeth: mouth.open.then(|| OwnWhite::find(mouth, frame, source, &palette)).flatten(),
            interior: Interior::new(mouth, palette, 1.0 / frame.unit, overhang(mouth, frame, source, palette.light)),
            creases: Creases::find(mouth, &points, frame, &reference.picture),
            mouth: mouth.clone(),
        }
    }
    /// Memory that it takes, but for a few hundred bytes.
    pub(super) fn bytes(&self) -> usize {
        let (figure, eyes) =
            (self.figure.as_ref().map_or(0, Figure::bytes), self.eyes.iter().map(Eye::bytes).sum::<usize>());
        size_of::<Self>() + self.sheets.bytes() + self.head.bytes() + figure + eyes
    }
}
