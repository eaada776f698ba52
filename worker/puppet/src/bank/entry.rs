//! One mouth of the bank.

use super::BankFrame;
use super::choose::Candidate;
use super::contour::Contour;
use super::follow::Choice;
use super::light::SkinLight;
use super::measure::around;
use crate::clip::Affine;
use crate::curves::smoothstep;
use crate::frame::FaceFrame;
use crate::interior::decay;
use crate::source::Source;
use mouthpiece_frame::{I420, Rect};
use mouthpiece_media::face::topology;

/// Pixels around the inner lips that are kept: what sampling between pixels needs.
const MARGIN: usize = 3;
/// At a lip's very edge the mouth blends with it: nothing is taken from nearer than this, in D.
const INSET: f32 = 0.008;
/// A lip that comes down over teeth which were seen without it throws its shadow on them: how strong, and how far, in D.
const CONTACT: f32 = 0.45;
const CONTACT_REACH: f32 = 0.016;

/// A mouth, cut out.
#[derive(Debug)]
pub(super) struct BankEntry {
    pub(super) contour: Contour,
    pub(super) turn: [f32; 2],
    pub(super) light: SkinLight,
    /// From pixels of the home frame to those that were cut out.
    pub(super) pose: Affine,
    /// The pixels, as they were filmed.
    pub(super) cut: Source,
}

impl Choice for BankEntry {
    fn contour(&self) -> &Contour {
        &self.contour
    }

    fn turn(&self) -> [f32; 2] {
        self.turn
    }
}

