//! Whether the mouth moves with the sound.

use super::{
    loudness::{Loudness, STEP_S},
    series::{Moment, pearson, resample},
};

/// Offsets from minus to plus this many milliseconds are tried.
pub const MAX_OFFSET_MS: i32 = 400;
/// Distance of two tried offsets in milliseconds: that of two levels of the sound.
pub const OFFSET_STEP_MS: i32 = 10;

const MAX_STEPS: i32 = MAX_OFFSET_MS / OFFSET_STEP_MS;
/// So much silence at each side of speech is compared as well, in seconds: that the mouth opens and rests counts.
const AROUND_SPEECH_S: f64 = 0.5;
/// With less speech than this (seconds) a correlation says nothing.
const LEAST_SPEECH_S: f64 = 1.0;

/// How two series go together over a range of offsets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesMatch {
    /// Pearson's correlation of aperture and envelope at the best offset, -1..=1.
    pub correlation: f64,
    /// The same at offset 0.
    pub correlation_at_zero: f64,
    /// The offset of the highest correlation in milliseconds, -400..=400 in steps of 10. Positive: the mouth moves after
    /// the sound; negative: before it.
    pub best_offset_ms: i32,
}

impl SeriesMatch {
    /// True when the best offset is the last one tried, so that the true one may lie outside.
    pub fn at_limit(&self) -> bool {
        self.best_offset_ms.abs() == MAX_OFFSET_MS
    }
}

/// How the lips follow the sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LipSync {
    /// Within the speech alone, where only syllables tell.
    pub in_speech: SeriesMatch,
    /// With up to half a second of the silence at each side: higher when the mouth rests closed, but of no meaning for a
    /// portrait whose mouth rests open.
    pub with_pauses: SeriesMatch,
    /// Seconds of speech that were compared (at offset 0).
    pub seconds: f64,
}

/// Compares the aperture with the envelope of `sound` in its speech, and in that and just around it.
///
/// Both are taken every 10 ms (the aperture interpolated between frames no more than `longest_gap` seconds apart) and
/// have their means over the compared moments removed. A frame counts from the moment it is shown. `None` with less than
/// a second of speech under a visible face, or when either does not vary.
pub fn sync(aperture: &[Moment], longest_gap: f64, sound: &Loudness) -> Option<LipSync> {
    let envelope = sound.envelope();
    let first = sound.envelope_time(0) - f64::from(MAX_STEPS) * STEP_S;
    let lips = resample(aperture, first, STEP_S, envelope.len() + 2 * MAX_STEPS as usize, longest_gap);
    let spoken = steps_within(sound, 0.0);
    let seconds = pairs(&lips, &envelope, &spoken, 0).len() as f64 * STEP_S;
    if seconds < LEAST_SPEECH_S - STEP_S / 2.0 {
        return None;
    }
    let in_speech = best_match(&lips, &envelope, &spoken)?;
    let with_pauses = best_match(&lips, &envelope, &steps_within(sound, AROUND_SPEECH_S))?;
    Some(LipSync { in_speech, with_pauses, seconds })
}

/// The lips, `steps` later, and the envelope, where `of` is true and a face is seen. `lips` starts `MAX_STEPS` early.
fn pairs(lips: &[Option<f64>], envelope: &[f64], of: &[bool], steps: i32) -> Vec<(f64, f64)> {
    let both = envelope.iter().zip(of).zip(&lips[(steps + MAX_STEPS) as usize..]);
    both.filter_map(|((sound, of), lip)| lip.filter(|_| *of).map(|lip| (lip, *sound))).collect()
}

/// Of equal correlations the one nearest to offset 0 is the best.
fn best_match(lips: &[Option<f64>], envelope: &[f64], of: &[bool]) -> Option<SeriesMatch> {
    let at_zero = pairs(lips, envelope, of, 0);
    let correlation_at_zero = pearson(at_zero.iter().copied())?;
    let (mut correlation, mut best) = (correlation_at_zero, 0);
    for steps in (1..=MAX_STEPS).flat_map(|n| [n, -n]) {
        let pairs = pairs(lips, envelope, of, steps);
        // Where a shift leaves too little to compare (the ends of a short clip), chance would win.
        if pairs.len() < at_zero.len() / 2 {
            continue;
        }
        if let Some(higher) = pearson(pairs.into_iter()).filter(|c| *c > correlation + 1e-12) {
            (correlation, best) = (higher, steps);
        }
    }
    Some(SeriesMatch { correlation, correlation_at_zero, best_offset_ms: best * OFFSET_STEP_MS })
}

