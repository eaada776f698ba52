//! The teeth that an open portrait shows itself, and what becomes of them when it speaks.
//!
//! Behind lips that hardly part teeth lie in shadow, and in small pictures they take the red of the lips beside them. Such teeth
//! would stay dim however wide the mouth opens, so in speech they are brought towards what teeth look like in that light.

use super::curves::smoothstep;
use super::frame::FaceFrame;
use super::mouth::Mouth;
use super::palette::{BLACK, Palette, Tint};
use super::source::Source;

/// As bright as this share of the cheeks is a tooth.
const BRIGHT: f32 = 0.66;
/// So many of all places in the gap must be as bright, or no teeth are seen.
const LEAST: f32 = 0.1;
/// The brightest of them say what the teeth look like.
const BRIGHTEST: f32 = 0.12;
/// In speech their white is at least this share of the white that is painted, but never so much brighter than it was.
const WANTED: f32 = 0.86;
const MOST_GAIN: f32 = 1.5;
/// Gaps between teeth and gums, in shares of the white: what is darker stays as it is, what is brighter is all tooth.
const TOOTH: [f32; 2] = [0.50, 0.85];
/// What is as red as this, in shares of how flesh differs from white, is a tongue or a lip.
const FLESH: f32 = 0.95;
/// Places that are looked at: across, and from lip to lip.
const COLUMNS: usize = 17;
const ROWS: usize = 9;

/// A portrait's own teeth.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnWhite {
    /// Luma of their brightest.
    luma: f32,
    /// What speech makes of it: a factor of the luma, and what is added to the chroma.
    gain: f32,
    shift: [f32; 2],
}

impl OwnWhite {
    /// Of what `source` shows between the lips of an open `mouth`. `None` where it shows no teeth.
    pub(super) fn find(mouth: &Mouth, frame: FaceFrame, source: &Source, palette: &Palette) -> Option<Self> {
        let mut seen: Vec<Tint> = Vec::with_capacity(COLUMNS * ROWS);
        for column in 0..COLUMNS {
            let x = 0.7 * mouth.half_width * (2.0 * column as f32 / (COLUMNS - 1) as f32 - 1.0);
            let (from, to) = (mouth.upper.at(x) + 0.008, mouth.lower.at(x) - 0.010);
            for row in 0..ROWS {
                let y = from + (to - from).max(0.0) * row as f32 / (ROWS - 1) as f32;
                let yuv = source.yuv_at(frame.to_px([x, y]));
                seen.push(std::array::from_fn(|i| yuv[i] - BLACK[i]));
            }
        }
        let share = |n: f32| ((seen.len() as f32 * n) as usize).max(1);
        let (least, brightest) = (share(LEAST), share(BRIGHTEST));
        seen.sort_by(|a, b| b[0].total_cmp(&a[0]));
        if seen[least][0] <= BRIGHT * palette.light {
            return None;
        }
        let white: Tint =
            std::array::from_fn(|i| seen[..brightest].iter().map(|t| t[i]).sum::<f32>() / brightest as f32);
        if palette.redness(white) > FLESH {
            return Some(Self { luma: white[0], gain: 1.0, shift: [0.0; 2] });
        }
        let gain = (WANTED * palette.tooth[0] / white[0]).clamp(1.0, MOST_GAIN);
        let lit = white.map(|v| v * gain);
        let clean = palette.white(lit);
        Some(Self { luma: white[0], gain, shift: [1, 2].map(|c| clean[c] - lit[c]) })
    }

    /// `tint`, which is seen between the lips, in the light of speech as far as `engaged` says (0..=1).
    #[inline]
    pub(super) fn lit(&self, tint: Tint, engaged: f32) -> Tint {
        let tooth = engaged * smoothstep(TOOTH[0], TOOTH[1], tint[0] / self.luma);
        if tooth <= 0.0 {
            return tint;
        }
        let gain = 1.0 + (self.gain - 1.0) * tooth;
        let share = tooth * (tint[0] / self.luma).min(1.0);
        [tint[0] * gain, tint[1] * gain + self.shift[0] * share, tint[2] * gain + self.shift[1] * share]
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{LOWER_INNER, UPPER_INNER};
    use super::super::palette::tests::face;
    use super::*;
    use mouthpiece_frame::I420;

    const FRAME: FaceFrame = FaceFrame { origin: [100.0, 60.0], ex: [1.0, 0.0], unit: 200.0 };

    /// What is found of a gap that is `above` in its upper half and dark below, in an even picture.
    fn found(above: [u8; 3]) -> Option<OwnWhite> {
        let mut picture = I420::new(200, 120).unwrap();
        for y in 0..120 {
            let [luma, u, v] = if y < 60 { above } else { [30, 126, 132] };
            picture.y[y * 200..(y + 1) * 200].fill(luma);
            picture.u[y / 2 * 100..(y / 2 + 1) * 100].fill(u);
            picture.v[y / 2 * 100..(y / 2 + 1) * 100].fill(v);
        }
        let mut points = vec![[0.0; 3]; mouthpiece_frame::POINTS];
        for (line, side) in [(UPPER_INNER, -1.0), (LOWER_INNER, 1.0)] {
            for (k, point) in line.into_iter().enumerate() {
                let u = k as f32 / 5.0 - 1.0;
                points[point] = [0.3 * u, 0.08 * side * (1.0 - u * u), 0.0];
            }
        }
        let mouth = Mouth::trace(&points, true, None, 1.0 / FRAME.unit);
        OwnWhite::find(&mouth, FRAME, &Source::new(&picture), &face(118, 140))
    }

    #[test]
    fn a_dark_gap_shows_no_teeth() {
        assert!(found([60, 124, 136]).is_none());
    }

    #[test]
    fn dim_reddish_teeth_are_lit_in_speech_alone() {
        let dim = [104.0, -4.0, 14.0];
        let own = found([120, 124, 142]).unwrap();
        assert_eq!(own.lit(dim, 0.0), dim);
        let lit = own.lit(dim, 1.0);
        assert!(lit[0] > 1.3 * dim[0] && lit[2] < 0.9 * dim[2], "{lit:?}");
        let dark = [40.0, -2.0, 6.0];
        assert_eq!(own.lit(dark, 1.0), dark, "between teeth it stays dark");
    }

    #[test]
    fn white_teeth_stay_as_they_are() {
        let white = [194.0, -2.0, 1.0];
        let lit = found([210, 126, 129]).unwrap().lit(white, 1.0);
        assert!(lit.iter().zip(white).all(|(a, b)| (a - b).abs() < 0.5), "{lit:?}");
    }
}
