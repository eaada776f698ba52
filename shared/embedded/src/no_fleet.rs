//! The fleet of machines that nobody starts or stops.

use async_trait::async_trait;
use mouthpiece_domain::cost::Price;
use mouthpiece_domain::fleet::DepartedWorker;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::fleet::{Fleet, FleetError, MachineUse};

/// What is there is all there is: wishes are heard and change nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoFleet;

#[async_trait]
impl Fleet for NoFleet {
    async fn desire(&self, workers: u32) -> Result<(), FleetError> {
        tracing::debug!(workers, "the number of workers is fixed");
        Ok(())
    }

    async fn retire(&self, left: &DepartedWorker) -> Result<(), FleetError> {
        tracing::debug!(worker_id = %left.worker, "a worker is done; its machine stays");
        Ok(())
    }

    async fn protect(&self, _: &[MachineUse]) -> Result<(), FleetError> {
        Ok(())
    }

    async fn prices(&self, _: &[String], _: Wall) -> Result<Vec<Price>, FleetError> {
        Ok(Vec::new())
    }
}
