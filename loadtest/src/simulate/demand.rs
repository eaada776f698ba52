//! Who comes, and when.

use super::{DemandShape, LengthSpread, SimulateOptions};
use crate::dice::Dice;
use std::time::Duration;

/// No session is shorter.
const SHORTEST: f64 = 1.0;
/// Nobody stays for longer than a hundred days, which is longer than any simulation.
const LONGEST: f64 = 100.0 * 24.0 * 3600.0;
const DAY: f64 = 24.0 * 3600.0;

/// Callers that come by chance, at a rate that changes with the time of day.
pub(super) struct Demand {
    shape: DemandShape,
    peak: f64,
    night: f64,
    length: f64,
    lengths: LengthSpread,
    /// Seconds since midnight of the first day; before it, less than zero.
    at: f64,
    comings: Dice,
    stays: Dice,
}

impl Demand {
    /// From `begin` seconds after midnight on.
    pub(super) fn new(options: &SimulateOptions, begin: f64, seed: u64) -> Self {
        Self {
            shape: options.shape,
            peak: options.rate_at_peak(),
            night: options.night,
            length: options.length.as_secs_f64(),
            lengths: options.lengths,
            at: begin,
            comings: Dice::new(seed),
            stays: Dice::new(seed ^ 0x7374_6179),
        }
    }

    /// Sessions a second at a time of day, as a share of the day's height.
    pub(super) fn share(&self, at: f64) -> f64 {
        match self.shape {
            DemandShape::Day => {
                let turn = (at / DAY) * std::f64::consts::TAU;
                self.night + (1.0 - self.night) * (1.0 - turn.cos()) / 2.0
            }
            DemandShape::Constant | DemandShape::Held => 1.0,
        }
    }

    /// When the next one comes, seconds after midnight; `None` where nobody comes.
    pub(super) fn next(&mut self) -> Option<f64> {
        if self.shape == DemandShape::Held {
            return None;
        }
        // As many as at the height of the day, of whom the share comes that is right for the time.
        loop {
            self.at += self.comings.exponential(1.0 / self.peak);
            if self.comings.share() < self.share(self.at) {
                return Some(self.at);
            }
        }
    }

    /// How long the one who comes now stays.
    pub(super) fn stay(&mut self) -> Duration {
        let seconds = match (self.shape, self.lengths) {
            (DemandShape::Held, _) => LONGEST,
            (_, LengthSpread::Exponential) => self.stays.exponential(self.length),
            // The mean of e^(m + z) is e^(m + 1/2).
            (_, LengthSpread::LogNormal) => self.length * (self.stays.normal() - 0.5).exp(),
            (_, LengthSpread::Fixed) => self.length,
        };
        Duration::from_secs_f64(seconds.clamp(SHORTEST, LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(shape: DemandShape, lengths: LengthSpread) -> Demand {
        let options = SimulateOptions { shape, lengths, sessions: 60, ..SimulateOptions::default() };
        Demand::new(&options, 0.0, 1)
    }

    #[test]
    fn a_day_has_its_height_at_noon() {
        let day = demand(DemandShape::Day, LengthSpread::Fixed);
        let at = [0.0, 6.0, 12.0, 24.0].map(|hour| (day.share(hour * 3600.0) * 100.0).round());
        assert_eq!(at, [10.0, 55.0, 100.0, 10.0]);
    }

    #[test]
    fn as_many_come_as_the_rate_says() {
        // One in ten seconds at the height, 55% of that over a day.
        for (shape, expected) in [(DemandShape::Constant, 8640.0), (DemandShape::Day, 4752.0)] {
            let mut demand = demand(shape, LengthSpread::Fixed);
            let came = std::iter::from_fn(|| demand.next()).take_while(|at| *at < DAY).count() as f64;
            assert!((came / expected - 1.0).abs() < 0.05, "{shape:?}: {came}");
        }
        assert_eq!(demand(DemandShape::Held, LengthSpread::Fixed).next(), None);
    }

    #[test]
    fn lengths_have_their_mean() {
        for lengths in [LengthSpread::Exponential, LengthSpread::LogNormal, LengthSpread::Fixed] {
            let mut demand = demand(DemandShape::Day, lengths);
            let mean = (0..20_000).map(|_| demand.stay().as_secs_f64()).sum::<f64>() / 20_000.0;
            assert!((mean / 600.0 - 1.0).abs() < 0.05, "{lengths:?}: {mean}");
        }
    }
}
