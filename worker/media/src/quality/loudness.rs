//! How loud the sound is over time, and where it is silent.

use super::series::{gaussian, percentile};
use crate::audio::SPEECH_RATE;

/// Seconds between two levels.
pub const STEP_S: f64 = 0.01;

const STEP_SAMPLES: usize = (SPEECH_RATE / 100) as usize;
/// The level of digital silence, in dB of full scale.
const FLOOR_DB: f64 = -100.0;
/// Quieter than this (dB of full scale) even a file's loudest part is no speech.
const NO_SOUND_DB: f64 = -60.0;
/// What is this much below the loud parts counts as silence, in dB.
const SILENCE_BELOW_LOUD_DB: f64 = 30.0;
/// In a noisy recording: so much above its quietest parts is still silence, in dB...
const SILENCE_ABOVE_NOISE_DB: f64 = 6.0;
/// ...but never what is less than this below the loud parts.
const LEAST_BELOW_LOUD_DB: f64 = 12.0;
/// The silence threshold looks at levels smoothed by this many seconds.
const DECISION_SIGMA_S: f64 = 0.02;
/// A pause that is shorter is part of the speech, in seconds.
const SHORTEST_SILENCE_S: f64 = 0.3;
/// What is left out of a silence beside speech, in seconds: lips close late and open early.
const TRIM_S: f64 = 0.2;
/// The envelope reaches this far below the loud parts, in dB.
const ENVELOPE_RANGE_DB: f64 = 40.0;
/// The envelope is smoothed by this many seconds.
const ENVELOPE_SIGMA_S: f64 = 0.04;

/// A stretch of time in seconds: `from..to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Start, inclusive.
    pub from: f64,
    /// End, exclusive.
    pub to: f64,
}

impl Stretch {
    /// True when the time lies inside.
    pub fn holds(&self, seconds: f64) -> bool {
        (self.from..self.to).contains(&seconds)
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.to - self.from
    }
}

/// The levels of a sound, one every [`STEP_S`]; takes the samples in pieces of any length.
#[derive(Debug, Clone, PartialEq)]
pub struct Loudness {
    /// When the sound starts, in seconds from the start of the video.
    start: f64,
    /// dB of full scale.
    levels: Vec<f32>,
    energy: f64,
    filled: usize,
}

impl Loudness {
    /// Of a sound that starts at `start` seconds of the video.
    pub fn new(start: f64) -> Self {
        Self { start, levels: Vec::new(), energy: 0.0, filled: 0 }
    }

    /// Takes the next samples: 16 kHz, -1..=1. A last piece of less than [`STEP_S`] is dropped.
    pub fn push(&mut self, samples: &[f32]) {
        for sample in samples {
            self.energy += f64::from(*sample).powi(2);
            self.filled += 1;
            if self.filled == STEP_SAMPLES {
                let mean = self.energy / STEP_SAMPLES as f64;
                self.levels.push((10.0 * mean.log10()).max(FLOOR_DB) as f32);
                (self.energy, self.filled) = (0.0, 0);
            }
        }
    }

    /// When the sound starts, in seconds of the video.
    pub fn start(&self) -> f64 {
        self.start
    }

    /// How many levels there are.
    pub fn steps(&self) -> usize {
        self.levels.len()
    }

    /// Length of the sound in seconds, to [`STEP_S`].
    pub fn seconds(&self) -> f64 {
        self.levels.len() as f64 * STEP_S
    }

    /// The level in dB of full scale that 95% do not exceed; `None` when that is as good as nothing (-60 dB).
    pub fn loud(&self) -> Option<f64> {
        percentile(&self.decibels(), 0.95).filter(|loud| *loud > NO_SOUND_DB)
    }

    /// The level in dB of full scale below which the sound is silent: 30 dB below [`Loudness::loud`], or, should the
    /// quietest twentieth be louder than that, 6 dB above it and at least 12 dB below the loud parts.
    pub fn threshold(&self) -> Option<f64> {
        let loud = self.loud()?;
        let noise = percentile(&self.decibels(), 0.05)?;
        Some((loud - SILENCE_BELOW_LOUD_DB).max((noise + SILENCE_ABOVE_NOISE_DB).min(loud - LEAST_BELOW_LOUD_DB)))
    }

    /// The silences of at least 300 ms, untrimmed, in the order of time. All of a sound that is nowhere loud.
    fn pauses(&self) -> Vec<Stretch> {
        let all = Stretch { from: self.start, to: self.start + self.seconds() };
        let Some(threshold) = self.threshold() else { return vec![all] };
        let quiet: Vec<bool> =
            gaussian(&self.decibels(), DECISION_SIGMA_S / STEP_S).iter().map(|level| *level < threshold).collect();
        let mut pauses = Vec::new();
        let mut at = 0;
        for run in quiet.chunk_by(|a, b| a == b) {
            let stretch = Stretch { from: self.time(at), to: self.time(at + run.len()) };
            if run[0] && stretch.seconds() >= SHORTEST_SILENCE_S - STEP_S / 2.0 {
                pauses.push(stretch);
            }
            at += run.len();
        }
        pauses
    }

