//! How often, and how long apart, a port that fails is asked again.

use mouthpiece_domain::backoff::Backoff;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How often a port is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetryPolicy {
    pub(super) backoff: Backoff,
    /// One call takes at most so long, where it may be cut short.
    pub(super) call: Duration,
}

/// Calls of bus, pool and fleet may be repeated without harm, so one that hangs is given up after this.
pub(super) const CALL: Duration = Duration::from_secs(5);
/// The records: five repetitions in 9.3 s.
pub(super) const LEDGER: RetryPolicy = RetryPolicy { backoff: doubling(300, 5), call: CALL };
/// Bus and pool: four repetitions in 0.75 s. Whoever waits for an answer gets a negative one then.
pub(super) const PORT: RetryPolicy = RetryPolicy { backoff: doubling(50, 4), call: CALL };
/// A listener that lost its queue, or the fleet: the longest wait between repetitions that never end.
pub(super) const LONGEST: Duration = Duration::from_secs(5);

/// Doubles from `first_ms`, `again` times.
pub(super) const fn doubling(first_ms: u64, again: u32) -> Backoff {
    Backoff { first: Duration::from_millis(first_ms), longest: Duration::from_secs(60), again: Some(again) }
}

/// Why a call came to nothing.
#[derive(Debug)]
pub(super) enum Failure<E> {
    /// The port said so.
    Port(E),
    /// It said nothing in time.
    Silent,
}

/// Asks until there is an answer, an error for which `hopeless` holds, or the repetitions are used up. `failed` hears of every
/// call that came to nothing.
pub(super) async fn ask<T, E, F: Future<Output = Result<T, E>>>(
    policy: RetryPolicy,
    mut call: impl FnMut() -> F,
    hopeless: impl Fn(&E) -> bool,
    mut failed: impl FnMut(&Failure<E>),
) -> Option<T> {
    let mut tries = 0;
    loop {
        let failure = match timeout(policy.call, call()).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => Failure::Port(error),
            Err(_) => Failure::Silent,
        };
        failed(&failure);
        if matches!(&failure, Failure::Port(error) if hopeless(error)) {
            return None;
        }
        sleep(policy.backoff.wait(tries)?).await;
        tries += 1;
    }
}

/// Waits between repetitions that never end: from 100 ms to [`LONGEST`].
pub(super) const ENDLESS: Backoff = Backoff { first: Duration::from_millis(100), longest: LONGEST, again: None };

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn waits_double_and_end() {
        let sum: Duration = (0..).map_while(|n| LEDGER.backoff.wait(n)).sum();
        assert_eq!(sum, Duration::from_millis(9300));
        assert_eq!(LEDGER.backoff.wait(5), None);
        assert_eq!(ENDLESS.pause(0), Duration::from_millis(100));
        assert_eq!(ENDLESS.pause(40), LONGEST);
    }

    const HASTE: RetryPolicy = RetryPolicy { backoff: doubling(0, 4), call: Duration::from_millis(1) };

    #[tokio::test]
    async fn a_port_is_asked_until_it_answers_or_the_policy_ends() {
        let calls = Cell::new(0);
        let call = |good_at: u32| {
            calls.set(calls.get() + 1);
            let good = calls.get() == good_at;
            async move { if good { Ok(7) } else { Err("away") } }
        };
        assert_eq!(ask(HASTE, || call(3), |_| false, |_| ()).await, Some(7));
        assert_eq!(calls.take(), 3);
        assert_eq!(ask(HASTE, || call(0), |_| false, |_| ()).await, None);
        assert_eq!(calls.take(), 5);
        assert_eq!(ask(HASTE, || call(0), |_| true, |_| ()).await, None);
        assert_eq!(calls.take(), 1);
    }

    #[tokio::test]
    async fn a_port_that_hangs_is_given_up() {
        let silent = Cell::new(0);
        let answer = ask(
            HASTE,
            std::future::pending::<Result<(), ()>>,
            |()| false,
            |failure| silent.set(silent.get() + u32::from(matches!(failure, Failure::Silent))),
        );
        assert_eq!(answer.await, None);
        assert_eq!(silent.get(), 5);
    }
}
