//! Which of Whisper's features a video frame takes.
//!
//! Whisper gives 50 features a second; feature k tells of the sound from 20 k ms on. A frame takes the ten around its middle, five
//! before and five after. At 25 frames a second these are the ones that the network was trained with: 4 before the frame's start and
//! 6 from there on. The original counts differently at other rates: at 30 it takes 2 before the start and 8 after, which is sound of
//! 40 ms later than it was trained with; here every rate has its frame's middle in the middle.

/// Features that a frame takes.
pub const CLIP: usize = 10;
/// Samples of 16 kHz sound that a feature stands for.
pub const FEATURE_SAMPLES: usize = 320;
/// Hidden states in a feature, and values of each.
pub const STATES: usize = 5;
/// Values of each state.
pub const WIDTH: usize = 384;
/// Values of a feature.
pub const FEATURE: usize = STATES * WIDTH;

/// The first feature of the frame whose middle is at `seconds`; negative before the sound begins.
pub fn first_feature(seconds: f64) -> i64 {
    // Times such as 0.58 are a little less than they say: half a feature is far from any rate's middle but 100.
    (seconds * 50.0 + 1e-6).round() as i64 - (CLIP / 2) as i64
}

/// Copies features `first..first + CLIP` to `out`. `features` begins at feature `begin`; what lies before the sound is zero, as the
/// original has it.
///
/// # Panics
/// When `out` has another size than a clip, or `features` ends before the clip does.
pub fn cut(features: &[f32], begin: i64, first: i64, out: &mut [f32]) {
    assert_eq!(out.len(), CLIP * FEATURE, "a clip");
    for (k, to) in (first..).zip(out.chunks_exact_mut(FEATURE)) {
        match usize::try_from(k - begin) {
            Ok(at) if k >= 0 => to.copy_from_slice(&features[at * FEATURE..(at + 1) * FEATURE]),
            _ => to.fill(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firsts(fps: f64) -> Vec<i64> {
        (0..12).map(|i| first_feature((f64::from(i) + 0.5) / fps)).collect()
    }

    #[test]
    fn at_25_a_frame_has_the_features_that_the_original_gives_it() {
        // floor(i * 50 / 25) after a left padding of 4.
        assert_eq!(firsts(25.0), (0..12).map(|i| 2 * i - 4).collect::<Vec<_>>());
        let late = (0..100_000).map(|i| first_feature((f64::from(i) + 0.5) / 25.0) - 2 * i64::from(i));
        assert!(late.into_iter().all(|d| d == -4), "at any time");
    }

    #[test]
    fn at_30_the_middle_of_the_clip_is_the_middle_of_the_frame() {
        assert_eq!(firsts(30.0), [-4, -2, -1, 1, 3, 4, 6, 8, 9, 11, 13, 14]);
        for (i, first) in firsts(30.0).into_iter().enumerate() {
            let (clip, frame) = ((first + 5) as f64 / 50.0, (i as f64 + 0.5) / 30.0);
            assert!((clip - frame).abs() <= 0.0101, "frame {i}: {clip} {frame}");
        }
    }

    #[test]
    fn what_lies_before_the_sound_is_zero() {
        let features: Vec<f32> = (0..20 * FEATURE).map(|i| (i / FEATURE) as f32 + 1.0).collect();
        let mut clip = vec![9.0; CLIP * FEATURE];
        cut(&features, -3, -4, &mut clip);
        let heads: Vec<f32> = clip.chunks(FEATURE).map(|f| f[0]).collect();
        assert_eq!(heads, [0.0, 0.0, 0.0, 0.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        cut(&features, 7, 9, &mut clip);
        assert_eq!((clip[0], clip[CLIP * FEATURE - 1]), (3.0, 12.0));
    }
}
