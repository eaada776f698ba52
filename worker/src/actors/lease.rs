//! One lease, counted on this worker's clock.

use crate::clock::WorkerClock;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::lease::{LeaseStep, LeaseTerms};
use mouthpiece_domain::time::Mono;
use mouthpiece_ports::pool::Pool;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tracing::warn;

/// A lease that was granted at least once.
#[derive(Debug)]
pub(super) struct Lease {
    terms: LeaseTerms,
    /// When the last granted renewal was asked for.
    asked: Mono,
    /// An answer is awaited.
    asking: bool,
}

/// What to do about a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaseDue {
    Nothing,
    /// Ask the pool, then call [`Lease::answered`].
    Ask,
    /// The session must stop.
    Stop,
}

impl Lease {
    pub(super) fn new(terms: LeaseTerms, asked: Mono) -> Self {
        Self { terms, asked, asking: false }
    }

    /// Its terms.
    pub(super) fn terms(&self) -> LeaseTerms {
        self.terms
    }

    /// What is due at `now`. A renewal is asked for one at a time, and again and again until the hard stop.
    pub(super) fn due(&mut self, now: Mono) -> LeaseDue {
        match self.terms.step(self.asked, now) {
            LeaseStep::HardStop => LeaseDue::Stop,
            LeaseStep::Renew | LeaseStep::SoftStop if !self.asking => {
                self.asking = true;
                LeaseDue::Ask
            }
            _ => LeaseDue::Nothing,
        }
    }

    /// The pool answered (`None`: it did not) a question that was asked at `asked`. False when the lease is lost.
    pub(super) fn answered(&mut self, asked: Mono, granted: Option<bool>) -> bool {
        self.asking = false;
        if granted == Some(true) {
            self.asked = self.asked.max(asked);
        }
        granted != Some(false)
    }
}

/// How often a lease must be looked at so that no step is late by much.
pub(super) fn pace(terms: &LeaseTerms) -> Duration {
    (terms.renew() / 5).clamp(Duration::from_millis(5), Duration::from_millis(200))
}

/// Asks the pool once; `None` when it does not answer in time, or cannot.
pub(super) async fn ask(pool: &dyn Pool, hold: &Hold, terms: &LeaseTerms) -> Option<bool> {
    match timeout(terms.renew().max(Duration::from_millis(100)), pool.renew(hold, terms.expiry())).await {
        Ok(Ok(granted)) => Some(granted),
        Ok(Err(e)) => {
            warn!(error = %e, session_id = %hold.session, "a lease could not be renewed: asking again");
            None
        }
        Err(_) => {
            warn!(session_id = %hold.session, "the pool does not answer: asking again");
            None
        }
    }
}

/// Asks the pool until it answers, for as long as a lease would last. When the granted question was asked, if one was.
pub(super) async fn ask_patiently(
    pool: &dyn Pool,
    hold: &Hold,
    terms: &LeaseTerms,
    clock: WorkerClock,
) -> Option<Mono> {
    let asking = async {
        loop {
            let asked = clock.now();
            if let Some(granted) = ask(pool, hold, terms).await {
                return granted.then_some(asked);
            }
            sleep(pace(terms)).await;
        }
    };
    timeout(terms.expiry(), asking).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_asked_for_until_it_must_be_given_up() {
        let mut lease = Lease::new(LeaseTerms::default(), Mono(0));
        let at = |ms| Mono(ms);
        assert_eq!(lease.due(at(999)), LeaseDue::Nothing);
        assert_eq!(lease.due(at(1000)), LeaseDue::Ask);
        assert_eq!(lease.due(at(1200)), LeaseDue::Nothing, "one question at a time");
        assert!(lease.answered(at(1000), None));
        assert_eq!(lease.due(at(3500)), LeaseDue::Ask, "also after the soft stop");
        assert!(lease.answered(at(3500), Some(true)));
        assert_eq!(lease.due(at(4400)), LeaseDue::Nothing, "counted from when it was asked for");
        assert_eq!(lease.due(at(7500)), LeaseDue::Stop);
        assert!(!lease.answered(at(4500), Some(false)));
    }
}
