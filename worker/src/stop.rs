//! Stopping a session: asked once, seen everywhere.

use std::future::Future;
use tokio::sync::watch;

/// Work was given up because its owner wanted no more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

/// The owner's end. Dropping it stops too: work never outlives whoever wanted it.
#[derive(Debug)]
pub struct Stopper {
    // Its drop is the signal.
    _said: watch::Sender<()>,
}

/// The worker's end: asked at every frame, and raced against whatever is waited for.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<()>);

/// Both ends.
pub fn stop() -> (Stopper, Stop) {
    let (_said, heard) = watch::channel(());
    (Stopper { _said }, Stop(heard))
}

impl Stop {
    /// True once the owner wants no more.
    pub fn is_set(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Waits for `work`, or until the owner wants no more; then `work` is dropped.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut heard = self.0.clone();
        tokio::select! {
            biased;
            _ = heard.changed() => Err(Stopped),
            done = work => Ok(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dropping_the_stopper_is_seen_by_all() {
        let (stopper, stop) = stop();
        let other = stop.clone();
        assert!(!stop.is_set());
        assert_eq!(stop.or(async { 5 }).await, Ok(5));
        drop(stopper);
        assert!(stop.is_set() && other.is_set());
        assert_eq!(other.or(std::future::pending::<()>()).await, Err(Stopped));
    }
}
