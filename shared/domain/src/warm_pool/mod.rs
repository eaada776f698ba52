//! How many workers there should be.
//!
//! [`crate::placement::desired_workers`] is the sum; this module holds what it is made of, over time: how fast sessions come
//! ([`ArrivalRate`]), how long a machine takes until its worker is there ([`StartUpTime`]), what may be spent
//! ([`Spending`]), and [`SteadyMax`], which keeps the number from going up and down with every session.

mod arrivals;
mod ceiling;
mod start_up;
mod steady;

pub use arrivals::ArrivalRate;
pub use ceiling::Spending;
pub use start_up::StartUpTime;
pub use steady::{SteadyMax, SteadyMin};

use crate::ids::WorkerId;
use crate::time::as_millis;
use std::cmp::Reverse;
use std::time::Duration;

/// Who starts and stops machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScalingMode {
    /// Nobody: the workers that are there are all there are. The number wanted is shown and nothing follows from it.
    #[default]
    Fixed,
    /// Somebody who reads the number wanted, such as KEDA, and who chooses which worker goes.
    Announced,
    /// This farm, through its fleet: it says the number and chooses which worker goes.
    Own,
}

/// Sessions that are to be expected at the worst moment until a machine that is asked for now is ready.
///
/// `open` sessions are there; `per_second` come; each stays for `stay` on average, for ever if that is not known. With
/// sessions that come and leave at random, their expected number goes from `open` to `per_second * stay` and never beyond.
pub fn expected_sessions(open: u32, per_second: f64, stay: Option<Duration>, ahead: Duration) -> u32 {
    let ahead = ahead.as_secs_f64();
    let later = match stay.map(|stay| stay.as_secs_f64()).filter(|stay| *stay > 0.0) {
        Some(stay) => {
            let left = (-ahead / stay).exp();
            f64::from(open) * left + per_second * stay * (1.0 - left)
        }
        None => f64::from(open) + per_second * ahead,
    };
    let later = later.round().clamp(0.0, f64::from(u32::MAX)) as u32;
    open.max(later)
}

/// A worker that could be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surplus {
    /// The worker that this is about.
    pub worker: WorkerId,
    /// Slots that are taken, by anybody.
    pub taken: u8,
    /// How long it has been up.
    pub uptime: Duration,
}

impl Surplus {
    /// How much of what is paid already would be thrown away.
    fn paid_left(&self, billing: Duration) -> u64 {
        let billing = as_millis(billing).max(1);
        billing - 1 - (as_millis(self.uptime) + billing - 1) % billing
    }
}

/// Which `count` workers are given back, where machines are paid for by the `billing` period. Never one with a session.
///
/// Of the empty ones those that are nearest to the end of what is paid already go first, then the youngest: placement prefers
/// the oldest, so these are the last to be needed.
pub fn give_back(workers: impl IntoIterator<Item = Surplus>, count: usize, billing: Duration) -> Vec<WorkerId> {
    let mut empty: Vec<Surplus> = workers.into_iter().filter(|worker| worker.taken == 0).collect();
    let order = |worker: &Surplus| (worker.paid_left(billing), Reverse(worker.worker));
    if count < empty.len() {
        empty.select_nth_unstable_by_key(count, order);
        empty.truncate(count);
    }
    empty.sort_unstable_by_key(order);
    empty.into_iter().map(|worker| worker.worker).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn what_comes_until_a_machine_is_ready_is_expected() {
        // One a second for two minutes, nobody leaves.
        assert_eq!(expected_sessions(10, 1.0, None, 2 * MINUTE), 130);
        // As many leave as come: ten a minute that stay for a minute.
        assert_eq!(expected_sessions(10, 10.0 / 60.0, Some(MINUTE), 2 * MINUTE), 10);
        // It will be less, but not before everybody who is here has left.
        assert_eq!(expected_sessions(10, 0.0, Some(MINUTE), 2 * MINUTE), 10);
        assert_eq!(expected_sessions(0, 0.0, None, Duration::ZERO), 0);
    }

    #[test]
    fn the_one_whose_time_is_used_up_goes_first() {
        let minute = |n: u128, minutes: u32, taken| Surplus { worker: WorkerId(n), taken, uptime: MINUTE * minutes };
        let workers = [minute(1, 30, 0), minute(2, 119, 0), minute(3, 59, 1), minute(4, 61, 0), minute(5, 60, 0)];
        let hour = 60 * MINUTE;
        assert_eq!(give_back(workers, 9, hour), [5, 2, 1, 4].map(WorkerId), "the third has a session");
        assert_eq!(give_back(workers, 1, hour), [WorkerId(5)]);
        let same = [minute(1, 30, 0), minute(2, 30, 0)];
        assert_eq!(give_back(same, 1, hour), [WorkerId(2)], "the youngest");
    }

    proptest! {
        #[test]
        fn the_forecast_lies_between_now_and_the_balance(
            open in 0u32..10_000, per_second in 0.0f64..100.0, stay in 1u64..10_000, ahead in 0u64..10_000,
        ) {
            let expected = expected_sessions(open, per_second, Some(Duration::from_secs(stay)), Duration::from_secs(ahead));
            let balance = (per_second * stay as f64).round() as u32;
            prop_assert!(expected >= open && expected <= open.max(balance));
        }

        #[test]
        fn nobody_with_a_session_goes(
            list in proptest::collection::vec((0u8..3, 0u64..10_000_000), 0..20), count in 0usize..20, billing in 0u64..4_000_000,
        ) {
            let worker = |(n, (taken, up)): (usize, &(u8, u64))| {
                Surplus { worker: WorkerId(n as u128), taken: *taken, uptime: Duration::from_millis(*up) }
            };
            let workers: Vec<Surplus> = list.iter().enumerate().map(worker).collect();
            let gone = give_back(workers.iter().copied(), count, Duration::from_millis(billing));
            let empty = workers.iter().filter(|w| w.taken == 0).count();
            prop_assert_eq!(gone.len(), count.min(empty));
            for id in gone {
                prop_assert_eq!(workers.iter().find(|w| w.worker == id).unwrap().taken, 0);
            }
        }
    }
}
