//! The fleet of machines that nobody starts or stops.

use async_trait::async_trait;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::fleet::{Fleet, FleetError};

/// What is there is all there is: wishes are heard and change nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoFleet;

#[async_trait]
impl Fleet for NoFleet {
    async fn desire(&self, workers: u32) -> Result<(), FleetError> {
        tracing::debug!(workers, "the number of workers is fixed");
        Ok(())
    }

    async fn retire(&self, worker: WorkerId) -> Result<(), FleetError> {
        tracing::debug!(worker_id = %worker, "a worker is done; its machine stays");
        Ok(())
    }
}
