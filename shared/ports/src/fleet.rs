//! The fleet: who starts and stops machines.

use async_trait::async_trait;
use mouthpiece_domain::cost::Price;
use mouthpiece_domain::fleet::{DepartedWorker, MachineId};
use mouthpiece_domain::time::Wall;
use thiserror::Error;

/// The cloud does not do what it was asked.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum FleetError {
    /// It may do it later.
    #[error("the fleet does nothing just now: {0}")]
    Unavailable(String),
    /// It does not until something is put right; what, stands in the text.
    #[error("the fleet refuses: {0}")]
    Refused(String),
    /// It never will, so it need not be asked again.
    #[error("the fleet cannot do this: {0}")]
    Hopeless(String),
}

/// Whether a machine may be taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineUse {
    /// Which.
    pub machine: MachineId,
    /// Sessions run on it.
    pub busy: bool,
}

/// Starts and stops machines, and says what they cost. All of it may be repeated without harm.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Asks for this many workers in all: machines are started until there are so many. Where there are more, nothing is
    /// stopped; that is what [`Fleet::retire`] is for.
    async fn desire(&self, workers: u32) -> Result<(), FleetError>;

    /// Gives a drained worker's machine back, so that not another one is taken. An unknown one is no error.
    async fn retire(&self, left: &DepartedWorker) -> Result<(), FleetError>;

    /// Tells which machines must not be taken away by the cloud of its own accord, and which may. Machines that are not
    /// named stay as they are; unknown ones are no error.
    async fn protect(&self, machines: &[MachineUse]) -> Result<(), FleetError>;

    /// What machines of these types (or capacity pools) cost from `since` on, the price that held then included: as far as
    /// the cloud tells, by type and start.
    async fn prices(&self, instance_types: &[String], since: Wall) -> Result<Vec<Price>, FleetError>;
}
