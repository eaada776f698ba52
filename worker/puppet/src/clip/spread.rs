//! Displacements known at some points, spread smoothly over all others.
//!
//! Radial basis functions with a compact kernel (Wendland's C2; "Piecewise polynomial, positive definite and compactly
//! supported radial functions of minimal degree", 1995): what is given is met exactly, and further than the reach from every
//! point nothing moves. Points and places are the same for all frames of a video, so the system is solved once, for
//! what each point's displacement does to each place.

/// How far a point reaches, in eye spans.
const REACH: f64 = 0.75;
/// Added to the diagonal: what two points almost at one place say may differ a little.
const SLACK: f64 = 2e-4;

/// What moves places when points move.
#[derive(Debug)]
pub(super) struct Spread {
    /// For each place the weight of each point.
    weights: Vec<f32>,
    points: usize,
}

impl Spread {
    /// From `points` to `places`, both in eye spans.
    pub(super) fn new(points: &[[f32; 2]], places: &[[f32; 2]]) -> Self {
        let n = points.len();
        let mut factor = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                factor[i * n + j] = kernel(points[i], points[j]) + if i == j { SLACK } else { 0.0 };
            }
        }
        factorise(&mut factor, n);
        let mut weights = Vec::with_capacity(places.len() * n);
        let mut row = vec![0.0; n];
        for &place in places {
            for (value, &point) in row.iter_mut().zip(points) {
                *value = kernel(place, point);
            }
            if row.iter().any(|v| *v != 0.0) {
                solve(&factor, n, &mut row);
            }
            weights.extend(row.iter().map(|v| *v as f32));
        }
        Self { weights, points: n }
    }

    /// The displacement of each place when the points move by `moved`.
    pub(super) fn apply(&self, moved: &[[f32; 2]], out: &mut [[f32; 2]]) {
        debug_assert_eq!(moved.len(), self.points);
        for (place, weights) in out.iter_mut().zip(self.weights.chunks_exact(self.points.max(1))) {
            let mut sum = [0.0; 2];
            for (w, d) in weights.iter().zip(moved) {
                sum[0] += w * d[0];
                sum[1] += w * d[1];
            }
            *place = sum;
        }
    }
}

/// (1 - r)^4 (4 r + 1) within the reach, else 0.
fn kernel(a: [f32; 2], b: [f32; 2]) -> f64 {
    let r = f64::from(a[0] - b[0]).hypot(f64::from(a[1] - b[1])) / REACH;
    if r >= 1.0 { 0.0 } else { (1.0 - r).powi(4) * (4.0 * r + 1.0) }
}

/// Cholesky, in place, of the lower half of a positive definite matrix.
fn factorise(m: &mut [f64], n: usize) {
    for j in 0..n {
        for i in j..n {
            let done: f64 = (0..j).map(|k| m[i * n + k] * m[j * n + k]).sum();
            let left = m[i * n + j] - done;
            m[i * n + j] = if i == j { left.max(1e-9).sqrt() } else { left / m[j * n + j] };
        }
    }
}

/// Solves with what [`factorise`] left; `v` becomes the answer.
fn solve(factor: &[f64], n: usize, v: &mut [f64]) {
    for i in 0..n {
        let known: f64 = (0..i).map(|k| factor[i * n + k] * v[k]).sum();
        v[i] = (v[i] - known) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| factor[k * n + i] * v[k]).sum();
        v[i] = (v[i] - known) / factor[i * n + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points() -> Vec<[f32; 2]> {
        (0..30).map(|i| [(i % 6) as f32 * 0.11 - 0.3, (i / 6) as f32 * 0.13 - 0.2]).collect()
    }

    proptest! {
        #[test]
        fn what_is_given_is_met(moved in prop::collection::vec(prop::array::uniform2(-0.1_f32..0.1), 30)) {
            let points = points();
            let spread = Spread::new(&points, &points);
            let mut out = vec![[0.0; 2]; 30];
            spread.apply(&moved, &mut out);
            for (a, b) in out.iter().zip(&moved) {
                prop_assert!((a[0] - b[0]).abs() < 0.01 && (a[1] - b[1]).abs() < 0.01, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn far_away_nothing_moves_and_between_equals_about_the_same_does() {
        let points = points();
        let spread = Spread::new(&points, &[[5.0, 0.0], [-0.02, 0.06]]);
        let mut out = [[9.0; 2]; 2];
        spread.apply(&[[0.05, -0.02]; 30], &mut out);
        assert_eq!(out[0], [0.0; 2]);
        assert!((out[1][0] - 0.05).abs() < 0.005 && (out[1][1] + 0.02).abs() < 0.005, "{out:?}");
    }

    #[test]
    fn two_points_at_one_place_break_nothing() {
        let spread = Spread::new(&[[0.0, 0.0], [0.0, 0.0], [0.2, 0.0]], &[[0.0, 0.0]]);
        let mut out = [[0.0; 2]];
        spread.apply(&[[0.1, 0.0], [0.1, 0.0], [0.0, 0.0]], &mut out);
        assert!((out[0][0] - 0.1).abs() < 0.01, "{out:?}");
    }
}
