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

    /// So many machines were asked for and are not there yet.
    pub fn expects(&mut self, coming: u32, now: Mono) {
        self.forget(now);
        let known = self.asked.iter().fold(0, |sum: u32, (_, count)| sum.saturating_add(*count));
        self.asked_for(coming.saturating_sub(known), now);
        self.no_longer(known.saturating_sub(coming));
    }

    /// So many more were asked for.
    fn asked_for(&mut self, more: u32, now: Mono) {
        self.forget(now);
        if more > 0 {
            if self.asked.len() >= ASKED {
                self.remember_roughly();
            }
            self.asked.push_back((now, more));
        }
    }

    /// Puts every two askings that follow one another together, at the time between them. A large farm asks every second, and if
    /// the oldest were dropped instead, every wait would look short.
    fn remember_roughly(&mut self) {
        let exact = std::mem::take(&mut self.asked);
        for pair in Vec::from(exact).chunks(2) {
            let count = pair.iter().fold(0, |sum: u32, (_, count)| sum.saturating_add(*count));
            let first = pair.first().map_or(Mono(0), |(at, _)| *at);
            let later = pair.iter().map(|(at, count)| (*at - first).as_secs_f64() * f64::from(*count)).sum::<f64>();
            self.asked.push_back((first + Duration::from_secs_f64(later / f64::from(count.max(1))), count));
        }
    }

    /// So many fewer are wanted: those that were asked for last are not waited for.
    fn no_longer(&mut self, mut fewer: u32) {
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
    fn a_large_farm_that_asks_every_second_learns_the_same() {
        let mut start_up = StartUpTime::believed(120 * S);
        for second in 0..600 {
            let now = Mono(second * 1000);
            start_up.asked_for(2, now);
            for _ in 0..if second >= 100 { 2 } else { 0 } {
                start_up.came(Duration::ZERO, now);
            }
            assert!(start_up.asked.len() <= ASKED);
        }
        assert!((95 * S..=105 * S).contains(&start_up.mean()), "{:?}", start_up.mean());
    }

    /// One that leaves makes the number wanted smaller, and takes nobody's place who is on the way.
    #[test]
    fn machines_that_leave_meanwhile_change_nothing() {
        let mut start_up = StartUpTime::believed(50 * S);
        for second in 0..1000 {
            let now = Mono(second * 1000);
            if second >= 100 {
                start_up.came(Duration::ZERO, now);
            }
            start_up.expects(100, now);
        }
        assert!((95 * S..=105 * S).contains(&start_up.mean()), "{:?}", start_up.mean());
    }

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
