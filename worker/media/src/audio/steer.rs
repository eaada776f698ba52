//! A little faster or slower: what makes up for two clocks that do not agree.
//!
//! Between samples the sound is taken from a windowed sinc of sixteen taps: a cubic would dull the hiss of an s whenever
//! the place falls midway between samples, and as the place wanders at a clock's drift, one would hear it breathe.

use super::stream::weigh;

/// Slowest and fastest.
const RANGE: (f64, f64) = (0.99, 1.01);

/// Samples on each side that an output takes.
const HALF: usize = 8;
const TAPS: usize = 2 * HALF;

/// Places between two samples with weights of their own; between those, weights are linear.
const PHASES: usize = 256;

/// At speed 1 the place between samples is let go at this speed until it is on a sample: 20 ms at most, unheard.
const SETTLING: f64 = 0.0005;

/// Plays one 48 kHz mono stream a little faster or slower. Allocates nothing in the steady state beyond `out`.
#[derive(Debug)]
pub struct Steer {
    /// Input that is still needed, oldest first.
    held: Vec<f32>,
    /// The next output's place after held sample `HALF - 1`, 0..1.
    place: f64,
    /// `PHASES + 1` rows of `TAPS` weights.
    weights: Vec<[f32; TAPS]>,
}

impl Default for Steer {
    fn default() -> Self {
        Self::new()
    }
}

impl Steer {
    /// Samples that came in and wait for the next ones.
    pub const HELD: u64 = HALF as u64;

    /// At the start of a sound.
    pub fn new() -> Self {
        let mut this = Self { held: Vec::new(), place: 0.0, weights: (0..=PHASES).map(weights).collect() };
        this.reset();
        this
    }

    /// Takes the next samples and appends them as they sound at `speed` (0.99..=1.01, input samples for each output
    /// sample; what is outside is brought inside). The last eight samples wait for the next call.
    ///
    /// At speed 1 the output is the input, to the bit, once the place between samples that another speed has left is gone:
    /// after 20 ms at most.
    pub fn push(&mut self, samples: &[f32], speed: f64, out: &mut Vec<f32>) {
        let speed = if speed.is_finite() { speed.clamp(RANGE.0, RANGE.1) } else { 1.0 };
        self.held.extend_from_slice(samples);
        let mut at = 0;
        if speed == 1.0 {
            at = self.settle(out);
            if self.place == 0.0 {
                let whole = self.held.len().saturating_sub(TAPS - 1).max(at);
                out.extend_from_slice(&self.held[at + HALF - 1..whole + HALF - 1]);
                at = whole;
            }
        } else {
            while let Some(inputs) = self.held.get(at..at + TAPS) {
                out.push(self.between(inputs));
                at += self.advance(speed);
            }
        }
        self.held.drain(..at.min(self.held.len()));
    }

    /// Moves the place onto a sample; says how many held samples that took.
    fn settle(&mut self, out: &mut Vec<f32>) -> usize {
        let mut at = 0;
        while self.place != 0.0
            && let Some(inputs) = self.held.get(at..at + TAPS)
        {
            out.push(self.between(inputs));
            if self.place <= SETTLING {
                self.place = 0.0;
                at += 1;
            } else if self.place >= 1.0 - SETTLING {
                self.place = 0.0;
                at += 2;
            } else {
                at += self.advance(if self.place < 0.5 { 1.0 - SETTLING } else { 1.0 + SETTLING });
            }
        }
        at
    }

    /// Moves the place by `speed`; says how many whole samples that is.
    fn advance(&mut self, speed: f64) -> usize {
        self.place += speed;
        let whole = self.place.floor();
        self.place -= whole;
        whole as usize
    }

    /// The sound at the place.
    fn between(&self, inputs: &[f32]) -> f32 {
        let phase = self.place * PHASES as f64;
        let (row, share) = (phase as usize, (phase.fract()) as f32);
        let (a, b) = (&self.weights[row], &self.weights[row + 1]);
        let between: [f32; TAPS] = std::array::from_fn(|k| a[k] + (b[k] - a[k]) * share);
        weigh(inputs, &between)
    }

    /// Forgets everything: what comes next is the start of another sound.
    pub fn reset(&mut self) {
        self.held.clear();
        self.held.resize(HALF - 1, 0.0);
        self.place = 0.0;
    }
}

/// The weights for a place `row / PHASES` after the middle: a sinc under a Blackman window, exactly one sample at the ends.
fn weights(row: usize) -> [f32; TAPS] {
    if row == 0 || row == PHASES {
        let mut one = [0.0; TAPS];
        one[HALF - 1 + row / PHASES] = 1.0;
        return one;
    }
    let place = row as f64 / PHASES as f64;
    let raw: [f64; TAPS] = std::array::from_fn(|k| {
        let x = k as f64 - (HALF - 1) as f64 - place;
        let turn = std::f64::consts::PI * x;
        let w = turn / HALF as f64;
        turn.sin() / turn * (0.42 + 0.5 * w.cos() + 0.08 * (2.0 * w).cos())
    });
    let sum: f64 = raw.iter().sum();
    raw.map(|v| (v / sum) as f32)
}

#[cfg(test)]
#[path = "steer_tests.rs"]
mod tests;
