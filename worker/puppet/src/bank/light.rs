//! The light on a face, so that what was seen in one frame can be shown in another.

use crate::clip::Affine;
use crate::palette::pixel;
use mouthpiece_frame::{I420, Mesh};

/// Skin that speech hardly shades: both cheeks, beside the nose, between nose and lip.
const SKIN: [usize; 7] = [50, 280, 205, 425, 36, 266, 164];
/// A match changes brightness by no more than this factor, and colour by no more than so much.
const MOST_GAIN: f32 = 1.6;
const MOST_TINT: f32 = 14.0;

/// Mean `[Y - 16, U - 128, V - 128]` of the skin around a mouth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SkinLight(pub(super) [f32; 3]);

impl SkinLight {
    /// Of a frame whose `pose` leads from the home frame's `face` to it.
    pub(crate) fn of(face: &Mesh, pose: &Affine, picture: &I420) -> Self {
        let reach = 0.02 * face.eye_span();
        let mut sum = [0.0; 3];
        let mut count = 0.0;
        for i in SKIN {
            let [x, y, _] = face.points[i];
            for (dx, dy) in [(0.0, 0.0), (reach, 0.0), (-reach, 0.0), (0.0, reach), (0.0, -reach)] {
                let [x, y] = pose.at([x + dx, y + dy]);
                for (s, v) in sum.iter_mut().zip(pixel(picture, x.round() as isize, y.round() as isize)) {
                    *s += v;
                }
                count += 1.0;
            }
        }
        Self(sum.map(|s| s / count))
    }

    /// What brings a picture that was taken in this light into `other`.
    pub(crate) fn to(self, other: Self) -> LightMatch {
        let gain = (other.0[0].max(4.0) / self.0[0].max(4.0)).clamp(1.0 / MOST_GAIN, MOST_GAIN);
        let tint = |c: usize| (other.0[c] - gain * self.0[c]).clamp(-MOST_TINT, MOST_TINT);
        LightMatch { gain, tint: [tint(1), tint(2)] }
    }
}

/// From one light to another: a gain for all, a shift for colours, which dark places take less of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LightMatch {
    gain: f32,
    tint: [f32; 2],
}

impl LightMatch {
    /// `[Y, U, V]` in the other light.
    #[inline]
    pub(crate) fn apply(self, [y, u, v]: [f32; 3]) -> [f32; 3] {
        let luma = (y - 16.0) * self.gain;
        let lit = (luma * (1.0 / 90.0)).clamp(0.0, 1.0);
        let colour = |v: f32, tint: f32| 128.0 + (v - 128.0) * self.gain + tint * lit;
        [16.0 + luma, colour(u, self.tint[0]), colour(v, self.tint[1])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_light_changes_nothing_and_twice_the_light_is_held_back() {
        let a = SkinLight([100.0, -8.0, 14.0]);
        assert_eq!(a.to(a).apply([120.0, 110.0, 150.0]), [120.0, 110.0, 150.0]);
        let bright = a.to(SkinLight([210.0, -16.8, 29.4])).apply([66.0, 128.0, 128.0]);
        assert!((bright[0] - (16.0 + 50.0 * MOST_GAIN)).abs() < 1e-3, "{bright:?}");
    }

    proptest! {
        #[test]
        fn skin_comes_out_as_the_other_skin(
            y in 60.0_f32..150.0, k in 0.75_f32..1.3, u in -20.0_f32..0.0, v in 0.0_f32..25.0, du in -5.0_f32..5.0
        ) {
            let (here, there) = (SkinLight([y, u, v]), SkinLight([y * k, u * k + du, v * k]));
            let got = here.to(there).apply([16.0 + y, 128.0 + u, 128.0 + v]);
            let lit = (y * k / 90.0).min(1.0);
            prop_assert!((got[0] - 16.0 - y * k).abs() < 0.01);
            prop_assert!((got[1] - 128.0 - (u * k + du * lit)).abs() < 0.01 && (got[2] - 128.0 - v * k).abs() < 0.01);
        }
    }
}
