//! What the brain is told about how to decide.

use crate::lease::LeaseTerms;
use crate::warm_pool::ScalingMode;
use std::time::Duration;

/// How the brain decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlSettings {
    /// How long leases last.
    pub lease: LeaseTerms,
    /// At most so many sessions wait for a slot.
    pub queue_limit: u32,
    /// A session that was placed so often and lost again is given up.
    pub max_attempts: u32,
    /// Who starts and stops machines.
    pub scaling: ScalingMode,
    /// Idle workers that are kept ready.
    pub warm_workers: u32,
    /// At most so many workers are wanted.
    pub max_workers: u32,
    /// At most so many millionths of a US dollar an hour are spent on machines.
    pub max_micro_usd_per_hour: Option<u64>,
    /// What a worker is expected to offer, for the number of workers wanted.
    pub slots_per_worker: u8,
    /// How long a machine takes until its worker is there, before that was measured.
    pub start_up: Duration,
    /// How fast sessions come is counted over the last so long.
    pub arrival_window: Duration,
    /// Workers are given back that were not needed for so long; never sooner than a machine takes to start.
    pub shrink_after: Duration,
    /// Machines are paid for by this length of time.
    pub billing_period: Duration,
    /// How often the records are read for sessions of coordinators that are gone.
    pub sweep_every: Duration,
    /// A waiting session of another coordinator is taken over when nothing happened to it for so long.
    pub adopt_after: Duration,
    /// How often a worker's machine time is booked.
    pub book_every: Duration,
}

impl Default for ControlSettings {
    fn default() -> Self {
        Self {
            lease: LeaseTerms::default(),
            queue_limit: 1000,
            max_attempts: 4,
            scaling: ScalingMode::Fixed,
            warm_workers: 2,
            max_workers: 100,
            max_micro_usd_per_hour: None,
            slots_per_worker: 2,
            start_up: Duration::from_secs(120),
            arrival_window: Duration::from_secs(300),
            shrink_after: Duration::from_secs(600),
            billing_period: Duration::from_secs(60),
            sweep_every: Duration::from_secs(10),
            adopt_after: Duration::from_secs(3),
            book_every: Duration::from_secs(10),
        }
    }
}
