//! Steadying the landmarks of a video.

use super::{Mesh, POINTS};

/// Weights reach this many standard deviations far.
const REACH: f32 = 3.0;
/// Frames between which a face moved by so many eye spans show two things and not one twice: the mesh itself shakes by some .003.
const SAME: f32 = 0.010;
/// Base of the nose: what lies below it speaks, what lies above it does not.
const NOSE_BASE: usize = 2;

/// Smooths each landmark over time with a Gaussian of `sigma_frames` standard deviation; presence stays.
///
/// Only what stands still is smoothed so far: a frame counts for less the further the face has moved in it from where it is now (a
/// bilateral filter; Tomasi and Manduchi, 1998), its upper and its lower part each by itself. Lips open and close
/// within three frames, and a plain mean would tell of a mouth that no frame shows.
///
/// At either end, where the Gaussian is cut, and beside a sudden move the weights are renormalised so that both a resting and an evenly
/// moving point stay where they are (a line is fitted under the weights; elsewhere that is nearly the plain mean).
/// A `sigma_frames` that is not above zero, or not finite, changes nothing.
pub fn smooth_over_time(meshes: &mut [Mesh], sigma_frames: f32) {
    if !sigma_frames.is_finite() || sigma_frames <= 0.0 || meshes.len() < 2 {
        return;
    }
    let source: Vec<Vec<[f32; 3]>> = meshes.iter().map(|mesh| mesh.points.clone()).collect();
    let same = (SAME * meshes.iter().map(Mesh::eye_span).sum::<f32>() / meshes.len() as f32).max(1e-6);
    let parts = parts(&meshes[0]);
    let reach = ((sigma_frames * REACH).ceil() as usize).min(meshes.len());
    for (now, mesh) in meshes.iter_mut().enumerate() {
        let first = now.saturating_sub(reach);
        let last = (now + reach).min(source.len() - 1);
        for part in &parts {
            let alike = |frame: usize| (-0.5 * (moved(&source[now], &source[frame], part) / same).powi(2)).exp();
            let weights = weights(now, first, last, sigma_frames, alike);
            for &index in part {
                let mut sum = [0.0_f32; 3];
                for (frame, weight) in source[first..=last].iter().zip(&weights) {
                    for (s, v) in sum.iter_mut().zip(frame[index]) {
                        *s += v * weight;
                    }
                }
                mesh.points[index] = sum;
            }
        }
    }
}

/// The points above the base of the nose, and those below it.
fn parts(mesh: &Mesh) -> [Vec<usize>; 2] {
    let (left, right, nose) = (mesh.points[33], mesh.points[263], mesh.points[NOSE_BASE]);
    let across = [right[0] - left[0], right[1] - left[1]];
    let below = |i: &usize| {
        let p = mesh.points[*i];
        (p[1] - nose[1]) * across[0] - (p[0] - nose[0]) * across[1] > 0.0
    };
    let (lower, upper) = (0..POINTS.min(mesh.points.len())).partition(below);
    [upper, lower]
}

/// How far some points have moved from one frame to another, as the root of the mean square.
fn moved(a: &[[f32; 3]], b: &[[f32; 3]], part: &[usize]) -> f32 {
    let sum: f32 = part.iter().map(|&i| (a[i][0] - b[i][0]).powi(2) + (a[i][1] - b[i][1]).powi(2)).sum();
    (sum / part.len().max(1) as f32).sqrt()
}

