//! Patience with records that go away right after they were opened: a start waits for them.

use mouthpiece_coordinator::office::KeyError;
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_ports::records::RecordsError;
use std::fmt::Display;
use std::time::Duration;
use tokio::time::sleep;

/// What is not there at the start is asked for again for as long as it takes.
pub(crate) const UNTIL_THERE: Backoff =
    Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(5), again: None };

/// A failure that waiting may mend.
pub(super) trait MayPass: Display {
    /// Whether it may.
    fn may_pass(&self) -> bool;
}

impl MayPass for RecordsError {
    fn may_pass(&self) -> bool {
        self.is_retryable()
    }
}

impl MayPass for KeyError {
    fn may_pass(&self) -> bool {
        matches!(self, Self::Records(error) if error.is_retryable())
    }
}

/// Asks until there is an answer, or a failure that does not pass.
pub(super) async fn patiently<T, E: MayPass>(mut ask: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E> {
    let mut tries = 0;
    loop {
        match ask().await {
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, tries, "the start waits for the records");
                sleep(UNTIL_THERE.pause(tries)).await;
                tries += 1;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_passes_is_waited_for() {
        let mut answers = vec![Ok(7), Err(RecordsError::Unavailable("away".to_owned()))];
        assert_eq!(patiently(async || answers.pop().unwrap()).await, Ok(7));
        let mut answers = vec![Ok(7), Err(RecordsError::Broken("damaged".to_owned()))];
        assert_eq!(patiently(async || answers.pop().unwrap()).await, Err(RecordsError::Broken("damaged".to_owned())));
        assert_eq!(answers.len(), 1, "it is not asked again");
    }
}
