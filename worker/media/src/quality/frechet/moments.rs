//! The mean and the covariance of features, taken one after the other. Pure.

use super::symmetric::Symmetric;

/// Of features that were taken so far: their number, their mean, and the sum of the products of what they are away from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    count: u64,
    mean: Vec<f64>,
    products: Symmetric,
}

impl Moments {
    /// Of no feature yet, of `width` values each.
    pub fn new(width: usize) -> Self {
        Self { count: 0, mean: vec![0.0; width], products: Symmetric::zero(width) }
    }

    /// Takes one, by Welford's rule: what was there is never subtracted from what is large.
    ///
    /// # Panics
    /// When it has another width.
    pub fn push(&mut self, feature: &[f32]) {
        assert_eq!(feature.len(), self.mean.len(), "features of one width");
        self.count += 1;
        let away: Vec<f64> = feature.iter().zip(&self.mean).map(|(new, mean)| f64::from(*new) - mean).collect();
        let (n, size) = (self.count as f64, away.len());
        self.mean.iter_mut().zip(&away).for_each(|(mean, away)| *mean += away / n);
        let share = (n - 1.0) / n;
        for (row, a) in self.products.values.chunks_exact_mut(size.max(1)).zip(&away) {
            row.iter_mut().zip(&away).for_each(|(sum, b)| *sum += a * b * share);
        }
    }

    /// How many were taken.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Their covariance, with one less than their number below; zero of fewer than two.
    #[must_use]
    pub fn covariance(&self) -> Symmetric {
        let mut made = self.products.clone();
        let below = self.count.saturating_sub(1).max(1) as f64;
        made.values.iter_mut().for_each(|v| *v /= below);
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_covariance_are_those_of_the_textbook() {
        let mut moments = Moments::new(2);
        for feature in [[1.0, 10.0], [2.0, 20.0], [3.0, 60.0], [6.0, 10.0]] {
            moments.push(&feature);
        }
        assert_eq!((moments.count(), moments.mean()), (4, &[3.0, 25.0][..]));
        // Away: -2 -15, -1 -5, 0 35, 3 -15.
        let wanted = [14.0 / 3.0, -10.0 / 3.0, -10.0 / 3.0, 1700.0 / 3.0];
        for (found, wanted) in moments.covariance().values.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        }
        assert_eq!(Moments::new(3).covariance(), Symmetric::zero(3));
    }

    #[test]
    fn what_all_have_in_common_does_not_blur_what_differs() {
        let mut moments = Moments::new(1);
        for value in [1e6_f32, 1e6 + 1.0, 1e6 + 2.0] {
            moments.push(&[value]);
        }
        assert!((moments.covariance().values[0] - 1.0).abs() < 1e-9);
    }
}
