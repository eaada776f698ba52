//! Teeth that the mesh took for the lower lip.
//!
//! Of a smile with dark lips, above all in a grey picture, the mesh may find both inner lines along the upper lip: all teeth are
//! then "lower lip" and would be drawn a second time. What tells is a band that is as bright as the cheeks from the line downwards,
//! with a lip below it that is much darker.

use super::frame::{FaceFrame, LOWER_INNER};
use super::palette::{Palette, Tint};
use super::seam;
use mouthpiece_frame::{I420, Mesh};

/// Outer edge of the lower lip, in the order of [`LOWER_INNER`].
const LOWER_OUTER: [usize; 11] = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291];
/// Points whose columns are looked at, and how many of them must show teeth.
const COLUMNS: std::ops::RangeInclusive<usize> = 2..=8;
const ENOUGH: usize = 3;
/// Samples of a column, from the inner to the outer edge of the lip.
const SAMPLES: usize = 24;
/// Teeth are as bright as this share of the cheeks, and so many times as bright as the lip below them.
const BRIGHT: f32 = 0.72;
const BRIGHTER: f32 = 1.7;
/// A glossy lip is as red as this, in shares of how flesh differs from white.
const LEAST_RED: f32 = 0.45;
/// They begin within this share of the column and end within these, and so much of what lies between is bright.
const BEGIN: f32 = 0.25;
const END: [f32; 2] = [0.25, 0.80];
const FILLED: f32 = 0.6;
/// From a column to the next one outwards.
const TO_CORNERS: f32 = 0.6;

/// Brings the inner edge of the lower lip below the teeth that it lies above, in face coordinates; `points` are those of `face`.
/// Returns whether there were any.
pub(super) fn brought_below_teeth(points: &mut [[f32; 3]], frame: FaceFrame, face: &Mesh, picture: &I420) -> bool {
    let palette = Palette::of(picture, face);
    let ends: [Option<f32>; 11] = std::array::from_fn(|k| {
        let ([x, from, _], [_, to, _]) = (points[LOWER_INNER[k]], points[LOWER_OUTER[k]]);
        let share = COLUMNS.contains(&k).then(|| teeth_end(&column(picture, frame, x, [from, to]), &palette)).flatten();
        share.map(|share| from + (to - from) * share)
    });
    if ends.iter().flatten().count() < ENOUGH {
        return false;
    }
    // Towards the corners, where columns say nothing, it nears the line again.
    let mut moves = [0.0; 11];
    for k in [5, 4, 3, 2, 1, 6, 7, 8, 9] {
        let further_in = if k < 5 { k + 1 } else { k - 1 };
        moves[k] = ends[k].map_or(TO_CORNERS * moves[further_in], |end| end - points[LOWER_INNER[k]][1]);
    }
    LOWER_INNER.iter().zip(moves).for_each(|(&point, by)| points[point][1] += by);
    true
}

/// Colours from `from` down to `to` at `x`.
fn column(picture: &I420, frame: FaceFrame, x: f32, [from, to]: [f32; 2]) -> [Tint; SAMPLES] {
    std::array::from_fn(|i| {
        let y = from + (to - from) * (i as f32 + 0.5) / SAMPLES as f32;
        seam::soft(picture, frame.to_px([x, y]))
    })
}

/// In which share of a column teeth end; none where none are seen.
fn teeth_end(column: &[Tint; SAMPLES], palette: &Palette) -> Option<f32> {
    let lip = column[SAMPLES * 3 / 5..].iter().map(|tint| tint[0]).fold(f32::MAX, f32::min).max(8.0);
    let is_tooth = |tint: &Tint| {
        tint[0] > BRIGHT * palette.light && tint[0] > BRIGHTER * lip && palette.redness(*tint) < LEAST_RED
    };
    let first = column.iter().position(is_tooth)?;
    let last = column.iter().rposition(is_tooth)?;
    let filled = column[first..=last].iter().filter(|tint| is_tooth(tint)).count() as f32;
    let (begin, end) = (first as f32 / SAMPLES as f32, (last + 1) as f32 / SAMPLES as f32);
    let is_band = begin <= BEGIN && (END[0]..=END[1]).contains(&end) && filled >= FILLED * (last - first + 1) as f32;
    is_band.then_some(end)
}

#[cfg(test)]
mod tests {
    use super::super::palette::BLACK;
    use super::*;
    use mouthpiece_frame::POINTS;

    const TEETH: [u8; 3] = [180, 124, 132];
    const LIP: [u8; 3] = [90, 118, 152];
    const SKIN: [u8; 3] = [170, 114, 146];

    /// Where teeth end in a column whose upper half has one colour and whose lower half another, of a face with red lips.
    fn end(above: [u8; 3], below: [u8; 3]) -> Option<f32> {
        let tint = |yuv: [u8; 3]| std::array::from_fn(|i| f32::from(yuv[i]) - BLACK[i]);
        let column = std::array::from_fn(|i| if i < SAMPLES / 2 { tint(above) } else { tint(below) });
        let mut picture = I420::new(128, 128).unwrap();
        for (plane, skin, lip) in
            [(&mut picture.y, SKIN[0], LIP[0]), (&mut picture.u, SKIN[1], LIP[1]), (&mut picture.v, SKIN[2], LIP[2])]
        {
            let half = plane.len() / 2;
            plane[..half].fill(skin);
            plane[half..].fill(lip);
        }
        let mut mesh = Mesh { points: vec![[64.0, 32.0, 0.0]; POINTS], presence: 1.0 };
        for lip in [16, 85, 315, 180, 404] {
            mesh.points[lip] = [64.0, 100.0, 0.0];
        }
        (mesh.points[33], mesh.points[263]) = ([44.0, 32.0, 0.0], [84.0, 32.0, 0.0]);
        teeth_end(&column, &Palette::of(&picture, &mesh))
    }

    #[test]
    fn a_bright_band_over_a_dark_lip_is_teeth() {
        assert_eq!(end(TEETH, LIP), Some(0.5));
    }

    #[test]
    fn a_glossy_lip_is_not_nor_what_no_lip_follows() {
        assert_eq!(end([180, 112, 158], LIP), None, "red");
        assert_eq!(end(TEETH, [130, 118, 152]), None, "the lip below is bright too");
        assert_eq!(end(TEETH, TEETH), None, "it ends nowhere");
    }
}
