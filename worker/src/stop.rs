//! What a session is there for, and stopping it: said once, seen everywhere.

use std::future::Future;
use tokio::sync::watch;

/// Work was given up because its owner wanted no more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

/// What a session's owner wants of it. It only ever goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionDuty {
    /// To be ready: it runs elsewhere, and is about to be moved here.
    Waits,
    /// To be run.
    Serves,
    /// To be shown to those who watch until they have gone to where it was moved to; nothing of it is billed any more.
    HandsOver,
}

/// The owner's end. Dropping it stops the work: it never outlives whoever wanted it.
#[derive(Debug)]
pub struct Stopper(watch::Sender<SessionDuty>);

/// The worker's end: asked at every frame, and raced against whatever is waited for.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<SessionDuty>);

/// Both ends.
pub fn stop(duty: SessionDuty) -> (Stopper, Stop) {
    let (said, heard) = watch::channel(duty);
    (Stopper(said), Stop(heard))
}

impl Stopper {
    /// The session is there for this from now on.
    pub fn wants(&self, duty: SessionDuty) {
        self.0.send_replace(duty);
    }
}

impl Stop {
    /// True once the owner wants no more.
    pub fn is_set(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// What the session is there for.
    pub fn duty(&self) -> SessionDuty {
        *self.0.borrow()
    }

    /// Waits for `work`, or until the owner wants no more; then `work` is dropped.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut heard = self.0.clone();
        let stopped = async { while heard.changed().await.is_ok() {} };
        tokio::select! {
            biased;
            () = stopped => Err(Stopped),
            done = work => Ok(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dropping_the_stopper_is_seen_by_all() {
        let (stopper, stop) = stop(SessionDuty::Waits);
        let other = stop.clone();
        stopper.wants(SessionDuty::Serves);
        assert!(!stop.is_set());
        assert_eq!(
            (stop.duty(), stop.or(async { 5 }).await),
            (SessionDuty::Serves, Ok(5)),
            "another duty stops nothing"
        );
        drop(stopper);
        assert!(stop.is_set() && other.is_set());
        assert_eq!(other.or(std::future::pending::<()>()).await, Err(Stopped));
    }
}
