//! The books: what was delivered, what ran for it, what that cost.

use super::RecordsError;
use async_trait::async_trait;
use mouthpiece_domain::cost::{MachineHour, Price, UsageHour};
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::time::Wall;
use std::time::Duration;

/// A half-open span of calendar time, `from <= t < to`, both at full hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Start.
    pub from: Wall,
    /// End.
    pub to: Wall,
}

/// Records of usage, machines and prices. What is booked comes by [`SessionLedger::write`](super::SessionLedger::write).
#[async_trait]
pub trait UsageBooks: Send + Sync {
    /// What a caller's sessions delivered since the start of an hour.
    async fn delivered_since(&self, key: KeyId, since: Wall) -> Result<Duration, RecordsError>;

    /// Adds prices; one of the same instance type and start replaces the old one.
    async fn add_prices(&self, prices: &[Price]) -> Result<(), RecordsError>;

    /// All prices, by instance type and start.
    async fn prices(&self) -> Result<Vec<Price>, RecordsError>;

    /// Usage booked in a period, an entry a session, worker and hour. A worker of which no machine time was booked has an
    /// empty instance type.
    async fn usage(&self, period: Period) -> Result<Vec<UsageHour>, RecordsError>;

    /// Machine time booked in a period, an entry a worker and hour.
    async fn machines(&self, period: Period) -> Result<Vec<MachineHour>, RecordsError>;
}