/// Which steps of the sound lie in its speech, or at most `around` seconds beside it.
fn steps_within(sound: &Loudness, around: f64) -> Vec<bool> {
    let mut within = vec![false; sound.steps()];
    for stretch in sound.speech() {
        let step = |seconds: f64| ((seconds - sound.start()) / STEP_S).round().max(0.0) as usize;
        let (from, to) = (step(stretch.from - around), step(stretch.to + around).min(within.len()));
        within[from.min(to)..to].fill(true);
    }
    within
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SPEECH_RATE;
    use proptest::prelude::*;

    /// Syllables of uneven length and strength, after which a second of silence.
    fn amplitude(seconds: f64) -> f64 {
        if !(0.5..7.0).contains(&seconds) {
            return 0.0;
        }
        let wave = (seconds * 11.0).sin() + (seconds * 17.3 + 1.0).sin() + (seconds * 5.1).sin();
        0.05 * (0.9 * wave).exp()
    }

    fn sound() -> Loudness {
        let mut sound = Loudness::new(0.0);
        let at = |i: u32| f64::from(i) / f64::from(SPEECH_RATE);
        let samples: Vec<f32> =
            (0..8 * SPEECH_RATE).map(|i| (amplitude(at(i)).min(0.9) * (at(i) * 1500.0).sin()) as f32).collect();
        sound.push(&samples);
        sound
    }

    /// A mouth that shows the envelope `lag` seconds late.
    fn mouth(sound: &Loudness, frames_per_second: f64, lag: f64) -> Vec<Moment> {
        let envelope: Vec<Moment> = sound
            .envelope()
            .into_iter()
            .enumerate()
            .map(|(i, value)| Moment { seconds: sound.envelope_time(i), value })
            .collect();
        (0..(8.0 * frames_per_second) as usize)
            .map(|i| i as f64 / frames_per_second)
            .filter_map(|seconds| {
                let value = resample(&envelope, seconds - lag, 1.0, 1, 1.0)[0]?;
                Some(Moment { seconds, value: 0.02 + 0.003 * value })
            })
            .collect()
    }

    #[test]
    fn a_mouth_after_the_sound_has_a_positive_offset() {
        let sound = sound();
        for lag_ms in [-300, -120, -40, 0, 40, 130, 300] {
            let got = sync(&mouth(&sound, 25.0, f64::from(lag_ms) / 1000.0), 0.1, &sound).unwrap();
            for got in [got.in_speech, got.with_pauses] {
                assert_eq!(got.best_offset_ms, lag_ms);
                assert!(got.correlation > 0.95, "{got:?}");
                assert!(lag_ms == 0 || got.correlation_at_zero < got.correlation - 0.02, "{got:?}");
            }
        }
    }

    #[test]
    fn beyond_the_range_the_limit_is_named() {
        let sound = sound();
        let got = sync(&mouth(&sound, 25.0, 0.43), 0.1, &sound).unwrap().with_pauses;
        assert!(got.at_limit() && got.best_offset_ms == MAX_OFFSET_MS, "{got:?}");
    }

    #[test]
    fn a_mouth_that_rests_open_follows_in_speech_all_the_same() {
        let sound = sound();
        let mut smile = mouth(&sound, 25.0, 0.04);
        smile.iter_mut().filter(|m| !(0.5..7.1).contains(&m.seconds)).for_each(|m| m.value = 0.13);
        let got = sync(&smile, 0.1, &sound).unwrap();
        assert!(got.in_speech.best_offset_ms == 40 && got.in_speech.correlation > 0.8, "{got:?}");
        assert!(got.with_pauses.correlation < 0.5, "{got:?}");
    }

    #[test]
    fn a_still_mouth_or_no_speech_is_not_judged() {
        let sound = sound();
        let mut still = mouth(&sound, 25.0, 0.0);
        still.iter_mut().for_each(|m| m.value = 0.02);
        assert_eq!(sync(&still, 0.1, &sound), None);
        assert_eq!(sync(&mouth(&sound, 25.0, 0.0)[..30], 0.1, &sound), None);
        assert_eq!(sync(&mouth(&sound, 25.0, 0.0), 0.1, &Loudness::new(0.0)), None);
        assert_eq!(sync(&[], 0.1, &sound), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_lag_is_found_at_any_frame_rate(steps in -38_i32..=38, rate in 24.0_f64..60.0, noise in 0.0_f64..0.004) {
            let sound = sound();
            let mut lips = mouth(&sound, rate, f64::from(steps) * STEP_S);
            for (i, m) in lips.iter_mut().enumerate() {
                m.value += noise * (i as f64 * 2.399).sin();
            }
            let got = sync(&lips, 0.1, &sound).unwrap();
            prop_assert!((got.with_pauses.best_offset_ms - steps * OFFSET_STEP_MS).abs() <= 10, "{:?}", got);
        }
    }
}
