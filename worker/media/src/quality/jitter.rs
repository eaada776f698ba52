//! How much the landmarks shake.

use super::{aperture::is_in, loudness::Stretch};
use crate::face::Mesh;

/// Lips: corners, and the middle and its neighbours of all four borders.
pub const LIP_POINTS: [usize; 12] = [61, 291, 78, 308, 0, 17, 13, 14, 82, 87, 312, 317];
/// Eyes: outer and inner corners.
pub const EYE_POINTS: [usize; 4] = [33, 133, 362, 263];
/// How many points are followed.
pub const TRACKED: usize = LIP_POINTS.len() + EYE_POINTS.len();

/// What moves only with the skull: eye corners and the ridge of the nose.
const SKULL_POINTS: [usize; 8] = [33, 133, 362, 263, 168, 6, 197, 195];
/// With fewer triples of frames in silence the figure is chance.
const LEAST_TRIPLES: usize = 10;

/// The followed points of one frame, [`LIP_POINTS`] and then [`EYE_POINTS`], in the frame of the head and in eye
/// distances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Time of the frame in seconds.
    pub seconds: f64,
    /// `[x, y]` of each point.
    pub points: [[f32; 2]; TRACKED],
}

/// The frame of the head, as it was seen first: what a later mesh is brought back to.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadFrame {
    skull: [[f64; 2]; SKULL_POINTS.len()],
}

fn at(mesh: &Mesh, i: usize) -> [f64; 2] {
    [f64::from(mesh.points[i][0]), f64::from(mesh.points[i][1])]
}

fn centre(points: &[[f64; 2]]) -> [f64; 2] {
    let sum = points.iter().fold([0.0, 0.0], |s, p| [s[0] + p[0], s[1] + p[1]]);
    sum.map(|s| s / points.len() as f64)
}

impl HeadFrame {
    /// The head as in this mesh; `None` for one without extent.
    pub fn of(mesh: &Mesh) -> Option<Self> {
        let span = f64::from(mesh.eye_span());
        let skull = SKULL_POINTS.map(|i| at(mesh, i));
        let [x, y] = centre(&skull);
        (span > 0.0).then(|| Self { skull: skull.map(|p| [(p[0] - x) / span, (p[1] - y) / span]) })
    }

    /// The points of a later mesh after the similarity (shift, turn, scale) that brings its skull nearest to this one's,
    /// in the sense of least squares. Those of a mesh without extent all lie in the origin.
    pub fn place(&self, mesh: &Mesh, seconds: f64) -> Placed {
        let skull = SKULL_POINTS.map(|i| at(mesh, i));
        let [x, y] = centre(&skull);
        // With points as complex numbers the similarity is one product: sum(conj(z) w) / sum(|z|^2).
        let (mut real, mut imaginary, mut square) = (0.0, 0.0, 0.0);
        for (z, w) in skull.iter().zip(&self.skull) {
            let z = [z[0] - x, z[1] - y];
            real += z[0] * w[0] + z[1] * w[1];
            imaginary += z[0] * w[1] - z[1] * w[0];
            square += z[0] * z[0] + z[1] * z[1];
        }
        let (real, imaginary) = if square > 0.0 { (real / square, imaginary / square) } else { (0.0, 0.0) };
        let mut points = [[0.0; 2]; TRACKED];
        for (to, i) in points.iter_mut().zip(LIP_POINTS.into_iter().chain(EYE_POINTS)) {
            let [px, py] = at(mesh, i);
            let (px, py) = (px - x, py - y);
            *to = [(real * px - imaginary * py) as f32, (real * py + imaginary * px) as f32];
        }
        Placed { seconds, points }
    }
}

/// Shaking in silence: the root mean square length of the second difference of positions from frame to frame, in per
/// mille of the eye distance. White noise of `s` per mille on each axis reads `sqrt(12) s`; even motion reads 0. It grows
/// with the frames' distance in time, so compare clips of one frame rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jitter {
    /// Of all followed points.
    pub all: f64,
    /// Of the lips.
    pub lips: f64,
    /// Of the eye corners (blinks move them a little).
    pub eyes: f64,
    /// Triples of neighbouring frames that were looked at.
    pub triples: usize,
}

