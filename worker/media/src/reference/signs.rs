//! What a face looks like that speaks badly: signs that can be measured, and what to tell of them.
//!
//! The limits were found on portraits that are not part of the repository; `models/face/README.md` says how many, and what
//! is not told. Lengths are in distances of the outer eye corners.

use super::ReferenceError;
use crate::face::{CloseUp, HeadPose, Mesh, Shake};
use crate::image::Lab;

/// Inner lips further apart than this may be a gape.
const APART: f32 = 0.20;
/// They are one when they are further apart than this share of the mouth's width: laughs are broad and read up to .41.
const TALL: f32 = 0.42;
/// Lower lightness within a gape, over that of the cheeks, from which a tongue fills it; cavities and tongues that lie in the
/// mouth read up to .66.
const FILLED: f32 = 0.72;
/// A tongue is at least as red as the cheeks, less this share of their chroma; teeth are less.
const TONGUE_RED: f32 = -0.1;
/// In a picture without so much chroma nothing is told by colours.
const COLOURED: f32 = 6.0;
/// An eye that is open by less than this share of its width is shut; narrow open ones read .20.
const SHUT_EYE: f32 = 0.13;
/// One eye is shut only when it is open by less than this share of the other: low lids are alike.
const ONE_EYE: f32 = 0.5;
/// Lips that shake more are guessed. People with a free mouth read up to .026, in small and cut pictures up to .032.
const GUESSED: f32 = 0.033;
/// The same for open mouths, which move more.
const GUESSED_OPEN: f32 = 0.045;
/// Inner lips further apart than this make an open mouth.
const OPEN: f32 = 0.15;
/// A jaw that shakes so much, with lips that shake somewhat, is guessed too.
const JAW: f32 = 0.048;
const JAW_LIPS: f32 = 0.016;
/// A head that is turned further than this (degrees) shakes more by itself, up to the second and third limit.
const TURNED_DEG: f32 = 25.0;
const GUESSED_TURNED: f32 = 0.060;
const NOTHING_TURNED: f32 = 0.075;
/// A jaw says nothing where the picture ends so close below the chin.
const ROOM: f32 = 0.2;
/// With a mouth that is guessed, eyes that shake more are hardly a person's; masked people read up to .014, one .015.
const STRANGE: f32 = 0.0145;
/// Eyes that shake more are no eyes: nothing could be animated.
const NOTHING: f32 = 0.060;
/// How far the chin's colour may be from the cheeks', over their chroma; beards read up to .61.
const OTHER_COLOUR: f32 = 0.85;
/// And how much the chin then shakes.
const CHIN: f32 = 0.027;
/// Least chroma that colours are compared with.
const LEAST_CHROMA: f32 = 15.0;

/// What was measured of a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signs {
    /// Distance of the inner lips.
    pub lips_apart: f32,
    /// Width of the mouth.
    pub mouth_width: f32,
    /// How far each eye is open, over its width; the viewer's left one first.
    pub eyes_open: [f32; 2],
    /// How far the parts of the mesh move about.
    pub shake: Shake,
    /// How far the chin's colour is from the cheeks', over their chroma; none where there is nothing to compare.
    pub chin_colour: Option<f32>,
    /// What fills the mouth is light, and red: both over the cheeks; none where the mouth is closed or nothing has a colour.
    pub filled: Option<[f32; 2]>,
    /// The head is turned away far.
    pub is_turned: bool,
    /// The picture goes on below the chin.
    pub has_room: bool,
}

impl Signs {
    /// Of the face with this mesh in a picture of that height, its close-up, and what of it moved about.
    pub fn of(mesh: &Mesh, height: u32, face: &CloseUp, shake: Shake) -> Self {
        let span = mesh.eye_span().max(f32::MIN_POSITIVE);
        let open = |[above, below, a, b]: [usize; 4]| {
            distance(mesh, above, below) / distance(mesh, a, b).max(f32::MIN_POSITIVE)
        };
        let cheeks = cheeks(face);
        let chin = Lab::mean(&face.around(&[199, 200], 0.11));
        Self {
            lips_apart: distance(mesh, 13, 14) / span,
            mouth_width: distance(mesh, 61, 291) / span,
            eyes_open: [[159, 145, 33, 133], [386, 374, 362, 263]].map(open),
            shake,
            chin_colour: cheeks.zip(chin).map(|(skin, chin)| skin.apart(chin) / skin.chroma().max(LEAST_CHROMA)),
            filled: cheeks.and_then(|skin| filled(face, skin)),
            is_turned: HeadPose::of(mesh).yaw_deg.abs() > TURNED_DEG,
            has_room: mesh.points[152][1] + ROOM * span < height as f32,
        }
    }

