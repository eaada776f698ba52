//! Small curves: smoothstep, monotone cubic through points, sampled profiles.

/// Hermite step: 0 below `a`, 1 above `b`, smooth between.
#[inline]
pub(super) fn smoothstep(a: f32, b: f32, x: f32) -> f32 {
    let t = ((x - a) / (b - a)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A function of one variable, sampled evenly, linear between samples, constant beyond its ends.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    start: f32,
    per_step: f32,
    values: Vec<f32>,
}

impl Profile {
    /// Samples `f` at `count` (>= 2) even places of `start..=end`.
    pub(super) fn sample(start: f32, end: f32, count: usize, mut f: impl FnMut(f32) -> f32) -> Self {
        let step = (end - start) / (count - 1) as f32;
        Self { start, per_step: 1.0 / step, values: (0..count).map(|i| f(start + step * i as f32)).collect() }
    }

    /// The value at `x`.
    #[inline]
    pub(super) fn at(&self, x: f32) -> f32 {
        let last = self.values.len() - 1;
        let t = ((x - self.start) * self.per_step).clamp(0.0, last as f32);
        let i = (t as usize).min(last - 1);
        let a = self.values[i];
        a + (self.values[i + 1] - a) * (t - i as f32)
    }

    /// Where sample `i` stands.
    pub(super) fn place(&self, i: usize) -> f32 {
        self.start + i as f32 / self.per_step
    }

    /// The samples.
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// The same places with other values.
    pub(super) fn with_values(&self, values: Vec<f32>) -> Self {
        debug_assert_eq!(values.len(), self.values.len());
        Self { values, ..*self }
    }

    /// A moving average over `2 * reach + 1` samples, ends repeated.
    pub(super) fn averaged(&self, reach: usize) -> Self {
        let last = self.values.len() - 1;
        let value = |i: usize| {
            let sum: f32 = (0..=2 * reach).map(|k| self.values[(i + k).saturating_sub(reach).min(last)]).sum();
            sum / (2 * reach + 1) as f32
        };
        self.with_values((0..=last).map(value).collect())
    }

    /// Smallest and largest value.
    pub(super) fn range(&self) -> (f32, f32) {
        self.values.iter().fold((f32::MAX, f32::MIN), |(lo, hi), &v| (lo.min(v), hi.max(v)))
    }
}

/// A monotone cubic (Fritsch and Carlson, 1980) through points given in any order.
///
/// It overshoots nowhere: between two points it stays between their heights. Points closer than 1e-4 in x are merged.
#[derive(Debug, Clone)]
pub(super) struct MonotoneCubic {
    knots: Vec<[f32; 3]>, // x, y, slope
}

impl MonotoneCubic {
    /// Needs at least one point.
    pub(super) fn through(points: &[[f32; 2]]) -> Self {
        let mut sorted = points.to_vec();
        sorted.sort_by(|a, b| a[0].total_cmp(&b[0]));
        sorted.dedup_by(|b, a| b[0] - a[0] < 1e-4);
        let n = sorted.len();
        let width = |i: usize| sorted[i + 1][0] - sorted[i][0];
        let slope = |i: usize| (sorted[i + 1][1] - sorted[i][1]) / width(i);
        let knots = (0..n)
            .map(|i| {
                let m = if n == 1 {
                    0.0
                } else if i == 0 {
                    slope(0)
                } else if i == n - 1 {
                    slope(n - 2)
                } else {
                    let (a, b) = (slope(i - 1), slope(i));
                    if a * b <= 0.0 {
                        0.0
                    } else {
                        let (wa, wb) = (2.0 * width(i) + width(i - 1), width(i) + 2.0 * width(i - 1));
                        (wa + wb) / (wa / a + wb / b)
                    }
                };
                [sorted[i][0], sorted[i][1], m]
            })
            .collect();
        Self { knots }
    }

    /// The height at `x`, constant beyond the ends.
    pub(super) fn at(&self, x: f32) -> f32 {
        let last = self.knots.len() - 1;
        if x <= self.knots[0][0] {
            return self.knots[0][1];
        }
        if x >= self.knots[last][0] {
            return self.knots[last][1];
        }
        let i = self.knots.partition_point(|k| k[0] <= x) - 1;
        let ([x0, y0, m0], [x1, y1, m1]) = (self.knots[i], self.knots[i + 1]);
        let h = x1 - x0;
        let t = (x - x0) / h;
        let (t2, t3) = (t * t, t * t * t);
        (2.0 * t3 - 3.0 * t2 + 1.0) * y0
            + (t3 - 2.0 * t2 + t) * h * m0
            + (3.0 * t2 - 2.0 * t3) * y1
            + (t3 - t2) * h * m1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn smoothstep_is_flat_outside() {
        assert_eq!(smoothstep(1.0, 2.0, 0.5), 0.0);
        assert_eq!(smoothstep(1.0, 2.0, 3.0), 1.0);
        assert_eq!(smoothstep(1.0, 2.0, 1.5), 0.5);
    }

    #[test]
    fn a_profile_is_linear_inside_and_constant_outside() {
        let p = Profile::sample(-1.0, 1.0, 5, |x| 2.0 * x);
        assert_eq!((p.at(-3.0), p.at(0.25), p.at(9.0)), (-2.0, 0.5, 2.0));
    }

    proptest! {
        #[test]
        fn a_monotone_cubic_never_overshoots(ys in prop::collection::vec(-5.0_f32..5.0, 2..12), t in 0.0_f32..1.0) {
            let points: Vec<[f32; 2]> = ys.iter().enumerate().map(|(i, &y)| [i as f32, y]).collect();
            let curve = MonotoneCubic::through(&points);
            let x = t * (ys.len() - 1) as f32;
            let i = (x as usize).min(ys.len() - 2);
            let (lo, hi) = (ys[i].min(ys[i + 1]), ys[i].max(ys[i + 1]));
            let y = curve.at(x);
            prop_assert!(y >= lo - 1e-4 && y <= hi + 1e-4, "{y} outside {lo}..{hi}");
        }
    }
}
