//! The keeper: looks for what is old, now and then, and goes on without a pause as long as there is some.

use super::rounds::Rounds;
use crate::metrics::{Metrics, PortName};
use crate::retention::{RetentionSweeper, SweepStep};
use mouthpiece_domain::retention::RetentionAges;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::farm_ports::RetentionPorts;
use std::sync::Arc;
use std::time::Duration;

/// Ages are hours and days, so nobody notices this.
const EVERY: Duration = Duration::from_secs(60);
/// Between two steps of much work: whoever writes meanwhile gets his turn.
const BREATH: Duration = Duration::from_millis(50);

/// The time of the calendar.
pub type RetentionCalendar = Arc<dyn Fn() -> Wall + Send + Sync>;

/// Removes what is older than its age from now on, on the arbiter of this thread, until what it returns is dropped.
/// `calendar` says what time it is.
///
/// # Panics
/// When no actix system runs on this thread.
pub fn keep(ports: RetentionPorts, ages: RetentionAges, calendar: RetentionCalendar, metrics: Arc<Metrics>) -> Rounds {
    let mut sweeper = RetentionSweeper::new(ports, ages, Arc::clone(&metrics));
    Rounds::of(async move || match sweeper.step(calendar()).await {
        Ok(SweepStep::More) => BREATH,
        Ok(SweepStep::All | SweepStep::Elsewhere) => EVERY,
        Err(error) => {
            metrics.port_error(PortName::Records, "let_go");
            tracing::warn!(%error, "what is old was not looked for");
            EVERY
        }
    })
}
