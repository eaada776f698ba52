//! How far apart what is heard and what is seen are, at each shift of one against the other: LSE-D and LSE-C. Pure.

use crate::quality::series::percentile;

/// The sound is shifted by at most so many frames of 40 ms, both ways.
pub const MOST_SHIFT: usize = 15;

/// What comes of all windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LipSyncError {
    /// LSE-D: the mean distance at the best shift. Lower is better; films of people: about 6 to 8.
    pub distance: f64,
    /// LSE-C: how much farther the median shift is than the best. Higher is better; films of people: about 6 to 8.
    pub confidence: f64,
    /// The best shift in frames of 40 ms; + is the mouth after the sound.
    pub shift: i32,
    /// Windows of 0.2 s that were compared.
    pub windows: usize,
}

/// Compares windows: the nth of `seen` and of `heard` begin together, and all have the same number of values. `None` of none.
///
/// At a shift beyond either end a window is compared with zeros, as the published procedure does.
pub fn lip_sync_error(seen: &[Vec<f32>], heard: &[Vec<f32>]) -> Option<LipSyncError> {
    let windows = seen.len().min(heard.len());
    if windows == 0 {
        return None;
    }
    let zeros = vec![0.0; seen[0].len()];
    let mean = |shift: usize| {
        let with = |i: usize| (i + shift).checked_sub(MOST_SHIFT).filter(|at| *at < windows);
        let apart = |i: usize| distance(&seen[i], with(i).map_or(&zeros, |at| &heard[at]));
        (0..windows).map(apart).sum::<f64>() / windows as f64
    };
    let means: Vec<f64> = (0..=2 * MOST_SHIFT).map(mean).collect();
    let (best, least) = means.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let confidence = percentile(&means, 0.5)? - least;
    Some(LipSyncError { distance: least, confidence, shift: MOST_SHIFT as i32 - best as i32, windows })
}

/// Euclid's, with the millionth by which PyTorch's `pairwise_distance` moves each difference.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let square = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b) + 1e-6).powi(2);
    a.iter().zip(b).map(square).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use safetensors::SafeTensors;

    /// Windows of two values that go round a circle of radius 10.
    fn circle(count: usize, first: i32) -> Vec<Vec<f32>> {
        let at = |i: i32| {
            let turn = f64::from(i) * 0.37;
            vec![(10.0 * turn.cos()) as f32, (10.0 * turn.sin()) as f32]
        };
        (0..count as i32).map(|i| at(first + i)).collect()
    }

    #[test]
    fn windows_that_are_the_same_are_no_distance_apart() {
        let found = lip_sync_error(&circle(40, 0), &circle(40, 0)).unwrap();
        assert_eq!((found.shift, found.windows), (0, 40));
        assert!(found.distance < 1e-5, "{found:?}");
        assert!(found.confidence > 5.0, "{found:?}");
    }

    #[test]
    fn a_mouth_that_comes_late_has_a_positive_shift() {
        // What is seen at 0 was heard three windows ago.
        let found = lip_sync_error(&circle(400, -3), &circle(400, 0)).unwrap();
        assert_eq!(found.shift, 3);
        assert_eq!(lip_sync_error(&circle(400, 5), &circle(400, 0)).unwrap().shift, -5);
    }

    #[test]
    fn the_distance_is_the_mean_and_the_confidence_is_to_the_median() {
        // Seen: always (3, 4). Heard: always 0, so that every shift is 5 apart.
        let (seen, heard) = (vec![vec![3.0, 4.0]; 6], vec![vec![0.0, 0.0]; 6]);
        let found = lip_sync_error(&seen, &heard).unwrap();
        assert!((found.distance - 5.0).abs() < 1e-5 && found.confidence.abs() < 1e-9, "{found:?}");
        // Heard: what is seen, so that only what lies beyond the ends is apart: a shift of n has n of 6 windows 5 apart.
        let found = lip_sync_error(&seen, &seen).unwrap();
        assert!(
            found.distance < 1e-5 && (found.confidence - 5.0).abs() < 1e-5,
            "the median shift is past the end: {found:?}"
        );
        assert_eq!(lip_sync_error(&[], &[]), None);
    }

    #[test]
    fn scores_are_those_of_the_published_procedure() {
        let bytes = include_bytes!("../../../tests/syncnet.safetensors");
        let reference = SafeTensors::deserialize(bytes).unwrap();
        let rows = |name: &str| {
            let tensor = reference.tensor(name).unwrap();
            let bytes = tensor.data().to_vec();
            let values: Vec<f32> =
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            let width = tensor.shape().last().copied().unwrap();
            values.chunks_exact(width).map(<[f32]>::to_vec).collect::<Vec<_>>()
        };
        let found = lip_sync_error(&rows("seen"), &rows("heard")).unwrap();
        let [distance, confidence, shift] = rows("scores")[0][..] else { panic!("three scores") };
        assert!((found.distance - f64::from(distance)).abs() < 1e-5, "{found:?} {distance}");
        assert!((found.confidence - f64::from(confidence)).abs() < 1e-5, "{found:?} {confidence}");
        assert_eq!((f64::from(found.shift), found.shift), (f64::from(shift), 4));
    }

    proptest! {
        #[test]
        fn the_best_is_no_farther_than_any(values in prop::collection::vec(-5.0_f32..5.0, 8..200)) {
            let windows: Vec<Vec<f32>> = values.chunks_exact(2).map(<[f32]>::to_vec).collect();
            let other: Vec<Vec<f32>> = windows.iter().rev().cloned().collect();
            let found = lip_sync_error(&windows, &other).unwrap();
            prop_assert!(found.confidence >= 0.0 && found.distance >= 0.0);
            prop_assert!(found.shift.unsigned_abs() as usize <= MOST_SHIFT);
        }
    }
}
