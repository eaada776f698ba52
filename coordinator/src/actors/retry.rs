//! How often, and how long apart, the actors ask a port that fails.

use mouthpiece_domain::backoff::Backoff;
use mouthpiece_ports::retry::RetryPolicy;
use std::time::Duration;

/// Calls of bus, pool and fleet may be repeated without harm, so one that hangs is given up after this.
pub(super) const CALL: Duration = Duration::from_secs(5);
/// The records: five repetitions in 9.3 s.
pub(super) const LEDGER: Backoff = doubling(300, 5);
/// Bus and pool: four repetitions in 0.75 s. Whoever waits for an answer gets a negative one then.
pub(super) const PORT: RetryPolicy = RetryPolicy { backoff: doubling(50, 4), call: Some(CALL) };
/// A listener that lost its queue, or the fleet: the longest wait between repetitions that never end.
pub(super) const LONGEST: Duration = Duration::from_secs(5);
/// Waits between repetitions that never end: from 100 ms to [`LONGEST`].
pub(super) const ENDLESS: Backoff = Backoff { first: Duration::from_millis(100), longest: LONGEST, again: None };

/// Doubles from `first_ms`, `again` times.
pub(super) const fn doubling(first_ms: u64, again: u32) -> Backoff {
    Backoff { first: Duration::from_millis(first_ms), longest: Duration::from_secs(60), again: Some(again) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let sum: Duration = (0..).map_while(|n| LEDGER.wait(n)).sum();
        assert_eq!(sum, Duration::from_millis(9300));
        assert_eq!(LEDGER.wait(5), None);
        assert_eq!(ENDLESS.pause(0), Duration::from_millis(100));
        assert_eq!(ENDLESS.pause(40), LONGEST);
    }
}