    /// Refuses what is no face: whatever was made of it could be shown to nobody.
    pub(super) fn require_face(&self) -> Result<(), ReferenceError> {
        let most = if self.is_turned { NOTHING_TURNED } else { NOTHING };
        if self.shake.eyes > most { Err(ReferenceError::Unsteady) } else { Ok(()) }
    }

    /// Sentences on what a still shows: why it looks bad, and what to change.
    pub(super) fn warnings(&self) -> Vec<String> {
        [self.mouth(), self.eyes(), self.before()].into_iter().flatten().map(str::to_owned).collect()
    }

    /// The same of what must not be before a face in a video, which may well open its mouth and shut its eyes.
    pub(super) fn before(&self) -> Option<&'static str> {
        if self.is_guessed() {
            return Some(if self.shake.eyes > STRANGE {
                "this does not look like a person's face (an animal, a doll, or much of it is covered), and its mouth is \
                 not found for sure: a person whose whole face is seen speaks better"
            } else {
                "the mouth is not found for sure: something seems to be before it (a hand, a microphone, a mask, hair), or \
                 it is a grimace or no person's: a picture that shows all of the mouth at rest looks better"
            });
        }
        let is_other = self.chin_colour.is_some_and(|apart| apart > OTHER_COLOUR) && self.shake.chin > CHIN;
        is_other.then_some(
            "something of another colour seems to be before the chin, and will move with it: a picture with nothing before \
             the face looks better",
        )
    }

    fn mouth(&self) -> Option<&'static str> {
        if self.lips_apart < APART || self.lips_apart < TALL * self.mouth_width {
            return None;
        }
        let is_tongue = self.filled.is_some_and(|[light, red]| light > FILLED && red > TONGUE_RED);
        Some(if is_tongue {
            "the tongue seems to be out: a picture with closed lips or a smile looks better when it speaks"
        } else {
            "the mouth is wide open: a picture with closed lips or a smile looks better when it speaks"
        })
    }

    fn eyes(&self) -> Option<&'static str> {
        let [low, high] = [f32::min, f32::max].map(|pick| pick(self.eyes_open[0], self.eyes_open[1]));
        if high < SHUT_EYE {
            Some("the eyes are shut: a picture with open eyes can blink")
        } else if low < SHUT_EYE && low < ONE_EYE * high {
            Some("one eye is shut: a picture with open eyes can blink")
        } else {
            None
        }
    }

    /// True when the network guesses where the mouth is.
    fn is_guessed(&self) -> bool {
        let Shake { lips, jaw, .. } = self.shake;
        let is_open = self.lips_apart > OPEN;
        let most = match (self.is_turned, is_open) {
            (true, _) => GUESSED_TURNED,
            (false, true) => GUESSED_OPEN,
            (false, false) => GUESSED,
        };
        let has_plain_jaw = self.has_room && !is_open && !self.is_turned;
        lips > most || (has_plain_jaw && jaw > JAW && lips > JAW_LIPS)
    }
}

/// The cheeks' colour, below the eyes.
fn cheeks(face: &CloseUp) -> Option<Lab> {
    let sides = [50, 280].map(|point| Lab::mean(&face.around(&[point], 0.13)));
    let sides: Vec<Lab> = sides.into_iter().flatten().collect();
    Lab::mean(&sides)
}

/// How light (its darker fifth) and how red the lower half of an open mouth is: see [`Signs::filled`].
fn filled(face: &CloseUp, skin: Lab) -> Option<[f32; 2]> {
    const ABOVE: [usize; 5] = [81, 82, 13, 312, 311];
    const BELOW: [usize; 5] = [178, 87, 14, 317, 402];
    if skin.chroma() < COLOURED || skin.l <= 0.0 {
        return None;
    }
    let line = |share: f32| BELOW.into_iter().zip(ABOVE).map(move |(below, above)| face.between(below, above, share));
    let outline: Vec<[f32; 2]> = line(0.08).chain(line(0.65).rev()).collect();
    let inside = face.within(&outline);
    let mean = Lab::mean(&inside)?;
    let mut lightness: Vec<f32> = inside.iter().map(|colour| colour.l).collect();
    lightness.sort_by(f32::total_cmp);
    Some([lightness[lightness.len() / 5] / skin.l, (mean.a - skin.a) / skin.chroma().max(LEAST_CHROMA)])
}

/// Distance of two points of a mesh in pixels.
fn distance(mesh: &Mesh, a: usize, b: usize) -> f32 {
    let (a, b) = (mesh.points[a], mesh.points[b]);
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
#[path = "signs_tests.rs"]
mod tests;
