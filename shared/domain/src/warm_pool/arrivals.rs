//! How fast sessions come.

use crate::time::{Mono, as_millis};
use std::collections::VecDeque;
use std::time::Duration;

/// The window is counted in so many parts.
const PARTS: u64 = 20;

/// Sessions that came within the last minutes. Of a window that has only begun, the time before counts as quiet.
#[derive(Debug)]
pub struct ArrivalRate {
    window: Duration,
    /// The start of a part of the window, and how many came in it.
    parts: VecDeque<(Mono, u32)>,
}

impl ArrivalRate {
    /// Counts over this window, at least a second.
    pub fn over(window: Duration) -> Self {
        Self { window: window.max(Duration::from_secs(1)), parts: VecDeque::new() }
    }

    /// So many came now.
    pub fn came(&mut self, sessions: u32, now: Mono) {
        let part = (as_millis(self.window) / PARTS).max(1);
        let start = Mono(now.0 - now.0 % part);
        match self.parts.back_mut() {
            Some((at, count)) if *at >= start => *count = count.saturating_add(sessions),
            _ => self.parts.push_back((start, sessions)),
        }
        self.forget(now);
    }

    /// How many come in a second, on average over the window.
    pub fn per_second(&self, now: Mono) -> f64 {
        let within = self.parts.iter().filter(|(at, _)| *at + self.window > now);
        let came: f64 = within.map(|(_, count)| f64::from(*count)).sum();
        came / self.window.as_secs_f64()
    }

    fn forget(&mut self, now: Mono) {
        while self.parts.front().is_some_and(|(at, _)| *at + self.window <= now) {
            self.parts.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_came_before_the_window_is_forgotten() {
        let mut rate = ArrivalRate::over(Duration::from_secs(100));
        assert_eq!(rate.per_second(Mono(0)), 0.0);
        rate.came(50, Mono(1000));
        rate.came(150, Mono(60_000));
        assert_eq!(rate.per_second(Mono(60_000)), 2.0);
        assert_eq!(rate.per_second(Mono(110_000)), 1.5);
        assert_eq!(rate.per_second(Mono(170_000)), 0.0);
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_no_more_is_counted_than_came(
            steps in proptest::collection::vec((0u64..5000, 0u32..4), 1..500), window in 0u64..200_000,
        ) {
            let mut rate = ArrivalRate::over(Duration::from_millis(window));
            let (mut now, mut all) = (Mono(0), 0);
            for (wait, came) in steps {
                now = now + Duration::from_millis(wait);
                rate.came(came, now);
                all += came;
                prop_assert!(rate.parts.len() <= PARTS as usize + 1);
                let span = rate.window.as_secs_f64();
                prop_assert!(rate.per_second(now) * span <= f64::from(all) + 1e-6);
                prop_assert!(rate.per_second(now) * span >= f64::from(came) - 1e-6);
            }
        }
    }
}
