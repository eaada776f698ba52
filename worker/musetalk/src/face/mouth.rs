//! The mouth of a drawn face: cut out to be restored, and laid over the face again, twice as fine. Pure.
//!
//! The window lies where MuseTalk's box has the mouth: the bridge of the nose is in the middle of the box, the chin near its lower edge.
//! The restored window fades into the face at its edge, and its colours there are made the face's by the same fit by which the
//! face's are made the frame's: a network that restores may move them.

use super::crop::lanczos;
use super::tone::{SeamEdge, TonePlanes};
use crate::networks::{PICTURE, SIDE};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use mouthpiece_frame::Rect;

/// Pixels of the window's side in a drawn face.
pub const MOUTH: usize = 128;
/// The same once it is restored.
pub const RESTORED: usize = 2 * MOUTH;
/// Bytes of the window, RGB.
pub const MOUTH_PICTURE: usize = MOUTH * MOUTH * 3;
/// The same once it is restored.
pub const RESTORED_PICTURE: usize = RESTORED * RESTORED * 3;
/// Pixels of the side of a face that is twice as fine.
pub const FINE_SIDE: usize = 2 * SIDE;

/// The window's upper left corner in a drawn face.
const LEFT: usize = (SIDE - MOUTH) / 2;
const TOP: usize = 112;
/// Pixels of the restored window over which it fades into the face.
const FADE: usize = 40;
const WINDOW: Rect = Rect { x0: 0, y0: 0, x1: RESTORED, y1: RESTORED };

/// Appends the mouth of a face (RGB, 256x256) to `mouth`: [`MOUTH_PICTURE`] bytes.
pub fn cut_mouth(face: &[u8], mouth: &mut Vec<u8>) {
    for row in face.chunks_exact(SIDE * 3).skip(TOP).take(MOUTH) {
        mouth.extend_from_slice(&row[LEFT * 3..(LEFT + MOUTH) * 3]);
    }
}

/// Lays restored mouths over faces; its memory is made once.
pub struct MouthLayer {
    resizer: Resizer,
    how: ResizeOptions,
    fine: Image<'static>,
    /// How much of the restored window is seen, 0..=255.
    mask: Vec<u8>,
    edge: SeamEdge,
    /// What was taken from the last mouth, so that its colours are the face's.
    tone: Option<TonePlanes>,
}

impl Default for MouthLayer {
    fn default() -> Self {
        let mask = mask();
        let fine = Image::new(FINE_SIDE as u32, FINE_SIDE as u32, PixelType::U8x3);
        Self { resizer: Resizer::new(), how: lanczos(), fine, edge: SeamEdge::of(WINDOW, &mask), mask, tone: None }
    }
}

impl MouthLayer {
    /// The face (RGB, 256x256) at twice its size, with this mouth.
    ///
    /// # Panics
    /// When one of both has another size.
    pub fn lay(&mut self, face: &[u8], restored: &[u8]) -> &[u8] {
        assert_eq!((face.len(), restored.len()), (PICTURE, RESTORED_PICTURE), "a face and a mouth");
        // The sizes are right by what was just looked at.
        let drawn = ImageRef::new(SIDE as u32, SIDE as u32, face, PixelType::U8x3).expect("a square of RGB");
        self.resizer.resize(&drawn, &mut self.fine, &self.how).expect("two pictures that are not empty");
        let fine = self.fine.buffer_mut();
        let place = |x: usize, y: usize| ((y + 2 * TOP) * FINE_SIDE + x + 2 * LEFT) * 3;
        let pixel = |bytes: &[u8], at: usize| [bytes[at], bytes[at + 1], bytes[at + 2]].map(f32::from);
        let newest = self.edge.difference(WINDOW, |i| pixel(restored, i * 3), |x, y| pixel(fine, place(x, y)));
        let tone = TonePlanes::following(self.tone, newest);
        self.tone = Some(tone);
        for (i, share) in self.mask.iter().enumerate().filter(|(_, share)| **share > 0) {
            let (x, y) = (i % RESTORED, i / RESTORED);
            let (at, share, taken) = (place(x, y), f32::from(*share) / 255.0, tone.at(WINDOW, x, y));
            for ((to, new), taken) in fine[at..at + 3].iter_mut().zip(pixel(restored, i * 3)).zip(taken) {
                let mixed = f32::from(*to) * (1.0 - share) + (new - taken) * share;
                *to = mixed.round().clamp(0.0, 255.0) as u8;
            }
        }
        self.fine.buffer()
    }
}

