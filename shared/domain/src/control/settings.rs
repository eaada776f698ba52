//! What the brain is told about how to decide.

use crate::lease::LeaseTerms;
use std::time::Duration;

/// How the brain decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long leases last.
    pub lease: LeaseTerms,
    /// At most so many sessions wait for a slot.
    pub queue_limit: u32,
    /// A session that was placed so often and lost again is given up.
    pub max_attempts: u32,
    /// Idle workers that are kept ready.
    pub warm_workers: u32,
    /// At most so many workers are wanted.
    pub max_workers: u32,
    /// What a worker is expected to offer, for the number of workers wanted.
    pub slots_per_worker: u8,
    /// How often the records are read for sessions of coordinators that are gone.
    pub sweep_every: Duration,
    /// A waiting session of another coordinator is taken over when nothing happened to it for so long.
    pub adopt_after: Duration,
    /// How often a worker's machine time is booked.
    pub book_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: LeaseTerms::default(),
            queue_limit: 1000,
            max_attempts: 4,
            warm_workers: 2,
            max_workers: 100,
            slots_per_worker: 2,
            sweep_every: Duration::from_secs(10),
            adopt_after: Duration::from_secs(3),
            book_every: Duration::from_secs(10),
        }
    }
}
