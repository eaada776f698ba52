//! Which mouths are worth restoring: those whose pictures will not be late. Pure.

use std::time::Duration;

/// After so many that were passed by, one is tried all the same: the device may have become faster.
const TRY_AGAIN: u32 = 64;
/// How much of the newest time is taken over.
const FOLLOW: u32 = 5;

/// How long a mouth takes, and how many were passed by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestorationPace {
    usual: Duration,
    passed_by: u32,
}

impl RestorationPace {
    /// Whether one is worth beginning with that has so long `left`, when `ahead` others come before it; None: it is waited for.
    pub fn is_worth(&mut self, left: Option<Duration>, ahead: usize) -> bool {
        let Some(left) = left else { return true };
        let needed = self.usual.saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1));
        let worth = !left.is_zero() && (left >= needed || self.passed_by >= TRY_AGAIN);
        self.passed_by = if worth { 0 } else { self.passed_by.saturating_add(1) };
        worth
    }

    /// One took so long.
    pub fn took(&mut self, time: Duration) {
        self.usual = if self.usual.is_zero() { time } else { (self.usual * (FOLLOW - 1) + time) / FOLLOW };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn one_that_would_be_late_is_passed_by_until_it_is_tried_again() {
        let mut pace = RestorationPace::default();
        assert!(pace.is_worth(Some(MS), 0), "nobody knows yet how long it takes");
        pace.took(10 * MS);
        assert!(pace.is_worth(Some(10 * MS), 0) && !pace.is_worth(Some(9 * MS), 0));
        assert!(pace.is_worth(Some(30 * MS), 2) && !pace.is_worth(Some(29 * MS), 2), "two are before it");
        assert!(pace.is_worth(None, 1000), "a film waits");
        let tried = (0..=TRY_AGAIN).filter(|_| pace.is_worth(Some(MS), 0)).count();
        assert_eq!(tried, 1);
        assert!(!(0..1000).any(|_| pace.is_worth(Some(Duration::ZERO), 0)), "what is late already is not tried");
    }

    proptest! {
        #[test]
        fn the_usual_time_lies_between_those_that_were_taken(times in prop::collection::vec(1_u64..5000, 1..40)) {
            let mut pace = RestorationPace::default();
            times.iter().for_each(|t| pace.took(Duration::from_micros(*t)));
            let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
            let usual = pace.usual.as_nanos() as u64;
            // Rounding goes down.
            prop_assert!(usual + 1000 >= least * 1000 && usual <= most * 1000);
        }
    }
}
