//! The fleet: who starts and stops machines.

use async_trait::async_trait;
use mouthpiece_domain::ids::WorkerId;
use thiserror::Error;

/// The cloud does not do what it was asked.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("the fleet cannot be changed just now: {0}")]
pub struct FleetError(pub String);

/// Starts and stops machines.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Asks for this many workers in all. Said again whenever it changes, and safe to repeat.
    async fn desire(&self, workers: u32) -> Result<(), FleetError>;

    /// Gives a drained worker's machine back, so that not another one is taken. Safe to repeat; an unknown worker is no error.
    async fn retire(&self, worker: WorkerId) -> Result<(), FleetError>;
}
