//! Dividing whole numbers so that nothing is lost: the largest remainders get the units that are left over.

/// Divides `total` in proportion to `weights`. The parts add up to `total`, unless all weights are zero: then there is
/// nobody to divide it among and all parts are zero. Equal remainders are served in the order of the slice.
///
/// Weights must be small enough that the square of their sum fits 128 bits; `total` may be anything.
pub(super) fn in_proportion(total: u128, weights: &[u64]) -> Vec<u128> {
    let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    // total * weight could overflow; (total mod sum) * weight cannot.
    let (each, rest) = (total / sum, total % sum);
    let parts = weights.iter().map(|w| u128::from(*w));
    let (mut floors, remainders): (Vec<u128>, Vec<u128>) =
        parts.map(|w| (each * w + rest * w / sum, rest * w % sum)).unzip();
    let left = total - floors.iter().sum::<u128>();
    hand_out(&mut floors, &remainders, left);
    floors
}

/// Rounds each of `parts` to whole `unit`s so that they add up to their rounded sum.
pub(super) fn rounded(parts: &[u128], unit: u128) -> Vec<u128> {
    let (mut floors, remainders): (Vec<u128>, Vec<u128>) = parts.iter().map(|p| (p / unit, p % unit)).unzip();
    let whole = nearest(parts.iter().sum(), unit);
    let left = whole - floors.iter().sum::<u128>();
    hand_out(&mut floors, &remainders, left);
    floors
}

/// `amount / unit` to the nearest whole number, halves upwards.
pub(super) fn nearest(amount: u128, unit: u128) -> u128 {
    amount / unit + u128::from(amount % unit >= unit.div_ceil(2))
}

/// Adds one to the `left` parts with the largest remainders. There are never more left over than there are parts.
fn hand_out(parts: &mut [u128], remainders: &[u128], left: u128) {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(remainders[i]));
    let left = usize::try_from(left).unwrap_or(usize::MAX);
    for i in order.into_iter().take(left) {
        parts[i] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_left_over_goes_to_the_largest_remainders() {
        assert_eq!(in_proportion(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(in_proportion(10, &[1, 0, 2]), [3, 0, 7]);
        assert_eq!(in_proportion(10, &[0, 0]), [0, 0]);
        assert_eq!(in_proportion(10, &[]), []);
        assert_eq!(rounded(&[14, 14, 14], 10), [2, 1, 1]);
        assert_eq!(rounded(&[15], 10), [2]);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_less_than_one_off(
            total in 0u128..1 << 100,
            weights in prop::collection::vec(0u64..1 << 40, 1..40),
        ) {
            let parts = in_proportion(total, &weights);
            let sum: u64 = weights.iter().sum();
            prop_assert_eq!(parts.iter().sum::<u128>(), if sum == 0 { 0 } else { total });
            for (part, weight) in parts.iter().zip(&weights) {
                let fair = total as f64 * *weight as f64 / sum.max(1) as f64;
                prop_assert!((*part as f64 - fair).abs() <= 1.0 + fair * 1e-12);
            }
        }

        #[test]
        fn rounding_keeps_the_sum(parts in prop::collection::vec(0u128..1 << 90, 0..40), unit in 1u128..1 << 40) {
            let whole = rounded(&parts, unit);
            prop_assert_eq!(whole.iter().sum::<u128>(), nearest(parts.iter().sum(), unit));
            for (w, p) in whole.iter().zip(&parts) {
                prop_assert!(*w == p / unit || *w == p / unit + 1);
            }
        }
    }
}
