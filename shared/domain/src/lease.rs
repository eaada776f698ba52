//! Leases: the right to keep running an assignment.
//!
//! A lease is a duration that each side counts on its own clock. The worker counts from the moment *before* it asked for
//! a renewal, the pool from the moment it granted it, so the worker always believes in a lease for less time than the
//! pool does: `renew < soft stop < hard stop < expiry`. Whatever the worker does after its hard stop is refused by its
//! fence, so no clock of one machine is ever compared with another's.

use crate::time::{Mono, millis};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use thiserror::Error;

/// Terms whose steps are not in order.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error(
    "lease times must grow: renew {renew:?} < soft_stop {soft_stop:?} < hard_stop {hard_stop:?} < expiry {expiry:?}"
)]
pub struct LeaseTermsError {
    renew: Duration,
    soft_stop: Duration,
    hard_stop: Duration,
    expiry: Duration,
}

/// How long a lease lasts and when its holder must act. Only [`LeaseTerms::new`] makes one, so the order always holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct LeaseTerms {
    renew: Duration,
    soft_stop: Duration,
    hard_stop: Duration,
    expiry: Duration,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Parts {
    #[serde(with = "millis")]
    renew: Duration,
    #[serde(with = "millis")]
    soft_stop: Duration,
    #[serde(with = "millis")]
    hard_stop: Duration,
    #[serde(with = "millis")]
    expiry: Duration,
}

impl TryFrom<Parts> for LeaseTerms {
    type Error = LeaseTermsError;

    fn try_from(p: Parts) -> Result<Self, LeaseTermsError> {
        Self::new(p.renew, p.soft_stop, p.hard_stop, p.expiry)
    }
}

impl From<LeaseTerms> for Parts {
    fn from(t: LeaseTerms) -> Self {
        Self { renew: t.renew, soft_stop: t.soft_stop, hard_stop: t.hard_stop, expiry: t.expiry }
    }
}

/// What the holder of a lease must do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStep {
    /// Nothing until the next step is due.
    Hold,
    /// Ask for a renewal.
    Renew,
    /// Take no new input; keep asking.
    SoftStop,
    /// Stop everything: the slot may be given away any moment.
    HardStop,
}

impl LeaseTerms {
    /// Terms with their four moments, each counted from the last renewal.
    ///
    /// # Errors
    /// [`LeaseTermsError`] unless they strictly grow.
    pub fn new(
        renew: Duration,
        soft_stop: Duration,
        hard_stop: Duration,
        expiry: Duration,
    ) -> Result<Self, LeaseTermsError> {
        if renew < soft_stop && soft_stop < hard_stop && hard_stop < expiry {
            Ok(Self { renew, soft_stop, hard_stop, expiry })
        } else {
            Err(LeaseTermsError { renew, soft_stop, hard_stop, expiry })
        }
    }

    /// Renewals are asked for this long after the last one.
    pub fn renew(&self) -> Duration {
        self.renew
    }

    /// The holder stops everything this long after it asked for the last renewal.
    pub fn hard_stop(&self) -> Duration {
        self.hard_stop
    }

    /// How long the pool keeps the slot for the holder.
    pub fn expiry(&self) -> Duration {
        self.expiry
    }

    /// What is due at `now` when the last granted renewal was *asked for* at `asked`.
    pub fn step(&self, asked: Mono, now: Mono) -> LeaseStep {
        let held = now - asked;
        if held >= self.hard_stop {
            LeaseStep::HardStop
        } else if held >= self.soft_stop {
            LeaseStep::SoftStop
        } else if held >= self.renew {
            LeaseStep::Renew
        } else {
            LeaseStep::Hold
        }
    }
}

impl Default for LeaseTerms {
    /// Renewed every second, stopped after 3 and 4, given away after 5.
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { renew: s(1), soft_stop: s(3), hard_stop: s(4), expiry: s(5) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_growing_terms_exist() {
        let s = Duration::from_secs;
        assert!(LeaseTerms::new(s(1), s(1), s(2), s(3)).is_err());
        let d = LeaseTerms::default();
        assert_eq!(LeaseTerms::new(d.renew, d.soft_stop, d.hard_stop, d.expiry), Ok(d));
        let bad = r#"{"renew":5,"soft_stop":4,"hard_stop":6,"expiry":7}"#;
        assert!(serde_json::from_str::<LeaseTerms>(bad).unwrap_err().to_string().contains("must grow"));
        let text = serde_json::to_string(&d).unwrap();
        assert_eq!(serde_json::from_str::<LeaseTerms>(&text).unwrap(), d);
    }

    proptest! {
        /// The holder stops before anyone else may take the slot, whatever the delay between asking and granting.
        #[test]
        fn the_holder_stops_before_expiry(asked in 0u64..1_000_000, delay in 0u64..10_000, after in 0u64..20_000) {
            let terms = LeaseTerms::default();
            let (asked, granted) = (Mono(asked), Mono(asked + delay));
            let now = granted + Duration::from_millis(after);
            if now - granted >= terms.expiry() {
                prop_assert_eq!(terms.step(asked, now), LeaseStep::HardStop);
            }
        }
    }
}