    /// The silences of at least 300 ms, less 200 ms at each side that adjoins speech.
    pub fn silences(&self) -> Vec<Stretch> {
        let end = self.start + self.seconds();
        let trim = |s: Stretch| Stretch {
            from: if s.from > self.start { s.from + TRIM_S } else { s.from },
            to: if s.to < end { s.to - TRIM_S } else { s.to },
        };
        self.pauses().into_iter().map(trim).filter(|s| s.seconds() > STEP_S / 2.0).collect()
    }

    /// The speech: what lies between the silences of at least 300 ms.
    pub fn speech(&self) -> Vec<Stretch> {
        let pauses = self.pauses();
        let ends = pauses.iter().map(|p| p.from).chain([self.start + self.seconds()]);
        let starts = [self.start].into_iter().chain(pauses.iter().map(|p| p.to));
        starts.zip(ends).map(|(from, to)| Stretch { from, to }).filter(|s| s.seconds() > STEP_S / 2.0).collect()
    }

    /// The envelope in dB above its floor (0..=40 or a little more): levels cut at 40 dB below the loud parts, smoothed
    /// by a Gaussian of 40 ms. Value `i` belongs to the time [`Loudness::envelope_time`] of `i`.
    pub fn envelope(&self) -> Vec<f64> {
        let Some(loud) = self.loud() else { return vec![0.0; self.levels.len()] };
        let floor = loud - ENVELOPE_RANGE_DB;
        let above: Vec<f64> = self.levels.iter().map(|level| (f64::from(*level) - floor).max(0.0)).collect();
        gaussian(&above, ENVELOPE_SIGMA_S / STEP_S)
    }

    /// The middle of step `i` in seconds of the video.
    pub fn envelope_time(&self, i: usize) -> f64 {
        self.time(i) + STEP_S / 2.0
    }

    fn time(&self, i: usize) -> f64 {
        self.start + i as f64 * STEP_S
    }

    fn decibels(&self) -> Vec<f64> {
        self.levels.iter().map(|level| f64::from(*level)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Loud and quiet parts in turn: `(seconds, amplitude)`.
    fn sound(start: f64, parts: &[(f64, f32)]) -> Loudness {
        let mut loudness = Loudness::new(start);
        let mut n = 0_u32;
        for (seconds, amplitude) in parts {
            let samples: Vec<f32> = (0..(seconds * f64::from(SPEECH_RATE)).round() as u32)
                .map(|_| {
                    n += 1;
                    amplitude * (n as f32 * 0.4).sin()
                })
                .collect();
            loudness.push(&samples);
        }
        loudness
    }

    fn near(stretch: Stretch, from: f64, to: f64) -> bool {
        (stretch.from - from).abs() < 0.045 && (stretch.to - to).abs() < 0.045
    }

    #[test]
    fn silences_are_trimmed_where_speech_adjoins() {
        let s = sound(0.1, &[(0.5, 0.0), (1.0, 0.3), (0.2, 0.0), (1.0, 0.3), (1.0, 0.0), (1.0, 0.3), (0.5, 0.0)]);
        let silences = s.silences();
        assert_eq!(silences.len(), 3, "{silences:?}");
        assert!(
            near(silences[0], 0.1, 0.4) && near(silences[1], 3.0, 3.6) && near(silences[2], 5.0, 5.3),
            "{silences:?}"
        );
        let speech = s.speech();
        // The pause of 200 ms is part of the speech.
        assert!(speech.len() == 2 && near(speech[0], 0.6, 2.8) && near(speech[1], 3.8, 4.8), "{speech:?}");
    }

    #[test]
    fn noise_is_no_speech() {
        let s = sound(0.0, &[(1.0, 0.03), (2.0, 0.3), (1.0, 0.03)]);
        assert_eq!(s.silences().len(), 2);
        assert!((s.threshold().unwrap() - (20.0 * (0.03_f64 / 2.0_f64.sqrt()).log10() + 6.0)).abs() < 0.5);
    }

    #[test]
    fn all_of_nothing_is_silence() {
        let s = sound(0.0, &[(1.0, 0.0)]);
        assert_eq!((s.silences().len(), s.speech().len(), s.loud()), (1, 0, None));
        assert!(s.envelope().iter().all(|v| *v == 0.0));
        let none = Loudness::new(0.0);
        assert!(none.speech().is_empty() && none.silences().is_empty() && none.envelope().is_empty());
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(cut in 1_usize..1000) {
            let samples: Vec<f32> = (0..4000).map(|i| (i as f32 * 0.1).sin() * (i as f32 / 4000.0)).collect();
            let (mut whole, mut pieces) = (Loudness::new(0.0), Loudness::new(0.0));
            whole.push(&samples);
            samples.chunks(cut).for_each(|c| pieces.push(c));
            prop_assert_eq!(whole, pieces);
        }
    }
}
