//! Idle life: blinks, brows and small head movement, from a seed.
//!
//! The same seed and the same voice give the same life, frame for frame.

use crate::{Expression, HeadPose};
use std::f64::consts::TAU;

/// How much of life shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveliness {
    /// Eyes blink, 10 to 20 times a minute.
    pub blinks: bool,
    /// The head moves a little and nods with the voice, brows rise.
    pub head: bool,
}

impl Default for Liveliness {
    fn default() -> Self {
        Self { blinks: true, head: true }
    }
}

/// Seconds of a blink: closing, closed, opening. Lids fall faster than they rise.
const CLOSING: f64 = 0.080;
const CLOSED: f64 = 0.040;
const OPENING: f64 = 0.160;

/// The head's slow movements: period in seconds, amplitude, and what moves (see `wander`).
const WANDER: [(f64, f32); 9] = [
    (7.3, 0.010),
    (3.1, 0.004), // dx
    (5.1, 0.006),
    (4.0, 0.003), // dy
    (8.7, 0.014),
    (3.7, 0.005), // roll
    (6.1, 0.055),
    (2.9, 0.018), // yaw
    (5.3, 0.030), // pitch
];

/// A person's small movements over time.
#[derive(Debug)]
pub struct Life {
    liveliness: Liveliness,
    random: SplitMix64,
    phases: [f64; WANDER.len() + 1],
    blink_at: f64,
    last: f64,
    /// The voice, followed quickly and slowly.
    quick: f32,
    slow: f32,
}

impl Life {
    /// A life determined by `seed`.
    pub fn new(seed: u64, liveliness: Liveliness) -> Self {
        let mut random = SplitMix64(seed);
        let phases = std::array::from_fn(|_| random.between(0.0, TAU));
        let blink_at = random.between(0.8, 2.2);
        Self { liveliness, random, phases, blink_at, last: 0.0, quick: 0.0, slow: 0.0 }
    }

    /// The expression at media time `seconds` (not decreasing), with so much `voice` (0..=1) heard.
    pub fn at(&mut self, seconds: f64, voice: f32) -> Expression {
        let dt = (seconds - self.last).clamp(0.0, 1.0) as f32;
        self.last = seconds;
        // Followed from below and above: what is left of the difference is the stress of a syllable or a word.
        self.quick += (voice - self.quick) * (1.0 - (-dt / 0.16).exp());
        self.slow += (voice - self.slow) * (1.0 - (-dt / 0.70).exp());
        let blink = if self.liveliness.blinks { self.blink(seconds) } else { 0.0 };
        if !self.liveliness.head {
            return Expression { blink, ..Expression::default() };
        }
        let w = |i: usize| {
            let (period, amplitude) = WANDER[i];
            amplitude * (TAU * seconds / period + self.phases[i]).sin() as f32
        };
        let stress = self.quick - self.slow;
        let sway = (TAU * seconds / 6.0 + self.phases[9]).sin() as f32;
        Expression {
            blink,
            brow: (self.quick * 1.6 - 0.75).clamp(0.0, 1.0) * 0.9,
            head: HeadPose {
                dx: w(0) + w(1),
                dy: w(2) + w(3) + 0.016 * stress,
                roll: w(4) + w(5) + 0.02 * stress * sway,
                yaw: w(6) + w(7),
                pitch: w(8) + 0.10 * stress,
            },
        }
    }

    /// How closed the lids are.
    fn blink(&mut self, seconds: f64) -> f32 {
        while seconds >= self.blink_at + CLOSING + CLOSED + OPENING {
            // Now and then one blink follows another at once.
            let again = self.random.between(0.0, 1.0) < 0.10;
            self.blink_at += if again { 0.38 } else { self.random.between(2.6, 5.6) };
        }
        let d = seconds - self.blink_at;
        if d <= 0.0 {
            0.0
        } else if d < CLOSING {
            (d / CLOSING) as f32
        } else if d < CLOSING + CLOSED {
            1.0
        } else {
            (1.0 - (d - CLOSING - CLOSED) / OPENING).max(0.0) as f32
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eyes_blink_ten_to_twenty_times_a_minute(seed: u64) {
            let mut life = Life::new(seed, Liveliness::default());
            let mut blinks = 0;
            let mut shut = false;
            for i in 0..25 * 300 {
                let now = life.at(f64::from(i) / 25.0, 0.0).blink > 0.5;
                blinks += i32::from(now && !shut);
                shut = now;
            }
            prop_assert!((50..=100).contains(&blinks), "{blinks} in five minutes");
        }

        #[test]
        fn the_head_stays_close_to_its_place(seed: u64, voices in prop::collection::vec(0.0_f32..1.0, 100)) {
            let mut life = Life::new(seed, Liveliness::default());
            for (i, v) in voices.iter().enumerate() {
                let e = life.at(i as f64 / 25.0, *v);
                prop_assert!(e.head.dx.abs() < 0.02 && e.head.dy.abs() < 0.04);
                prop_assert!(e.head.roll.abs() < 0.05 && e.head.yaw.abs() < 0.08 && e.head.pitch.abs() < 0.17);
                prop_assert!((0.0..=1.0).contains(&e.blink) && (0.0..=1.0).contains(&e.brow));
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_life() {
        let run = |seed| {
            let mut life = Life::new(seed, Liveliness::default());
            (0..100).map(|i| life.at(f64::from(i) * 0.04, 0.3)).collect::<Vec<_>>()
        };
        assert_eq!(run(5), run(5));
        assert_ne!(run(5), run(6));
    }

    #[test]
    fn a_still_head_stands_exactly_as_in_the_picture() {
        let mut life = Life::new(1, Liveliness { blinks: false, head: false });
        assert!((0..200).all(|i| life.at(f64::from(i) * 0.04, 1.0) == Expression::default()));
    }
}
