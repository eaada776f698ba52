//! One heartbeat: to the pool, which lists the workers, and to the coordinators.

use mouthpiece_domain::fleet::{Heartbeat, WorkerEvent};
use mouthpiece_ports::bus::Bus;
use mouthpiece_ports::pool::Pool;
use std::time::Duration;
use tokio::time::timeout;
use tracing::warn;

/// Neither is waited for any longer: the next heartbeat says it all again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends a heartbeat that counts for `expiry`.
pub(super) async fn pulse(bus: &dyn Bus, pool: &dyn Pool, beat: Heartbeat, expiry: Duration) {
    match timeout(PATIENCE, pool.announce(&beat, expiry)).await {
        Ok(Ok(())) => {}
        Ok(Err(e)) => warn!(error = %e, "the heartbeat did not reach the pool"),
        Err(_) => warn!("the heartbeat did not reach the pool in time"),
    }
    match timeout(PATIENCE, bus.emit(&WorkerEvent::Heartbeat(Box::new(beat)))).await {
        Ok(Ok(())) => {}
        Ok(Err(e)) => warn!(error = %e, "the heartbeat did not reach the coordinators"),
        Err(_) => warn!("the heartbeat did not reach the coordinators in time"),
    }
}
