//! The machines' keeper: looks at the farm now and then, and tells the fleet what it sees.

use super::retention::RetentionCalendar;
use super::rounds::Rounds;
use crate::farm::Farm;
use crate::machines::{EVERY, MachineKeeper};
use crate::metrics::Metrics;
use mouthpiece_ports::farm_ports::MachinePorts;
use std::sync::Arc;

/// Protects machines with sessions and records what the fleet's machines cost from now on, on the arbiter of this thread,
/// until what it returns is dropped. `calendar` says what time it is.
///
/// # Panics
/// When no actix system runs on this thread.
pub fn look_after(
    ports: MachinePorts,
    farm: Arc<dyn Farm>,
    calendar: RetentionCalendar,
    metrics: Arc<Metrics>,
) -> Rounds {
    let mut keeper = MachineKeeper::new(ports, metrics);
    Rounds::of(async move || {
        let now = calendar();
        // A farm that is too busy to be looked at is looked at later.
        if let Ok(view) = farm.view().await {
            keeper.round(&view, now).await;
        }
        EVERY
    })
}
