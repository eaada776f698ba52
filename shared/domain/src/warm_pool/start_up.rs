//! How long a machine takes until its worker is there.

use crate::time::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// No measurement counts as less, ...
const LEAST: Duration = Duration::from_secs(1);
/// ... and what takes longer never comes.
const MOST: Duration = Duration::from_secs(30 * 60);
/// Askings that are remembered.
const ASKED: usize = 64;
/// How much a new measurement counts.
const WEIGHT: f64 = 0.25;

/// The time from asking for more workers to the first heartbeat of one, learned from what happened.
#[derive(Debug)]
pub struct StartUpTime {
    mean: Duration,
    /// When how many were asked for that have not come, oldest first.
    asked: VecDeque<(Mono, u32)>,
}

impl StartUpTime {
    /// What is believed before anything was measured.
    pub fn believed(prior: Duration) -> Self {
        Self { mean: prior.clamp(LEAST, MOST), asked: VecDeque::new() }
    }

    /// The mean, 1 s to 30 min; later measurements count more.
    pub fn mean(&self) -> Duration {
        self.mean
    }

    /// So many more were asked for.
    pub fn asked_for(&mut self, more: u32, now: Mono) {
        self.forget(now);
        if self.asked.len() >= ASKED {
            self.asked.pop_front();
        }
        if more > 0 {
            self.asked.push_back((now, more));
        }
    }

    /// So many fewer are wanted: those that were asked for last are not waited for.
    pub fn no_longer(&mut self, mut fewer: u32) {
        while fewer > 0 {
            let Some((_, count)) = self.asked.back_mut() else { return };
            let gone = fewer.min(*count);
            *count -= gone;
            fewer -= gone;
            if *count == 0 {
                self.asked.pop_back();
            }
        }
    }

    /// A worker is heard of for the first time, `up` by its own clock: it is the one that was asked for first.
    pub fn came(&mut self, up: Duration, now: Mono) {
        self.forget(now);
        let Some((at, count)) = self.asked.front_mut() else { return };
        let waited = now - *at;
        // Whoever was up before the asking came by itself.
        if up > waited + LEAST {
            return;
        }
        *count -= 1;
        if *count == 0 {
            self.asked.pop_front();
        }
        let new = waited.clamp(LEAST, MOST).as_secs_f64();
        let mean = self.mean.as_secs_f64();
        self.mean = Duration::from_secs_f64(mean + (new - mean) * WEIGHT);
    }

    fn forget(&mut self, now: Mono) {
        while self.asked.front().is_some_and(|(at, _)| *at + MOST <= now) {
            self.asked.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn it_is_learned_from_askings_that_were_answered() {
        let mut time = StartUpTime::believed(100 * S);
        time.came(S, Mono(5000));
        assert_eq!(time.mean(), 100 * S, "nobody had asked");
        time.asked_for(1, Mono(10_000));
        time.came(90 * S, Mono(30_000));
        assert_eq!(time.mean(), 100 * S, "it was up before");
        time.came(5 * S, Mono(50_000));
        assert_eq!(time.mean(), 85 * S);
        for n in 1..21 {
            time.asked_for(1, Mono(100_000 * n));
            time.came(5 * S, Mono(100_000 * n + 40_000));
        }
        assert!(time.mean() < 60 * S, "{:?}", time.mean());
    }

    #[test]
    fn what_is_no_longer_wanted_is_not_waited_for() {
        let mut time = StartUpTime::believed(100 * S);
        time.asked_for(1, Mono(0));
        time.asked_for(3, Mono(1000));
        time.no_longer(3);
        time.came(S, Mono(20_000));
        assert_eq!(time.mean(), 80 * S, "the first one");
        time.came(S, Mono(20_000));
        assert_eq!(time.mean(), 80 * S, "nobody else was asked for");
        time.no_longer(7);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(
            prior in 0u64..10_000_000,
            steps in proptest::collection::vec((0u8..3, 0u64..4_000_000, 0u32..5), 0..200),
        ) {
            let mut time = StartUpTime::believed(Duration::from_millis(prior));
            let mut now = Mono(0);
            for (what, wait, n) in steps {
                now = now + Duration::from_millis(wait);
                match what {
                    0 => time.asked_for(n, now),
                    1 => time.no_longer(n),
                    _ => time.came(Duration::from_secs(n.into()), now),
                }
                prop_assert!((LEAST..=MOST).contains(&time.mean()));
                prop_assert!(time.asked.len() <= ASKED && time.asked.iter().all(|(_, count)| *count > 0));
            }
        }
    }
}
