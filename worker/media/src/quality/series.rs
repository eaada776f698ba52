//! Plain arithmetic on series of numbers.

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Seconds from the start of the video.
    pub seconds: f64,
    /// The value then.
    pub value: f64,
}

/// The arithmetic mean; `None` of nothing.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.into_iter().fold((0.0, 0_u64), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The value that `share` (0..=1) of `values` do not exceed, interpolated linearly between neighbours; `None` of nothing.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(low + (high - low) * at.fract())
}

/// Pearson's correlation, -1..=1, of pairs; `None` when there are fewer than 3 or one side does not vary.
pub fn pearson(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Option<f64> {
    let mean_of = |side: fn((f64, f64)) -> f64| mean(pairs.clone().map(side));
    let (mx, my) = (mean_of(|p| p.0)?, mean_of(|p| p.1)?);
    let (mut xx, mut yy, mut xy, mut count) = (0.0, 0.0, 0.0, 0_u64);
    for (x, y) in pairs {
        let (x, y) = (x - mx, y - my);
        (xx, yy, xy, count) = (xx + x * x, yy + y * y, xy + x * y, count + 1);
    }
    // What rounding leaves of a constant is no variation.
    let varies = |square: f64, mean: f64| square > 1e-20 * (1.0 + mean * mean) * count as f64;
    (count >= 3 && varies(xx, mx) && varies(yy, my)).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

/// `values` smoothed by a Gaussian of `sigma` steps, cut at three of them; at either end the weights are renormalised.
pub fn gaussian(values: &[f64], sigma: f64) -> Vec<f64> {
    if sigma <= 0.0 || !sigma.is_finite() {
        return values.to_vec();
    }
    let reach = (3.0 * sigma).ceil() as usize;
    let weights: Vec<f64> = (0..=reach).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
    let smoothed = |at: usize| {
        let (first, last) = (at.saturating_sub(reach), (at + reach).min(values.len() - 1));
        let (mut sum, mut total) = (0.0, 0.0);
        for (i, value) in values[first..=last].iter().enumerate() {
            let weight = weights[(first + i).abs_diff(at)];
            (sum, total) = (sum + weight * value, total + weight);
        }
        sum / total
    };
    (0..values.len()).map(smoothed).collect()
}

/// The series at `start + i * step` for each `i < count`, interpolated linearly; `None` before its first moment, after
/// its last, and between two that are more than `longest_gap` seconds apart. `series` is in the order of time.
pub fn resample(series: &[Moment], start: f64, step: f64, count: usize, longest_gap: f64) -> Vec<Option<f64>> {
    let mut after = 0;
    let mut at = |seconds: f64| {
        while after < series.len() && series[after].seconds < seconds {
            after += 1;
        }
        let next = series.get(after)?;
        if next.seconds == seconds {
            return Some(next.value);
        }
        let before = series.get(after.checked_sub(1)?)?;
        let gap = next.seconds - before.seconds;
        let share = (seconds - before.seconds) / gap;
        (gap <= longest_gap).then_some(before.value + (next.value - before.value) * share)
    };
    (0..count).map(|i| at(start + i as f64 * step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_lie_between_neighbours() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(percentile(&values, 0.0), Some(1.0));
        assert_eq!(percentile(&values, 1.0), Some(4.0));
        assert_eq!(percentile(&values, 0.5), Some(2.5));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn what_does_not_vary_correlates_with_nothing() {
        assert_eq!(pearson([(0.1, 1.0), (0.1, 2.0), (0.1, 5.0), (0.1, 3.0)].into_iter()), None);
        assert_eq!(pearson([(1.0, 1.0), (2.0, 2.0)].into_iter()), None);
        let r = pearson([(1.0, -2.0), (2.0, -4.0), (3.0, -6.0)].into_iter()).unwrap();
        assert!((r + 1.0).abs() < 1e-12);
    }

    #[test]
    fn resampling_knows_only_what_is_between_neighbours() {
        let at = |seconds, value| Moment { seconds, value };
        let series = [at(0.0, 0.0), at(0.04, 4.0), at(0.5, 9.0), at(0.54, 5.0)];
        let got = resample(&series, -0.02, 0.02, 30, 0.1);
        assert_eq!(got[0], None);
        assert_eq!(got[1], Some(0.0));
        assert!((got[2].unwrap() - 2.0).abs() < 1e-9);
        assert!(got[4..25].iter().all(Option::is_none));
        assert!((got[27].unwrap() - 7.0).abs() < 1e-9);
        assert_eq!(got[29], None);
        assert_eq!(resample(&[], 0.0, 1.0, 2, 1.0), [None, None]);
    }

    proptest! {
        #[test]
        fn smoothing_keeps_constants_and_bounds(values in prop::collection::vec(-9.0_f64..9.0, 1..60), sigma in 0.1_f64..8.0) {
            let smooth = gaussian(&values, sigma);
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            prop_assert!(smooth.iter().all(|v| *v >= low - 1e-9 && *v <= high + 1e-9));
            prop_assert!(gaussian(&vec![3.0; values.len()], sigma).iter().all(|v| (v - 3.0).abs() < 1e-12));
        }

        #[test]
        fn correlation_ignores_scale_and_offset(
            xs in prop::collection::vec((-5.0_f64..5.0, -5.0_f64..5.0), 5..40), scale in 0.1_f64..10.0, offset in -9.0_f64..9.0,
        ) {
            let plain = pearson(xs.iter().copied());
            let moved = pearson(xs.iter().map(|(x, y)| (x * scale + offset, *y)));
            match (plain, moved) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-6 && (-1.0..=1.0).contains(&a)),
                (a, b) => prop_assert_eq!(a.is_none(), b.is_none()),
            }
        }
    }
}
