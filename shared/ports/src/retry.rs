//! Asking a port again that failed: how often, how long apart, and how long one call may take.

use mouthpiece_domain::backoff::Backoff;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{sleep, timeout};

/// How often a port is asked.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The waits between two calls, and how many there are.
    pub backoff: Backoff,
    /// A call is given up after this; `None` where it moves data of any size and keeps its own limits.
    pub call: Option<Duration>,
}

/// Why a call came to nothing.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum CallFailure<E> {
    /// The port said so.
    #[error("{0}")]
    Port(E),
    /// It said nothing in time.
    #[error("it did not answer in time")]
    Silent,
}

/// Asks until there is an answer, an error for which `hopeless` holds, or the repetitions are used up. `failed` hears of every
/// call that came to nothing.
///
/// # Errors
/// What the last call came to nothing for.
pub async fn ask_again<T, E, F: Future<Output = Result<T, E>>>(
    policy: RetryPolicy,
    mut call: impl FnMut() -> F,
    hopeless: impl Fn(&E) -> bool,
    mut failed: impl FnMut(&CallFailure<E>),
) -> Result<T, CallFailure<E>> {
    let mut tries = 0;
    loop {
        let answer = match policy.call {
            Some(limit) => timeout(limit, call()).await.ok(),
            None => Some(call().await),
        };
        let failure = match answer {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(error)) => CallFailure::Port(error),
            None => CallFailure::Silent,
        };
        failed(&failure);
        match policy.backoff.wait(tries) {
            Some(wait) if !matches!(&failure, CallFailure::Port(error) if hopeless(error)) => sleep(wait).await,
            _ => return Err(failure),
        }
        tries += 1;
    }
}

/// Between half a wait and all of it, at random: not all who lost the same server come back at the same moment.
pub fn jittered(wait: Duration) -> Duration {
    // Without randomness all wait the whole time, which is safe.
    wait.mul_f64(0.5 + share().unwrap_or(1.0) / 2.0)
}

/// Half a wait to one and a half, at random: those who were in each other's way do not meet again.
pub fn scattered(wait: Duration) -> Duration {
    wait.mul_f64(0.5 + share().unwrap_or(0.5))
}

/// Any number from 0 to 1.
fn share() -> Option<f64> {
    getrandom::u32().ok().map(|n| f64::from(n) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const NONE: Duration = Duration::ZERO;
    const HASTE: RetryPolicy = RetryPolicy {
        backoff: Backoff { first: NONE, longest: NONE, again: Some(4) },
        call: Some(Duration::from_millis(1)),
    };

    #[tokio::test]
    async fn a_port_is_asked_until_it_answers_or_the_policy_ends() {
        let calls = Cell::new(0);
        let call = |good_at: u32| {
            calls.set(calls.get() + 1);
            let good = calls.get() == good_at;
            async move { if good { Ok(7) } else { Err("away") } }
        };
        assert_eq!(ask_again(HASTE, || call(3), |_| false, |_| ()).await, Ok(7));
        assert_eq!(calls.take(), 3);
        let away = Err(CallFailure::Port("away"));
        assert_eq!(ask_again(HASTE, || call(0), |_| false, |_| ()).await, away);
        assert_eq!(calls.take(), 5);
        assert_eq!(ask_again(HASTE, || call(0), |_| true, |_| ()).await, away);
        assert_eq!(calls.take(), 1);
        let unbounded = RetryPolicy { call: None, ..HASTE };
        assert_eq!(ask_again(unbounded, || call(5), |_| false, |_| ()).await, Ok(7));
    }

    #[test]
    fn a_wait_is_changed_by_at_most_a_half() {
        let wait = Duration::from_millis(100);
        for _ in 0..100 {
            let (jittered, scattered) = (jittered(wait), scattered(wait));
            assert!(jittered >= wait / 2 && jittered <= wait, "{jittered:?}");
            assert!(scattered >= wait / 2 && scattered <= wait * 3 / 2, "{scattered:?}");
        }
    }

    #[tokio::test]
    async fn a_port_that_hangs_is_given_up() {
        let silent = Cell::new(0);
        let answer = ask_again(
            HASTE,
            std::future::pending::<Result<(), ()>>,
            |()| false,
            |failure| silent.set(silent.get() + u32::from(*failure == CallFailure::Silent)),
        );
        assert_eq!(answer.await, Err(CallFailure::Silent));
        assert_eq!(silent.get(), 5);
    }
}