impl BankEntry {
    pub(super) fn cut(mouth: &Candidate, frame: &BankFrame<'_>) -> Self {
        let (face, picture) = (&frame.reference.face, &frame.reference.picture);
        let area = at_least(around(face, &topology::LIPS_INNER, MARGIN, picture), picture);
        Self {
            contour: mouth.contour,
            turn: mouth.turn,
            light: frame.light,
            pose: frame.pose.shifted([-(area.x0 as f32), -(area.y0 as f32)]),
            cut: Source::new(&part(picture, area)),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.cut.bytes()
    }

    /// `[Y, U, V]` for a place of the face frame between lips that stand as `wanted`.
    ///
    /// Upper teeth are fixed to the skull, so at the upper lip a place is looked up where it is; what lies on the jaw goes
    /// with the lower lip. Between them one turns into the other. Where the lips have uncovered more than this mouth shows,
    /// it goes on as at its edge.
    #[inline]
    pub(super) fn at(&self, [x, y]: [f32; 2], wanted: &Contour, home: FaceFrame) -> [f32; 3] {
        let place = self.place([x, y], wanted);
        let yuv = self.cut.yuv_at(self.pose.at(home.to_px(place)));
        let (top, _) = wanted.at(x);
        let covered = ((top - self.contour.at(place[0]).0) / 0.02).clamp(0.0, 1.0);
        let shade = 1.0 - CONTACT * covered * decay((y - top).max(0.0) / CONTACT_REACH);
        [16.0 + (yuv[0] - 16.0) * shade, yuv[1], yuv[2]]
    }

    /// Where in this mouth a place between lips that stand as `wanted` is looked up.
    fn place(&self, [x, y]: [f32; 2], wanted: &Contour) -> [f32; 2] {
        let own = &self.contour;
        let off = x - wanted.centre;
        let narrower = own.half / wanted.half;
        let out = smoothstep(0.45, 1.0, off.abs() / wanted.half);
        let x_own = own.centre + off * (1.0 + (narrower - 1.0) * out) + (wanted.centre - own.centre) * (1.0 - out);
        let ((top, bottom), (own_top, own_bottom)) = (wanted.at(x), own.at(x_own));
        let down = ((y - top) / (bottom - top).max(1e-3)).clamp(0.0, 1.0);
        let y_own = y + down * (own_bottom - bottom);
        let middle = 0.5 * (own_top + own_bottom);
        let (from, to) = ((own_top + INSET).min(middle), (own_bottom - INSET).max(middle));
        [x_own, y_own.clamp(from, to)]
    }
}

/// An area that can be sampled: at least 4 by 4 pixels.
fn at_least(area: Rect, picture: &I420) -> Rect {
    let side = |a: usize, b: usize, most: usize| {
        let a = a.min(most.saturating_sub(4)) & !1;
        (a, b.max(a + 4).min(most))
    };
    let ((x0, x1), (y0, y1)) = (side(area.x0, area.x1, picture.width()), side(area.y0, area.y1, picture.height()));
    Rect { x0, y0, x1, y1 }
}

/// The pixels of an even area as a picture.
fn part(picture: &I420, area: Rect) -> I420 {
    // An even area of at least 4 by 4 pixels is a picture.
    let Ok(mut part) = I420::new(area.width(), area.height()) else { return picture.clone() };
    for (row, to) in part.y.chunks_exact_mut(area.width()).enumerate() {
        let at = (area.y0 + row) * picture.width() + area.x0;
        to.copy_from_slice(&picture.y[at..at + area.width()]);
    }
    let half = area.width() / 2;
    for (to, from) in [(&mut part.u, &picture.u), (&mut part.v, &picture.v)] {
        for (row, to) in to.chunks_exact_mut(half).enumerate() {
            let at = (area.y0 / 2 + row) * (picture.width() / 2) + area.x0 / 2;
            to.copy_from_slice(&from[at..at + half]);
        }
    }
    part
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::contour::tests::arc;
    use super::*;
    use proptest::prelude::*;

    const HOME: FaceFrame = FaceFrame { origin: [60.0, 40.0], ex: [1.0, 0.0], unit: 100.0 };

    /// A mouth that is white above and dark below.
    pub(in crate::bank) fn entry(contour: Contour) -> BankEntry {
        let mut picture = I420::new(120, 80).unwrap();
        for (i, v) in picture.y.iter_mut().enumerate() {
            *v = if i / 120 < 42 { 200 } else { 40 };
        }
        let light = SkinLight([100.0, 0.0, 0.0]);
        BankEntry { contour, turn: [0.0; 2], light, pose: Affine::IDENTITY, cut: Source::new(&picture) }
    }

    #[test]
    fn upper_teeth_stay_where_they_are_when_the_upper_lip_moves() {
        let entry = entry(arc(0.3, 0.06, 0.10));
        let edge = |top: f32| {
            let wanted = arc(0.3, top, 0.10);
            (0..100).map(|k| -top + k as f32 * 0.001).find(|&y| entry.at([0.0, y], &wanted, HOME)[0] < 90.0)
        };
        let (high, low) = (edge(0.06).unwrap(), edge(0.0).unwrap());
        assert!((high - low).abs() < 0.004, "{high} {low}");
    }

    proptest! {
        #[test]
        fn lips_are_never_shown_between_lips(
            own in (0.0_f32..0.08, 0.02_f32..0.2, 0.2_f32..0.35), wanted in (0.0_f32..0.08, 0.02_f32..0.2, 0.2_f32..0.35),
            at in (-1.0_f32..1.0, 0.0_f32..1.0)
        ) {
            let entry = entry(arc(own.2, own.0, own.1));
            let wanted = arc(wanted.2, wanted.0, wanted.1);
            let x = at.0 * wanted.half;
            let (top, bottom) = wanted.at(x);
            let [px, py] = entry.place([x, top + (bottom - top) * at.1], &wanted);
            let (own_top, own_bottom) = entry.contour.at(px);
            prop_assert!(py >= own_top - 1e-6 && py <= own_bottom + 1e-6);
            prop_assert!(px.abs() <= entry.contour.half + 1e-5 || px.abs() <= x.abs() + 1e-5);
        }
    }

    #[test]
    fn what_is_cut_out_is_what_was_there() {
        let mut picture = I420::new(64, 48).unwrap();
        picture.y.iter_mut().enumerate().for_each(|(i, v)| *v = (i % 251) as u8);
        let area = Rect { x0: 10, y0: 6, x1: 30, y1: 20 };
        let cut = part(&picture, area);
        assert_eq!(
            (cut.width(), cut.height(), cut.y[0], cut.y[20]),
            (20, 14, picture.y[6 * 64 + 10], picture.y[7 * 64 + 10])
        );
        assert_eq!(
            at_least(Rect { x0: 63, y0: 47, x1: 63, y1: 47 }, &picture),
            Rect { x0: 60, y0: 44, x1: 64, y1: 48 }
        );
    }
}