/// The jitter over all triples of neighbouring frames (no more than `longest_gap` seconds apart) that lie in one of the
/// stretches as a whole; `None` with fewer than ten.
pub fn jitter(frames: &[Placed], longest_gap: f64, silences: &[Stretch]) -> Option<Jitter> {
    let mut squares = [0.0; TRACKED];
    let mut triples = 0;
    let calm = |f: &Placed| is_in(f.seconds, silences);
    for window in frames.windows(3) {
        let [a, b, c] = window else { continue };
        let apart = (b.seconds - a.seconds).max(c.seconds - b.seconds);
        if apart > longest_gap || !(calm(a) && calm(b) && calm(c)) {
            continue;
        }
        triples += 1;
        for (i, square) in squares.iter_mut().enumerate() {
            let second = |axis: usize| {
                f64::from(a.points[i][axis]) - 2.0 * f64::from(b.points[i][axis]) + f64::from(c.points[i][axis])
            };
            *square += second(0).powi(2) + second(1).powi(2);
        }
    }
    let rms = |of: &[f64]| 1000.0 * (of.iter().sum::<f64>() / (of.len() * triples) as f64).sqrt();
    let (lips, eyes) = squares.split_at(LIP_POINTS.len());
    (triples >= LEAST_TRIPLES).then(|| Jitter { all: rms(&squares), lips: rms(lips), eyes: rms(eyes), triples })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;
    use proptest::prelude::*;

    const CALM: [Stretch; 1] = [Stretch { from: 0.0, to: 1000.0 }];

    /// Uniform in -1..=1, repeatable.
    fn noise(seed: usize) -> f32 {
        let mixed = (seed as u32).wrapping_mul(2_654_435_761) ^ 0x9E37_79B9;
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA6B);
        ((mixed ^ (mixed >> 13)) >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn face() -> Mesh {
        let mut mesh = Mesh {
            points: (0..POINTS).map(|i| [noise(i) * 90.0, noise(i + 5000) * 90.0, 0.0]).collect(),
            presence: 1.0,
        };
        mesh.points[33] = [-50.0, 0.0, 0.0];
        mesh.points[263] = [50.0, 0.0, 0.0];
        mesh
    }

    fn moved(mesh: &Mesh, [x, y]: [f32; 2], angle: f32, scale: f32) -> Mesh {
        let (sin, cos) = angle.sin_cos();
        let turn = |p: &[f32; 3]| [scale * (cos * p[0] - sin * p[1]) + x, scale * (sin * p[0] + cos * p[1]) + y, p[2]];
        Mesh { points: mesh.points.iter().map(turn).collect(), presence: 1.0 }
    }

    #[test]
    fn known_noise_is_measured() {
        // Uniform noise of half a per mille has a deviation of .5/sqrt(3); on positions that are in the head's frame.
        let placed: Vec<Placed> = (0..4000)
            .map(|f| Placed {
                seconds: f as f64 / 25.0,
                points: std::array::from_fn(|i| [0, 1].map(|axis| 0.0005 * noise(f * 64 + i * 2 + axis))),
            })
            .collect();
        let got = jitter(&placed, 0.1, &CALM).unwrap();
        let expected = 12.0_f64.sqrt() * 0.5 / 3.0_f64.sqrt();
        assert!((got.all / expected - 1.0).abs() < 0.03, "{got:?} for {expected}");
        assert!((got.lips / expected - 1.0).abs() < 0.05 && (got.eyes / expected - 1.0).abs() < 0.05, "{got:?}");
        assert_eq!(got.triples, 3998);
    }

    #[test]
    fn gaps_and_speech_are_left_out() {
        let placed: Vec<Placed> = (0..40)
            .map(|f| Placed { seconds: f as f64 / 25.0 + if f > 20 { 1.0 } else { 0.0 }, points: [[0.0; 2]; TRACKED] })
            .collect();
        assert_eq!(jitter(&placed, 0.1, &CALM).unwrap().triples, 36);
        assert_eq!(jitter(&placed, 0.1, &[Stretch { from: 0.0, to: 0.55 }]).unwrap().triples, 12);
        assert_eq!(jitter(&placed, 0.1, &[Stretch { from: 0.0, to: 0.3 }]), None);
        assert_eq!(jitter(&[], 0.1, &CALM), None);
    }

    #[test]
    fn a_mesh_without_extent_has_no_frame() {
        let flat = Mesh { points: vec![[1.0; 3]; POINTS], presence: 1.0 };
        assert_eq!(HeadFrame::of(&flat), None);
        let placed = HeadFrame::of(&face()).unwrap().place(&flat, 0.0);
        assert!(placed.points.iter().flatten().all(|v| *v == 0.0));
    }

    proptest! {
        #[test]
        fn the_heads_own_motion_is_removed(
            x in -200.0_f32..200.0, y in -200.0_f32..200.0, angle in -1.0_f32..1.0, scale in 0.5_f32..2.0,
        ) {
            let mesh = face();
            let head = HeadFrame::of(&mesh).unwrap();
            let (still, moving) = (head.place(&mesh, 0.0), head.place(&moved(&mesh, [x, y], angle, scale), 0.0));
            for (a, b) in still.points.iter().zip(&moving.points) {
                prop_assert!((a[0] - b[0]).abs() < 1e-4 && (a[1] - b[1]).abs() < 1e-4, "{:?} {:?}", a, b);
            }
        }
    }
}
