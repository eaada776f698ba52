//! The line between the lips where it runs on beyond the corners of the mouth.
//!
//! In a photograph the dark between closed lips goes on as a crease. When the lips part, the corners of the opening stand
//! inside it, and what is left of the line would stick out of them like whiskers. Real corners stretch: the crease goes.

use super::curves::{Profile, smoothstep};
use super::frame::FaceFrame;
use super::mouth::Mouth;
use super::seam;
use mouthpiece_frame::I420;

/// How far the line is followed, in half widths of the mouth.
pub(super) const FOLLOWED: f32 = 1.4;
/// Samples along it.
const SAMPLES: usize = 121;
/// It lies no further than so many steps of the search from where the landmarks say.
const SEARCHED: f32 = 4.0;
/// Half the width that goes altogether and where nothing goes any more (D), and where the skin beside it is itself.
const CREASE: [f32; 2] = [0.018, 0.042];
const BESIDE: f32 = 0.046;
/// Further from the mouth's own line (D) nothing is changed.
const ENDS: [f32; 2] = [0.032, 0.048];
/// What is so many levels darker than the skin beside it goes altogether.
const DARK: f32 = 12.0;
/// From the corner outwards the crease ends where it is no darker than this any more: what is dark beyond is a fold that
/// crosses the line.
const STILL_DARK: f32 = 4.0;
/// Steps of that search, in half widths.
const END_STEP: f32 = 0.02;
/// Over so much (half widths) it fades on either side of its end.
const END_FADE: f32 = 0.08;
/// Beside the corner is so far out, in half widths; what is as dark there as this share of flesh is hair, or skin.
const AROUND: f32 = 1.16;
const HAIR: [f32; 2] = [0.45, 0.85];

/// Both corners' creases.
#[derive(Debug, Clone)]
pub(super) struct Creases {
    line: Profile,
    half_width: f32,
    /// How far they run to the left and to the right, in half widths.
    ends: [f32; 2],
    /// How bright it is beside both corners: luma above black.
    beside: [f32; 2],
}

impl Creases {
    /// Finds those of `mouth` in `picture`; `points` are its landmarks in the face frame.
    pub(super) fn find(mouth: &Mouth, points: &[[f32; 3]], frame: FaceFrame, picture: &I420) -> Self {
        let half_width = mouth.half_width;
        let middle = |x: f32| 0.5 * (mouth.upper.at(x) + mouth.lower.at(x));
        // Towards the outer corner, then half as steep to as far again.
        let beyond = |corner: usize, x: f32| {
            let [outer_x, outer_y, _] = points[corner];
            let inner = [half_width * x.signum(), middle(half_width * x.signum())];
            let way = (x - inner[0]) / (outer_x - inner[0]).abs().max(0.02) * x.signum();
            inner[1] + (outer_y - inner[1]) * (way.min(1.0) + 0.5 * (way - 1.0).clamp(0.0, 1.0))
        };
        let line = Profile::sample(-FOLLOWED * half_width, FOLLOWED * half_width, SAMPLES, |x| {
            if x.abs() <= half_width { middle(x) } else { beyond(if x < 0.0 { 61 } else { 291 }, x) }
        });
        let offsets: Vec<f32> = (0..=(4.0 * SEARCHED) as usize).map(|k| k as f32 * 0.5 - SEARCHED).collect();
        let cost = |column: usize| -> Vec<f32> {
            let (x, y) = (line.place(column), line.values()[column]);
            let at = |o: f32| seam::soft(picture, frame.to_px([x, y + o * seam::STEP]))[0];
            let luma: Vec<f32> = offsets.iter().map(|&o| at(o)).collect();
            let least = luma.iter().copied().fold(f32::MAX, f32::min);
            let held = if x.abs() < half_width { 3.0 } else { 0.0 };
            luma.iter().zip(&offsets).map(|(l, o)| l - least + held * o.abs() + 0.12 * o.abs().powf(1.5)).collect()
        };
        let moved = line.with_values(seam::cheapest(&offsets, SAMPLES, cost)).averaged(3);
        let values = line.values().iter().zip(moved.values()).map(|(y, o)| y + o * seam::STEP).collect();
        let line = line.with_values(values);
        let luma = |x: f32, by: f32| seam::soft(picture, frame.to_px([x, line.at(x) + by]))[0];
        let around = |x: f32| 0.5 * (luma(x, -BESIDE) + luma(x, BESIDE));
        let ends = [-1.0, 1.0].map(|side| {
            let steps = 1..=((FOLLOWED - 1.0) / END_STEP) as usize;
            let mut outwards = steps.map(|k| 1.0 + k as f32 * END_STEP);
            let is_over = |out: &f32| around(side * out * half_width) - luma(side * out * half_width, 0.0) < STILL_DARK;
            outwards.find(is_over).unwrap_or(FOLLOWED)
        });
        let beside = [-1.0, 1.0].map(|side| around(side * AROUND * half_width));
        Self { line, half_width, ends, beside }
    }

    /// Whether skin lies beside the corner on the side of `x`, 0..=1: over hair lips are not to be seen. `flesh` is the luma that
    /// they have there in the open.
    pub(super) fn bare(&self, x: f32, flesh: f32) -> f32 {
        smoothstep(HAIR[0], HAIR[1], self.beside[usize::from(x > 0.0)] / flesh.max(1.0))
    }