/// Weights of the frames `first..=last` for the frame `now`; their sum is 1 and their mean time is `now`. `alike`: how far a frame
/// counts beside its distance in time.
fn weights(now: usize, first: usize, last: usize, sigma: f32, alike: impl Fn(usize) -> f32) -> Vec<f32> {
    let offsets = || (first..=last).map(|frame| frame as f32 - now as f32);
    let gaussian: Vec<f32> =
        offsets().zip(first..=last).map(|(t, frame)| (-0.5 * (t / sigma).powi(2)).exp() * alike(frame)).collect();
    let moment = |power: i32| gaussian.iter().zip(offsets()).map(|(w, t)| w * t.powi(power)).sum::<f32>();
    let (s0, s1, s2) = (moment(0), moment(1), moment(2));
    let spread = s0 * s2 - s1 * s1;
    if spread <= f32::EPSILON * s0 * s0 {
        return gaussian.iter().map(|w| w / s0).collect();
    }
    gaussian.iter().zip(offsets()).map(|(w, t)| w * (s2 - s1 * t) / spread).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small repeatable noise in -1..=1.
    fn noise(seed: usize) -> f32 {
        let mixed = (seed as u32).wrapping_mul(2_654_435_761) ^ 0x9E37_79B9;
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA6B);
        (mixed >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn video(count: usize, at: impl Fn(usize) -> [f32; 3]) -> Vec<Mesh> {
        let mesh = |i: usize| {
            // Eyes 100 apart, half of the points below the nose.
            let mut points: Vec<[f32; 3]> =
                (0..POINTS).map(|p| [at(i)[0], at(i)[1] + 50.0 * (p % 2) as f32, at(i)[2]]).collect();
            (points[33][0], points[263][0]) = (at(i)[0] - 50.0, at(i)[0] + 50.0);
            Mesh { points, presence: 0.5 + i as f32 / 1000.0 }
        };
        (0..count).map(mesh).collect()
    }

    fn shake(meshes: &[Mesh]) -> f32 {
        let x = |i: usize| meshes[i].points[4][0];
        (1..meshes.len() - 1).map(|i| (x(i - 1) - 2.0 * x(i) + x(i + 1)).powi(2)).sum::<f32>().sqrt()
    }

    #[test]
    fn a_still_face_shakes_less() {
        let mut meshes = video(60, |i| [100.0 + 0.5 * noise(i), 50.0 + 0.5 * noise(i + 999), 0.0]);
        let before = shake(&meshes);
        smooth_over_time(&mut meshes, 1.8);
        assert!(shake(&meshes) < before / 6.0, "{} of {before}", shake(&meshes));
        assert!(meshes.iter().all(|m| (m.points[0][0] - 100.0).abs() < 1.0));
    }

    #[test]
    fn a_moving_face_is_not_late_not_even_at_the_ends() {
        let mut meshes = video(30, |i| [3.0 * i as f32, 200.0 - 2.0 * i as f32, 1.0]);
        smooth_over_time(&mut meshes, 2.0);
        for (i, mesh) in meshes.iter().enumerate() {
            let [x, y, z] = mesh.points[4];
            assert!((x - 3.0 * i as f32).abs() < 0.01 && (y - 200.0 + 2.0 * i as f32).abs() < 0.01, "{i}: {x} {y}");
            assert!((z - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn a_sudden_move_is_seen_at_its_time() {
        let mut meshes = video(41, |i| [if i < 20 { 0.0 } else { 10.0 }, 0.0, 0.0]);
        smooth_over_time(&mut meshes, 1.5);
        let (before, after) = (meshes[19].points[0][0], meshes[20].points[0][0]);
        assert!((before + after - 10.0).abs() < 1e-3 && before < after);
    }

    #[test]
    fn lips_that_open_for_a_frame_are_seen_open_and_the_rest_is_still_steadied() {
        let mut meshes = video(31, |i| [0.2 * noise(i), 0.0, 0.0]);
        meshes[15].points.iter_mut().skip(1).step_by(2).for_each(|p| p[1] += 8.0);
        let before = shake(&meshes);
        smooth_over_time(&mut meshes, 1.5);
        assert!((meshes[15].points[17][1] - 58.0).abs() < 0.5, "{:?}", meshes[15].points[17]);
        assert!((meshes[14].points[17][1] - 50.0).abs() < 0.5 && shake(&meshes) < before / 4.0);
    }

    #[test]
    fn odd_arguments_change_nothing() {
        let original = video(3, |i| [noise(i), 0.0, 0.0]);
        for sigma in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let mut meshes = original.clone();
            smooth_over_time(&mut meshes, sigma);
            assert_eq!(meshes, original);
        }
        smooth_over_time(&mut [], 1.0);
        let mut single = original[..1].to_vec();
        smooth_over_time(&mut single, 1.0);
        assert_eq!(single, original[..1]);
    }

    #[test]
    fn a_tiny_sigma_keeps_the_values() {
        let original = video(5, |i| [noise(i), 1.0, 2.0]);
        let mut meshes = original.clone();
        smooth_over_time(&mut meshes, 1e-3);
        for (a, b) in meshes.iter().zip(&original) {
            assert!((a.points[0][0] - b.points[0][0]).abs() < 1e-6);
        }
    }
}
