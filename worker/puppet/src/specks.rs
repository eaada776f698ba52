//! What shines between lips that count as closed: specks of teeth, at the edge of the lower lip.
//!
//! A gap of two pixels is no open mouth, but what it shows would ride on the lower lip as soon as that goes down.

use super::curves::Profile;
use super::frame::FaceFrame;
use super::mouth::Mouth;
use super::palette::{BLACK, Palette, Tint, median};
use super::source::Source;

/// Places along the line, and steps downwards from it.
const COLUMNS: usize = 41;
const STEPS: usize = 12;
/// How far down a step goes, in D, and how many of them may lie between the line and a speck.
const STEP: f32 = 0.0035;
const NEAREST: usize = 5;
/// The lip itself is looked at so far below the line, in shares of its thickness.
const LIP: [f32; 4] = [0.45, 0.55, 0.65, 0.75];
/// A speck is so much less red than the lip, or where nothing is red so much brighter than it.
const LESS_RED: f32 = 0.30;
const BRIGHTER: f32 = 1.35;
/// And no darker than this share of it.
const LEAST_LIGHT: f32 = 0.95;
/// Flesh that differs from white by less shows no red (levels of chroma).
const RED: f32 = 6.0;

/// How far below the edge of the lower lip specks reach, in D over X; 0 where there are none, and all along an open mouth.
pub(super) fn specks(mouth: &Mouth, frame: FaceFrame, source: &Source, palette: &Palette) -> Profile {
    let seen = |x: f32, below: f32| -> Tint {
        let yuv = source.yuv_at(frame.to_px([x, mouth.lower.at(x) + below]));
        std::array::from_fn(|i| yuv[i] - BLACK[i])
    };
    let is_red = palette.blush[1].hypot(palette.blush[2]) > RED;
    let reach = 0.85 * mouth.half_width;
    let depth = |x: f32| {
        if mouth.open {
            return 0.0;
        }
        let lip = median(LIP.map(|share| seen(x, share * mouth.lower_lip)));
        let lip_red = palette.redness(lip);
        let is_speck = |k: &usize| {
            let tint = seen(x, *k as f32 * STEP);
            let pale =
                if is_red { palette.redness(tint) < lip_red - LESS_RED } else { tint[0] > BRIGHTER * lip[0] };
            pale && tint[0] > LEAST_LIGHT * lip[0]
        };
        match (0..NEAREST).find(is_speck) {
            Some(first) => ((first..STEPS).take_while(is_speck).count() + first) as f32 * STEP,
            None => 0.0,
        }
    };
    let found = Profile::sample(-reach, reach, COLUMNS, depth);
    let values = found.values();
    let widest = |i: usize| values[i.saturating_sub(1)..(i + 2).min(COLUMNS)].iter().copied().fold(0.0, f32::max);
    found.with_values((0..COLUMNS).map(widest).collect()).averaged(1)
}
