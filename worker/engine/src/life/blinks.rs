//! Blinks.

use super::random::SplitMix64;

/// Seconds of a blink: closing, closed, opening. Lids fall faster than they rise.
const CLOSING: f64 = 0.080;
const CLOSED: f64 = 0.040;
const OPENING: f64 = 0.160;
/// Nobody blinks again so soon, unless twice at once.
const REST: f64 = 1.6;

/// When the lids close.
#[derive(Debug)]
pub(super) struct Blinks {
    random: SplitMix64,
    next: f64,
    /// When the last one ended.
    ended: f64,
}

impl Blinks {
    pub(super) fn new(mut random: SplitMix64) -> Self {
        let next = random.between(0.8, 2.2);
        Self { random, next, ended: -REST }
    }

    /// How closed the lids are. Who turns head or eyes away (`turns`) often blinks at it.
    pub(super) fn at(&mut self, seconds: f64, turns: bool) -> f32 {
        while seconds >= self.next + CLOSING + CLOSED + OPENING {
            self.ended = self.next + CLOSING + CLOSED + OPENING;
            // Now and then one blink follows another at once.
            let again = self.random.chance(0.10);
            self.next += if again { 0.38 } else { self.random.between(3.4, 7.0) };
        }
        if turns && self.next > seconds && seconds - self.ended > REST && self.random.chance(0.35) {
            self.next = seconds;
        }
        let d = seconds - self.next;
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
