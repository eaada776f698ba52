//! What is done again and again, with a pause after each time.

use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Makes rounds as long as it lives.
#[derive(Debug)]
#[must_use = "no round is made any more when this is dropped"]
pub struct Rounds(JoinHandle<()>);

impl Rounds {
    /// Makes rounds from now on, on the arbiter of this thread. Each says how long to wait for the next one.
    ///
    /// # Panics
    /// When no actix system runs on this thread.
    pub(super) fn of(mut round: impl AsyncFnMut() -> Duration + 'static) -> Self {
        Self(actix::spawn(async move {
            loop {
                let pause = round().await;
                sleep(pause).await;
            }
        }))
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.0.abort();
    }
}
