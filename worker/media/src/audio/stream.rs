//! Another rate for sound that never ends: a polyphase filter whose output is exactly in its place.
//!
//! Output sample m is the sound at the time m / to: the filter is symmetric and its first half is left out of the output
//! instead of shifting it. So two streams of one sound stay aligned to the sample, and what a caller has to know is only
//! how much later than its place a sample comes out ([`Converter::latency_samples`]). An output's place between two inputs is
//! a fraction of whole numbers, so nothing drifts; where the rates have so many different places (11,025 to 48,000 has 640)
//! that a table of weights for each would be large, weights lie on a line between those of the next places in the table.

use super::AudioError;
use std::ops::RangeInclusive;

/// Inputs before and after the middle one: of 1 ms, and at least so many samples of the lower rate. Less would let through
/// more of what lies above the lower rate's half, more would make a live session wait longer.
const LEAST_REACH: u32 = 16;

/// Shape of the Kaiser window: about 65 dB.
const BETA: f64 = 6.2;

/// The middle of the slope from passing to stopping, as a share of the lower rate's half.
const CUTOFF: f64 = 0.985;

/// Rates that can be converted, samples a second.
const RATES: RangeInclusive<u32> = 8_000..=48_000;

/// Places between two inputs with weights of their own, at most. Lines between 256 are 100 dB below the sound.
const PLACES: usize = 256;

/// Silence is given in pieces of this length to get the end of a sound.
const TAIL: usize = 64;

/// Converts one mono stream from one rate to another. Allocates nothing in the steady state.
#[derive(Debug)]
pub struct Converter {
    /// Parts of a second, common to both rates, that an input sample and an output sample take.
    input_step: usize,
    output_step: usize,
    /// Inputs on each side of an output.
    reach: usize,
    /// For places of an output between two inputs, evenly from the first to the second, its weights, oldest input first.
    /// Empty where the rates are the same.
    places: Vec<Vec<f32>>,
    /// Input that is still needed, oldest first; the first is number `first`.
    held: Vec<f32>,
    /// Where the next output lies, in common parts from the first held sample's place.
    next: usize,
    fed: u64,
    given: u64,
}

impl Converter {
    /// From one to another of 8,000 to 48,000 samples a second.
    ///
    /// # Errors
    /// [`AudioError::Rates`] for other rates.
    pub fn new(from: u32, to: u32) -> Result<Self, AudioError> {
        if !(RATES.contains(&from) && RATES.contains(&to)) {
            return Err(AudioError::Rates { from, to });
        }
        let common = greatest_common_divisor(from, to);
        let (input_step, output_step) = ((to / common) as usize, (from / common) as usize);
        let lower = from.min(to);
        let reach = if from == to { 0 } else { (from / 1000).max(LEAST_REACH * from / lower) as usize };
        let cutoff = CUTOFF * f64::from(lower) / f64::from(from);
        let places = if from == to { Vec::new() } else { places(input_step.min(PLACES), reach, cutoff) };
        let mut this = Self { input_step, output_step, reach, places, held: Vec::new(), next: 0, fed: 0, given: 0 };
        this.reset();
        Ok(this)
    }

    /// How many input samples past an output sample's place must have been pushed before it comes out.
    pub fn latency_samples(&self) -> usize {
        self.reach
    }

    /// Takes the next samples and appends what they complete.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.fed += samples.len() as u64;
        if self.places.is_empty() {
            out.extend_from_slice(samples);
            self.given += samples.len() as u64;
            return;
        }
        self.held.extend_from_slice(samples);
        let width = 2 * self.reach + 1;
        loop {
            let (at, place) = (self.next / self.input_step, self.next % self.input_step);
            let Some(inputs) = self.held.get(at..at + width) else { break };
            out.push(self.between(inputs, place));
            self.given += 1;
            self.next += self.output_step;
        }
        let done = (self.next / self.input_step).min(self.held.len());
        self.held.drain(..done);
        self.next -= done * self.input_step;
    }

    /// The sound at `place` of `input_step` parts after the middle input.
    fn between(&self, inputs: &[f32], place: usize) -> f32 {
        let count = self.places.len() - 1;
        let (row, rest) = (place * count / self.input_step, place * count % self.input_step);
        let sound = weigh(inputs, &self.places[row]);
        if rest == 0 {
            return sound;
        }
        let share = rest as f32 / self.input_step as f32;
        sound + (weigh(inputs, &self.places[row + 1]) - sound) * share
    }

    /// The sound is over: appends what is still inside, so that the output is as long as the input, and starts anew.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let due = (self.fed * self.input_step as u64).div_ceil(self.output_step as u64);
        let silence = [0.0; TAIL];
        while self.given < due && !self.places.is_empty() {
            self.push(&silence, out);
        }
        out.truncate(out.len() - (self.given.max(due) - due) as usize);
        self.reset();
    }

    /// Forgets everything: what comes next is the start of another sound.
    pub fn reset(&mut self) {
        self.held.clear();
        self.held.resize(self.reach, 0.0);
        (self.next, self.fed, self.given) = (0, 0, 0);
    }
}

/// The weighted sum, in eight lanes: one lane would wait for itself.
pub(super) fn weigh(samples: &[f32], weights: &[f32]) -> f32 {
    let ((samples, rest), (weights, their)) = (samples.as_chunks::<8>(), weights.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (s, w) in samples.iter().zip(weights) {
        for ((lane, s), w) in lanes.iter_mut().zip(s).zip(w) {
            *lane += s * w;
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().zip(their).map(|(s, w)| s * w).sum::<f32>()
}

/// The weights of `count` places from one input to the next, and of the next.
///
/// An output at a place 0..=1 after input i takes the inputs i - reach ..= i + reach; input k lies (k - i) - place from it.
fn places(count: usize, reach: usize, cutoff: f64) -> Vec<Vec<f32>> {
    let of = |n: usize| {
        let place = n as f64 / count as f64;
        let taps: Vec<f64> = (0..=2 * reach)
            .map(|k| {
                let x = k as f64 - reach as f64 - place;
                let turn = std::f64::consts::PI * cutoff * x;
                let sinc = if x == 0.0 { 1.0 } else { turn.sin() / turn };
                sinc * kaiser(x / reach as f64)
            })
            .collect();
        // Each passes a constant unchanged, so none hums at the input's rate.
        let sum: f64 = taps.iter().sum();
        taps.into_iter().map(|t| (t / sum) as f32).collect()
    };
    (0..=count).map(of).collect()
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The Kaiser window at -1..=1; 0 outside.
fn kaiser(x: f64) -> f64 {
    let inside = 1.0 - x * x;
    if inside < 0.0 { 0.0 } else { bessel(BETA * inside.sqrt()) / bessel(BETA) }
}

/// The modified Bessel function of order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-12 {
        term *= (x / (2.0 * k)).powi(2);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
#[path = "stream_tests.rs"]
pub(crate) mod tests;