    /// `colour`, which the picture shows at `[x, y]`, as far without the crease as `stretched` says (0..=1). `look` tells what the
    /// picture shows elsewhere, `off` how far from the mouth's own line the place lies.
    #[inline]
    pub(super) fn without(
        &self,
        colour: [f32; 3],
        [x, y]: [f32; 2],
        off: f32,
        stretched: f32,
        look: impl Fn([f32; 2]) -> [f32; 3],
    ) -> [f32; 3] {
        let out = x.abs() / self.half_width;
        if stretched <= 0.0 || !(0.93..FOLLOWED).contains(&out) || off > ENDS[1] {
            return colour;
        }
        let end = self.ends[usize::from(x > 0.0)];
        if out > end + END_FADE {
            return colour;
        }
        let line = self.line.at(x);
        let weight = stretched
            * smoothstep(0.93, 1.05, out)
            * (1.0 - smoothstep(1.18, FOLLOWED, out))
            * (1.0 - smoothstep(end - END_FADE, end + END_FADE, out))
            * (1.0 - smoothstep(ENDS[0], ENDS[1], off))
            * (1.0 - smoothstep(CREASE[0], CREASE[1], (y - line).abs()));
        let (above, below) = (look([x, line - BESIDE]), look([x, line + BESIDE]));
        let t = (0.5 + 0.5 * (y - line) / BESIDE).clamp(0.0, 1.0);
        let skin: [f32; 3] = std::array::from_fn(|i| above[i] + (below[i] - above[i]) * t);
        let weight = weight * ((skin[0] - colour[0]) / DARK).clamp(0.0, 1.0);
        std::array::from_fn(|i| colour[i] + (skin[i] - colour[i]) * weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    const FRAME: FaceFrame = FaceFrame { origin: [100.0, 60.0], ex: [1.0, 0.0], unit: 120.0 };

    /// A mouth half .25 wide in bright skin, its dark line running on to .32 on both sides and falling a little.
    fn scene() -> (I420, Mouth, Vec<[f32; 3]>) {
        let mut picture = I420::new(200, 120).unwrap();
        picture.y.fill(150);
        let dips = |x: f32| 0.02 * ((x.abs() - 0.25) / 0.05).clamp(0.0, 1.5);
        for px in 0..200 {
            let x = (px as f32 - 100.0) / 120.0;
            for dy in -1..=1 {
                let y = (60.0 + 120.0 * dips(x)).round() as isize + dy;
                if x.abs() < 0.32 {
                    picture.y[y as usize * 200 + px] = 60;
                }
            }
        }
        let mut points = vec![[0.0; 3]; mouthpiece_frame::POINTS];
        for (point, x) in [(78, -0.25), (308, 0.25), (61, -0.275), (291, 0.275)] {
            points[point] = [x, dips(x), 0.0];
        }
        for (point, y) in [(0, -0.08), (37, -0.08), (267, -0.08), (2, -0.3), (17, 0.1), (152, 0.5)] {
            points[point] = [0.0, y, 0.0];
        }
        let mouth = Mouth::trace(&points, false, None, 1.0 / FRAME.unit);
        (picture, mouth, points)
    }

    #[test]
    fn the_line_goes_beyond_the_corners_and_stays_between_them() {
        let (picture, mouth, points) = scene();
        let creases = Creases::find(&mouth, &points, FRAME, &picture);
        let source = Source::new(&picture);
        let luma = |x: f32, y: f32, stretched: f32| {
            let look = |p: [f32; 2]| source.yuv_at(FRAME.to_px(p));
            creases.without(look([x, y]), [x, y], y.abs(), stretched, look)[0]
        };
        for x in [-0.30_f32, -0.28, 0.28, 0.30] {
            let y = 0.02 * ((x.abs() - 0.25) / 0.05).clamp(0.0, 1.5);
            assert!(luma(x, y, 0.0) < 75.0, "{x}: the line is there");
            assert!(luma(x, y, 1.0) > 125.0, "{x}: {}", luma(x, y, 1.0));
        }
        assert!(luma(0.2, 0.0, 1.0) < 75.0);
        assert!((luma(0.3, -0.1, 1.0) - 150.0).abs() < 1.0);
    }

    #[test]
    fn a_fold_that_crosses_beyond_the_end_of_the_line_is_left() {
        let (mut picture, mouth, points) = scene();
        // A dark fold from top to bottom, at .36 to .38.
        for y in 0..120 {
            picture.y[y * 200 + 143..y * 200 + 146].fill(70);
        }
        let creases = Creases::find(&mouth, &points, FRAME, &picture);
        let source = Source::new(&picture);
        let look = |p: [f32; 2]| source.yuv_at(FRAME.to_px(p));
        let end = 0.02 * 1.4;
        for y in [end - 0.03, end, end + 0.03] {
            let place = [0.37, y];
            assert_eq!(creases.without(look(place), place, 0.0, 1.0, look), look(place));
        }
    }

    #[test]
    fn hair_beside_a_corner_is_told_from_skin() {
        let (mut picture, mouth, points) = scene();
        let bare = Creases::find(&mouth, &points, FRAME, &picture);
        assert!(bare.bare(-0.25, 100.0) > 0.99 && bare.bare(0.25, 100.0) > 0.99);
        for row in picture.y.chunks_exact_mut(200) {
            row[120..].fill(36);
        }
        let bearded = Creases::find(&mouth, &points, FRAME, &picture);
        assert!(bearded.bare(-0.25, 100.0) > 0.99 && bearded.bare(0.25, 100.0) < 0.01);
    }
}