/// All in the middle, nothing at the edge.
fn mask() -> Vec<u8> {
    let ramp = |at: usize| {
        let edge = (at.min(RESTORED - 1 - at) as f32 / FADE as f32).min(1.0);
        edge * edge * (3.0 - 2.0 * edge)
    };
    let share = |i: usize| ramp(i % RESTORED) * ramp(i / RESTORED);
    (0..RESTORED * RESTORED).map(|i| (share(i) * 255.0).round() as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face whose pixels tell where they are.
    fn face() -> Vec<u8> {
        (0..SIDE * SIDE).flat_map(|i| [(i % SIDE) as u8 / 2 + 60, (i / SIDE) as u8 / 2 + 60, 100]).collect()
    }

    /// The window of a face at twice its size, with something added to each channel.
    fn window(fine: &[u8], added: i16) -> Vec<u8> {
        let rows = fine.chunks_exact(FINE_SIDE * 3).skip(2 * TOP).take(RESTORED);
        let pixels = rows.flat_map(|row| row[2 * LEFT * 3..(2 * LEFT + RESTORED) * 3].iter());
        pixels.map(|byte| (i16::from(*byte) + added).clamp(0, 255) as u8).collect()
    }

    fn plain() -> Vec<u8> {
        // A window of no weight leaves the face.
        let mut layer = MouthLayer { mask: vec![0; RESTORED * RESTORED], ..MouthLayer::default() };
        layer.lay(&face(), &vec![0; RESTORED_PICTURE]).to_vec()
    }

    #[test]
    fn the_window_is_the_mouths() {
        let mut mouth = vec![9];
        cut_mouth(&face(), &mut mouth);
        assert_eq!(mouth.len(), 1 + MOUTH_PICTURE);
        assert_eq!(mouth[1..4], [64 / 2 + 60, 112 / 2 + 60, 100]);
        assert_eq!(mouth[mouth.len() - 3..], [191 / 2 + 60, 239 / 2 + 60, 100]);
    }

    #[test]
    fn a_mouth_that_is_as_it_was_changes_nothing() {
        let plain = plain();
        let laid = MouthLayer::default().lay(&face(), &window(&plain, 0)).to_vec();
        assert_eq!(laid, plain);
    }

    #[test]
    fn a_mouth_of_another_brightness_leaves_no_seam() {
        let plain = plain();
        let laid = MouthLayer::default().lay(&face(), &window(&plain, 24)).to_vec();
        let most = laid.iter().zip(&plain).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(most <= Some(1), "{most:?}");
    }

    #[test]
    fn what_is_sharper_in_the_middle_is_seen_and_nothing_is_outside() {
        let plain = plain();
        let mut sharper = window(&plain, 0);
        for y in 100..150 {
            for x in 100..150 {
                sharper[(y * RESTORED + x) * 3] = if x % 2 == 0 { 20 } else { 220 };
            }
        }
        let laid = MouthLayer::default().lay(&face(), &sharper).to_vec();
        for (i, (a, b)) in laid.chunks_exact(3).zip(plain.chunks_exact(3)).enumerate() {
            let (x, y) = (i % FINE_SIDE, i / FINE_SIDE);
            let inside = |at: usize, from: usize| (2 * from..2 * from + RESTORED).contains(&at);
            if !inside(x, LEFT) || !inside(y, TOP) {
                assert_eq!(a, b, "{x} {y}");
            }
        }
        let at = ((125 + 2 * TOP) * FINE_SIDE + 124 + 2 * LEFT) * 3;
        assert!(laid[at] < 25 && laid[at + 3] > 215, "{} {}", laid[at], laid[at + 3]);
    }
}
