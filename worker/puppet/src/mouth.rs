//! The mouth of one reference frame: where its lines run and how thick its lips are.

use super::curves::{MonotoneCubic, Profile, smoothstep};
use super::frame::{LOWER_INNER, UPPER_INNER};

/// A mouth counts as open in the reference when the inner lip edges stand further apart than this, in D. The refined mesh
/// says at most .008 for closed mouths, and .048 and more for lips that are clearly parted.
pub(super) const OPEN_GAP: f32 = 0.020;

/// How much of the way the upper lip goes when an open mouth closes; the lower lip goes the rest.
pub(super) const CLOSE_UPPER_SHARE: f32 = 0.45;

/// The widest gap that a smile keeps while it speaks, in D.
const SMILE_KEPT: f32 = 0.03;

/// Samples along a mouth line.
const LINE_SAMPLES: usize = 81;
/// Half the samples between two points of the mesh.
const POINT_REACH: usize = 3;

/// Mouth geometry in the face frame, all lengths in D.
#[derive(Debug, Clone)]
pub(super) struct Mouth {
    /// Half the distance between the inner corners.
    pub(super) half_width: f32,
    /// Lower border of the upper sheet: Y over X. Runs level beyond the corners.
    pub(super) upper: Profile,
    /// Upper border of the lower sheet. The same as `upper` when the mouth is closed.
    pub(super) lower: Profile,
    /// Whether the reference shows the mouth open.
    pub(super) open: bool,
    /// Gap between the inner lip edges in the middle.
    pub(super) gap: f32,
    /// Thickness of the upper lip, at least 0.03.
    pub(super) upper_lip: f32,
    /// Thickness of the lower lip, at least 0.05.
    pub(super) lower_lip: f32,
    /// From the line up to the base of the nose.
    pub(super) nose: f32,
    /// From the line down to the tip of the chin.
    pub(super) chin: f32,
    /// X of the chin's tip.
    pub(super) chin_x: f32,
    /// Half the width of the jaw at its angles.
    pub(super) jaw_half: f32,
}

/// Middle distance between the inner lip edges, in D.
pub(super) fn inner_gap(points: &[[f32; 3]]) -> f32 {
    (points[13][0] - points[14][0]).hypot(points[13][1] - points[14][1])
}

impl Mouth {
    /// Traces a mouth that the reference shows open (`snap` is not used) or closed, in which case `snap` moves the
    /// line between the landmarks onto the dark line between the lips (see [`seam`](super::seam)). `pixel` is the size of a
    /// pixel in D.
    pub(super) fn trace(points: &[[f32; 3]], open: bool, snap: Option<&Profile>, pixel: f32) -> Self {
        let xy = |i: usize| [points[i][0], points[i][1]];
        let half_width = ((points[308][0] - points[78][0]) / 2.0).max(0.05);
        let (upper, lower) = if open {
            Self::open_lines(points, half_width, pixel)
        } else {
            let line = Self::middle_line(points, half_width);
            let line = match snap {
                Some(s) => line.with_values(line.values().iter().zip(s.values()).map(|(y, d)| y + d).collect()),
                None => line,
            };
            (line.clone(), line)
        };
        let upper_lip = [37, 0, 267].map(|i| upper.at(xy(i)[0]) - xy(i)[1]).iter().sum::<f32>() / 3.0;
        let lower_lip = xy(17)[1] - lower.at(xy(17)[0]);
        Self {
            half_width,
            open,
            gap: inner_gap(points),
            upper_lip: upper_lip.max(0.03),
            lower_lip: lower_lip.max(0.05),
            nose: ((upper.at(xy(2)[0]) - xy(2)[1]) * 0.95).max(0.08),
            chin: (xy(152)[1] - lower.at(xy(152)[0])).max(0.15),
            chin_x: points[152][0],
            jaw_half: ((points[397][0] - points[172][0]) / 2.0).max(half_width),
            upper,
            lower,
        }
    }

