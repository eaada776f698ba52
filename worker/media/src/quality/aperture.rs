//! How far the lips are apart.

use super::{
    loudness::Stretch,
    series::{Moment, mean},
};
use crate::face::Mesh;

/// Points of the upper and the lower lip's inner border that lie opposite each other: the middle, and beside it.
const PAIRS: [[usize; 2]; 3] = [[13, 14], [82, 87], [312, 317]];

/// The distance of the inner lips, mean of three pairs of points around the middle, over that of the outer eye corners:
/// 0 when pressed together, some 0.05 in speech, 0.3 and more when wide open. 0 for a mesh without extent.
pub fn aperture(mesh: &Mesh) -> f64 {
    let distance = |[a, b]: [usize; 2]| {
        let (a, b) = (mesh.points[a], mesh.points[b]);
        f64::from(b[0] - a[0]).hypot(f64::from(b[1] - a[1]))
    };
    let eyes = f64::from(mesh.eye_span());
    if eyes > 0.0 { PAIRS.map(distance).iter().sum::<f64>() / (PAIRS.len() as f64 * eyes) } else { 0.0 }
}

/// The mean of the moments that lie in any of the stretches; `None` when none does.
pub fn mean_within(series: &[Moment], stretches: &[Stretch]) -> Option<f64> {
    mean(within(series, stretches))
}

/// The values of the moments that lie in any of the stretches (both in the order of time).
pub(super) fn within(series: &[Moment], stretches: &[Stretch]) -> impl Iterator<Item = f64> {
    series.iter().filter(|m| is_in(m.seconds, stretches)).map(|m| m.value)
}

/// True when the time lies in one of the stretches, which are in the order of time.
pub(super) fn is_in(seconds: f64, stretches: &[Stretch]) -> bool {
    let after = stretches.partition_point(|s| s.from <= seconds);
    after.checked_sub(1).is_some_and(|i| stretches[i].holds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;

    #[test]
    fn it_is_measured_in_eye_distances() {
        let mut mesh = Mesh { points: vec![[0.0; 3]; POINTS], presence: 1.0 };
        assert_eq!(aperture(&mesh), 0.0);
        mesh.points[263] = [60.0, 80.0, 0.0];
        for [upper, lower] in PAIRS {
            mesh.points[upper] = [30.0, 100.0, 0.0];
            mesh.points[lower] = [30.0, 105.0, 9.0];
        }
        assert!((aperture(&mesh) - 0.05).abs() < 1e-9);
    }

    #[test]
    fn only_the_stretches_count() {
        let series: Vec<_> = (0..10).map(|i| Moment { seconds: f64::from(i), value: f64::from(i) }).collect();
        let stretches = [Stretch { from: 1.0, to: 3.0 }, Stretch { from: 7.5, to: 8.5 }];
        assert_eq!(mean_within(&series, &stretches), Some(11.0 / 3.0));
        assert_eq!(mean_within(&series, &[]), None);
        assert_eq!(mean_within(&series, &[Stretch { from: 3.2, to: 3.8 }]), None);
    }
}
