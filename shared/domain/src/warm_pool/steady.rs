//! Numbers that rise at once and fall slowly, or the other way round.

use crate::time::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// The highest of what was said within a span of time: it follows upwards at once, and goes down to what was not exceeded
/// for the whole span. So whatever is given back was not needed for that long.
#[derive(Debug)]
pub struct SteadyMax {
    span: Duration,
    /// What was said and when it was said last, in order of time; each is less than the one before it.
    said: VecDeque<(Mono, u32)>,
}

impl SteadyMax {
    /// Over this span.
    pub fn over(span: Duration) -> Self {
        Self { span, said: VecDeque::new() }
    }

    /// Looks further back, or less far.
    pub fn set_span(&mut self, span: Duration) {
        self.span = span;
    }

    /// The number now, after `value` was said.
    pub fn say(&mut self, value: u32, now: Mono) -> u32 {
        while self.said.back().is_some_and(|(_, lower)| *lower <= value) {
            self.said.pop_back();
        }
        self.said.push_back((now, value));
        while self.said.len() > 1 && self.said.front().is_some_and(|(at, _)| *at + self.span <= now) {
            self.said.pop_front();
        }
        self.said.front().map_or(value, |(_, highest)| *highest)
    }
}

/// The lowest of what was said within a span of time: it follows downwards at once.
#[derive(Debug)]
pub struct SteadyMin(SteadyMax);

impl SteadyMin {
    /// Over this span.
    pub fn over(span: Duration) -> Self {
        Self(SteadyMax::over(span))
    }

    /// The number now, after `value` was said.
    pub fn say(&mut self, value: u32, now: Mono) -> u32 {
        u32::MAX - self.0.say(u32::MAX - value, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_falls_when_the_span_is_over() {
        let mut steady = SteadyMax::over(Duration::from_secs(10));
        let said = [(0, 3), (1000, 5), (2000, 2), (9000, 4), (11_000, 1), (18_999, 1), (19_000, 1), (21_000, 1)];
        let got: Vec<u32> = said.iter().map(|(at, value)| steady.say(*value, Mono(*at))).collect();
        assert_eq!(got, [3, 5, 5, 5, 4, 4, 1, 1]);
        let mut least = SteadyMin::over(Duration::from_secs(10));
        let got: Vec<u32> = said.iter().map(|(at, value)| least.say(*value, Mono(*at))).collect();
        assert_eq!(got, [3, 3, 2, 2, 1, 1, 1, 1]);
    }

    proptest! {
        /// It does not saw: whatever is said, what it falls below was not wanted for the whole span.
        #[test]
        fn it_falls_only_below_what_nobody_wanted_for_the_span(
            steps in proptest::collection::vec((0u64..5000, 0u32..12), 1..200), span in 1u64..30_000,
        ) {
            let mut steady = SteadyMax::over(Duration::from_millis(span));
            let (mut now, mut before) = (0, None);
            let mut history: Vec<(u64, u32)> = Vec::new();
            let mut rose = 0;
            for (wait, value) in steps {
                now += wait;
                history.push((now, value));
                let told = steady.say(value, Mono(now));
                prop_assert!(told >= value, "it is never less than what is wanted now");
                let highest = history.iter().filter(|(at, _)| at + span > now).map(|(_, v)| *v).max();
                prop_assert_eq!(Some(told), highest);
                if before.is_some_and(|before| told > before) {
                    rose = now;
                }
                if before.is_some_and(|before| told < before) && rose > 0 {
                    prop_assert!(now >= rose + span, "up and down again within the span");
                }
                before = Some(told);
            }
        }
    }
}
