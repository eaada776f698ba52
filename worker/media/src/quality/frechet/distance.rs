//! The distance of two clouds of features. Pure.

use super::moments::Moments;

/// Fréchet's distance of the two normal distributions that have these moments, squared as it is used (Heusel and others, 2017, "GANs
/// trained by a two time-scale update rule"): |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½).
///
/// The trace of the root is the sum of the roots of the eigenvalues of F' C2 F, where F F' = C1: they are those of C1 C2, and the
/// matrix is symmetric, so that nothing becomes complex by rounding, and no little something is added to what is singular.
///
/// # Panics
/// When the features have different widths.
pub fn frechet_distance(a: &Moments, b: &Moments) -> f64 {
    assert_eq!(a.mean().len(), b.mean().len(), "features of one width");
    let apart: f64 = a.mean().iter().zip(b.mean()).map(|(a, b)| (a - b).powi(2)).sum();
    let (of_a, of_b) = (a.covariance(), b.covariance());
    let traces = of_a.trace() + of_b.trace();
    // The one with fewer features has the lower rank: less to do.
    let (factored, other) = if a.count() <= b.count() { (of_a, of_b) } else { (of_b, of_a) };
    let between = other.between(&factored.factor());
    let root: f64 = between.eigenvalues().into_iter().map(|value| value.max(0.0).sqrt()).sum();
    (apart + traces - 2.0 * root).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use safetensors::SafeTensors;

    fn moments(features: &[Vec<f32>]) -> Moments {
        let mut made = Moments::new(features[0].len());
        features.iter().for_each(|feature| made.push(feature));
        made
    }

    #[test]
    fn in_one_dimension_it_is_the_means_and_the_deviations() {
        // Means 2 and 7, variances 1 and 4 (n - 1 below): 25 + (1 - 2)².
        let a = moments(&[vec![1.0], vec![2.0], vec![3.0]]);
        let b = moments(&[vec![5.0], vec![7.0], vec![9.0]]);
        assert!((frechet_distance(&a, &b) - 26.0).abs() < 1e-12);
    }

    #[test]
    fn of_independent_values_it_is_the_sum() {
        // Diagonal covariances of 4/3 s² for deviations s: each dimension counts by itself.
        let square = |x: f32, y: f32| moments(&[vec![x, y], vec![x, -y], vec![-x, y], vec![-x, -y]]);
        let (a, b) = (square(1.0, 2.0), square(3.0, 0.5));
        let wanted = 4.0 / 3.0 * ((3.0_f64 - 1.0).powi(2) + (2.0_f64 - 0.5).powi(2));
        assert!((frechet_distance(&a, &b) - wanted).abs() < 1e-12);
    }

    #[test]
    fn it_is_scipys() {
        let bytes = include_bytes!("../../../tests/frechet.safetensors");
        let reference = SafeTensors::deserialize(bytes).unwrap();
        let tensor = |name: &str| {
            let tensor = reference.tensor(name).unwrap();
            let bytes = tensor.data().to_vec();
            let values: Vec<f32> =
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            (values, tensor.shape().to_vec())
        };
        for case in ["full", "few"] {
            let cloud = |which: &str| {
                let (values, shape) = tensor(&format!("{case}.{which}"));
                moments(&values.chunks_exact(shape[1]).map(<[f32]>::to_vec).collect::<Vec<_>>())
            };
            let wanted = f64::from(tensor(&format!("{case}.distance")).0[0]);
            let found = frechet_distance(&cloud("a"), &cloud("b"));
            assert!((found - wanted).abs() < 1e-4 * wanted, "{case}: {found} {wanted}");
        }
    }

    proptest! {
        #[test]
        fn it_is_a_distance(values in prop::collection::vec(-3.0_f32..3.0, 60)) {
            let cloud = |values: &[f32]| moments(&values.chunks_exact(5).map(<[f32]>::to_vec).collect::<Vec<_>>());
            let (a, b) = (cloud(&values[..25]), cloud(&values[25..]));
            let apart = frechet_distance(&a, &b);
            prop_assert!((apart - frechet_distance(&b, &a)).abs() < 1e-6, "the same both ways");
            prop_assert!(frechet_distance(&a, &a) < 1e-6, "none to itself");
            let means: f64 = a.mean().iter().zip(b.mean()).map(|(a, b)| (a - b).powi(2)).sum();
            prop_assert!(apart >= means - 1e-9, "at least that of the means");
        }
    }
}