    /// How much of its gap (0..=1) an open mouth keeps while it speaks: who smiles at somebody goes on smiling, but not
    /// with the teeth wide apart. `None` of a closed mouth.
    pub(super) fn smile(&self) -> Option<f32> {
        self.open.then(|| (SMILE_KEPT / self.gap.max(1e-3)).min(0.35))
    }

    /// Midway between the inner lip edges: the first guess of a closed mouth's line.
    pub(super) fn middle_line(points: &[[f32; 3]], half_width: f32) -> Profile {
        let middle: Vec<[f32; 2]> = UPPER_INNER
            .iter()
            .zip(LOWER_INNER)
            .map(|(&u, l)| [(points[u][0] + points[l][0]) / 2.0, (points[u][1] + points[l][1]) / 2.0])
            .collect();
        let curve = MonotoneCubic::through(&middle);
        Profile::sample(-1.04 * half_width, 1.04 * half_width, LINE_SAMPLES, |x| curve.at(x))
    }

    fn open_lines(points: &[[f32; 3]], half_width: f32, pixel: f32) -> (Profile, Profile) {
        let curve = |ids: [usize; 11]| MonotoneCubic::through(&ids.map(|i| [points[i][0], points[i][1]]));
        let (upper, lower) = (curve(UPPER_INNER), curve(LOWER_INNER));
        let smooth = |curve: &MonotoneCubic| {
            let line = Profile::sample(-1.04 * half_width, 1.04 * half_width, LINE_SAMPLES, |x| curve.at(x));
            // Averaged twice over the distance of two points: what runs through eleven of them shows each as a corner.
            line.averaged(POINT_REACH).averaged(POINT_REACH)
        };
        let (upper, lower) = (smooth(&upper), smooth(&lower));
        let line = |sign: f32| {
            let joined = |i: usize| {
                let x = upper.place(i);
                // Widened a little, so that no tooth sits on a lip, nor its light.
                let (u, l) = (upper.values()[i] - 0.003 - 0.7 * pixel, lower.values()[i] + 0.005 + 0.7 * pixel);
                // Beyond the corners they are one, or the folds beside the mouth would break there.
                let join = smoothstep(0.0, 1.0, (half_width * 1.02 - x.abs()) / (0.14 * half_width));
                (u + l) / 2.0 + sign * (l - u).max(0.0) / 2.0 * join
            };
            upper.with_values((0..LINE_SAMPLES).map(joined).collect())
        };
        (line(-1.0), line(1.0))
    }

    /// Signed height above the upper line (positive inside the upper sheet), in D.
    #[inline]
    pub(super) fn above(&self, [x, y]: [f32; 2]) -> f32 {
        self.upper.at(x) - y
    }

    /// Signed depth below the lower line (positive inside the lower sheet), in D.
    #[inline]
    pub(super) fn below(&self, [x, y]: [f32; 2]) -> f32 {
        y - self.lower.at(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_an_open_mouth_meet_at_its_corners_and_stay_one() {
        let mut points = vec![[0.0; 3]; mouthpiece_frame::POINTS];
        for (line, side) in [(UPPER_INNER, -1.0), (LOWER_INNER, 1.0)] {
            for (k, point) in line.into_iter().enumerate() {
                let u = k as f32 / 5.0 - 1.0;
                points[point] = [0.3 * u, 0.02 * u + 0.09 * side * (1.0 - u * u), 0.0];
            }
        }
        for (point, y) in [(0, -0.16), (37, -0.16), (267, -0.16), (2, -0.4), (17, 0.2), (152, 0.6)] {
            points[point] = [0.0, y, 0.0];
        }
        let mouth = Mouth::trace(&points, true, None, 0.01);
        assert!(mouth.lower.at(0.0) - mouth.upper.at(0.0) > 0.15);
        for x in [-1.5, -1.04, 1.04, 1.1, 2.0].map(|u: f32| u * mouth.half_width) {
            assert!((mouth.upper.at(x) - mouth.lower.at(x)).abs() < 1e-6, "{x}");
        }
    }
}
