//! Another rate for sound that never ends: a polyphase filter whose output is exactly in its place.
//!
//! Output sample m is the sound at the time m / to: the filter is symmetric and its first half is left out of the output
//! instead of shifting it. So two streams of one sound stay aligned to the sample, and what a caller has to know is only
//! how much later than its place a sample comes out ([`Converter::latency_samples`]). All rates meet at 48 kHz, so one
//! design of 97 taps there (a Kaiser window, 65 dB) serves each pair; a phase of it is what one output sample takes.

use super::AudioError;

/// Where all rates meet.
const MEETING: u32 = 48_000;

/// Taps before and after the middle one, at 48 kHz: 1 ms. Less would let through more of what lies above the lower rate's
/// half, more would make a live session wait longer.
const HALF: usize = 48;

/// Shape of the Kaiser window: about 65 dB.
const BETA: f64 = 6.2;

/// The middle of the slope from passing to stopping, as a share of the lower rate's half.
const CUTOFF: f64 = 0.985;

/// Rates that can be converted, samples a second.
const RATES: [u32; 3] = [16_000, 24_000, 48_000];

/// Converts one mono stream from one rate to another. Allocates nothing in the steady state.
#[derive(Debug)]
pub struct Converter {
    /// Steps of 48 kHz an input sample and an output sample take.
    input_step: usize,
    output_step: usize,
    /// For each place of an output sample between two input samples, its weights, oldest input first.
    phases: Vec<Vec<f32>>,
    /// Input that is still needed, oldest first; the first is number `first`.
    held: Vec<f32>,
    /// Where the next output lies, in steps of 48 kHz from the first held sample's place.
    next: usize,
    fed: u64,
    given: u64,
}

impl Converter {
    /// From and to one of 16,000, 24,000 and 48,000 samples a second.
    ///
    /// # Errors
    /// [`AudioError::Rates`] for other rates.
    pub fn new(from: u32, to: u32) -> Result<Self, AudioError> {
        if !(RATES.contains(&from) && RATES.contains(&to)) {
            return Err(AudioError::Rates { from, to });
        }
        let (input_step, output_step) = ((MEETING / from) as usize, (MEETING / to) as usize);
        let phases = if from == to { Vec::new() } else { phases(input_step, from.min(to)) };
        let mut this = Self { input_step, output_step, phases, held: Vec::new(), next: 0, fed: 0, given: 0 };
        this.reset();
        Ok(this)
    }

    /// How many input samples past an output sample's place must have been pushed before it comes out.
    pub fn latency_samples(&self) -> usize {
        self.reach()
    }

    /// Taps on one side, in input samples.
    fn reach(&self) -> usize {
        if self.phases.is_empty() { 0 } else { HALF / self.input_step }
    }

    /// Takes the next samples and appends what they complete.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.fed += samples.len() as u64;
        if self.phases.is_empty() {
            out.extend_from_slice(samples);
            self.given += samples.len() as u64;
            return;
        }
        self.held.extend_from_slice(samples);
        let width = 2 * self.reach() + 1;
        loop {
            let (at, phase) = (self.next / self.input_step, self.next % self.input_step);
            let Some(inputs) = self.held.get(at..at + width) else { break };
            out.push(weigh(inputs, &self.phases[phase]));
            self.given += 1;
            self.next += self.output_step;
        }
        let done = (self.next / self.input_step).min(self.held.len());
        self.held.drain(..done);
        self.next -= done * self.input_step;
    }

    /// The sound is over: appends what is still inside, so that the output is as long as the input, and starts anew.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let due = (self.fed * self.input_step as u64).div_ceil(self.output_step as u64);
        let silence = [0.0; HALF + 1];
        while self.given < due && !self.phases.is_empty() {
            self.push(&silence, out);
        }
        out.truncate(out.len() - (self.given.max(due) - due) as usize);
        self.reset();
    }

    /// Forgets everything: what comes next is the start of another sound.
    pub fn reset(&mut self) {
        self.held.clear();
        self.held.resize(self.reach(), 0.0);
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

/// The weights of each place between two input samples.
///
/// An output at `phase` steps after input i takes the inputs i - reach ..= i + reach; input k lies (k - i) input steps
/// from i, so (k - i) * step - phase from the output.
fn phases(step: usize, lower: u32) -> Vec<Vec<f32>> {
    let reach = (HALF / step) as i64;
    let cutoff = CUTOFF * f64::from(lower) / f64::from(MEETING);
    (0..step)
        .map(|phase| {
            let taps: Vec<f64> = (-reach..=reach)
                .map(|k| {
                    let x = (k * step as i64 - phase as i64) as f64;
                    let turn = std::f64::consts::PI * cutoff * x;
                    let sinc = if x == 0.0 { 1.0 } else { turn.sin() / turn };
                    sinc * kaiser(x / HALF as f64)
                })
                .collect();
            // Each phase passes a constant unchanged, so none hums at the input's rate.
            let sum: f64 = taps.iter().sum();
            taps.into_iter().map(|t| (t / sum) as f32).collect()
        })
        .collect()
}

/// The Kaiser window at -1..=1; 0 outside.
fn kaiser(x: f64) -> f64 {
    let inside = 1.0 - x * x;
    if inside < 0.0 { 0.0 } else { bessel(BETA * inside.sqrt()) / bessel(BETA) }
}

/// The modified Bessel function of order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
#[path = "stream_tests.rs"]
pub(crate) mod tests;
