//! Looks after the machines of a fleet: those with sessions are protected, and their prices are recorded.

use crate::fleet_calls::{FleetCalls, in_time};
use crate::metrics::{Metrics, PortName};
use mouthpiece_domain::control::{FarmView, WorkerState};
use mouthpiece_domain::fleet::MachineId;
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_ports::farm_ports::MachinePorts;
use mouthpiece_ports::fleet::MachineUse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A round takes place this often.
pub(crate) const EVERY: Duration = Duration::from_secs(5);
/// What did not change is said again every so many rounds (a minute): somebody else may have changed it.
const REPEAT: u64 = 12;
/// Prices are asked for every so many rounds (five minutes), and at once for a type that was not seen before.
const PRICES: u64 = 60;
/// One call takes at most so long.
const CALL: Duration = Duration::from_secs(60);
/// Prices are asked for from so long before the last time on: the cloud may tell them late.
const OVERLAP_MS: i64 = 2 * HOUR_MS;
/// Of a type that was not seen before: a machine may have been up for a while before anybody asked.
const FIRST_MS: i64 = 48 * HOUR_MS;
/// Types whose prices are asked for, at most.
const MOST_TYPES: usize = 200;

/// Looks after the machines, a round at a time.
pub(crate) struct MachineKeeper {
    ports: MachinePorts,
    metrics: Arc<Metrics>,
    calls: FleetCalls,
    rounds: u64,
    /// What the fleet was told of each machine last.
    told: BTreeMap<MachineId, bool>,
    /// Until when the prices of each type are known.
    priced: BTreeMap<String, Wall>,
}

impl MachineKeeper {
    pub(crate) fn new(ports: MachinePorts, metrics: Arc<Metrics>) -> Self {
        let calls = FleetCalls::new(Arc::clone(&metrics));
        Self { ports, metrics, calls, rounds: 0, told: BTreeMap::new(), priced: BTreeMap::new() }
    }

    /// One round. What fails is counted, told, and tried again in a later one.
    pub(crate) async fn round(&mut self, view: &FarmView, now: Wall) {
        let uses = uses(view);
        if uses != self.told || self.rounds.is_multiple_of(REPEAT) {
            self.protect(uses).await;
        }
        let types = types(view);
        let is_new = types.iter().any(|name| !self.priced.contains_key(name));
        if is_new || self.rounds.is_multiple_of(PRICES) {
            self.record_prices(types, now).await;
        }
        self.rounds += 1;
    }

    async fn protect(&mut self, uses: BTreeMap<MachineId, bool>) {
        let machines: Vec<_> =
            uses.iter().map(|(machine, busy)| MachineUse { machine: machine.clone(), busy: *busy }).collect();
        if machines.is_empty() {
            self.told = uses;
            return;
        }
        let answer = in_time(CALL, self.ports.fleet.protect(&machines)).await;
        self.calls.went("protect", &answer);
        if answer.is_ok() {
            self.told = uses;
        }
    }

    async fn record_prices(&mut self, types: BTreeSet<String>, now: Wall) {
        let types: Vec<String> = types.into_iter().take(MOST_TYPES).collect();
        if types.is_empty() {
            return;
        }
        let since = |name: &String| match self.priced.get(name) {
            Some(known) => Wall(known.0.min(now.0).saturating_sub(OVERLAP_MS)),
            None => Wall(now.0.saturating_sub(FIRST_MS)),
        };
        let since = types.iter().map(since).min().unwrap_or(now);
        let answer = in_time(CALL, self.ports.fleet.prices(&types, since)).await;
        self.calls.went("prices", &answer);
        let Ok(prices) = answer else { return };
        if !prices.is_empty()
            && let Err(error) = self.ports.books.add_prices(&prices).await
        {
            self.metrics.port_error(PortName::Records, "add_prices");
            tracing::warn!(%error, "the fleet's prices are not recorded");
            return;
        }
        tracing::debug!(prices = prices.len(), types = types.len(), "prices recorded");
        self.priced = types.into_iter().map(|name| (name, now)).collect();
    }
}

/// Which machines have sessions, those of other coordinators included. One that drains has some, or leaves. What is not heard
/// of keeps what it has: its sessions may go on.
fn uses(view: &FarmView) -> BTreeMap<MachineId, bool> {
    let mut uses = BTreeMap::new();
    for worker in view.workers.iter().filter(|worker| worker.state != WorkerState::Lost) {
        if let Some(machine) = &worker.capability.machine {
            *uses.entry(machine.clone()).or_default() |= worker.state != WorkerState::Idle;
        }
    }
    uses
}

fn types(view: &FarmView) -> BTreeSet<String> {
    let of_cloud = view.workers.iter().filter(|worker| worker.capability.machine.is_some());
    of_cloud.map(|worker| worker.capability.instance_type.clone()).collect()
}

#[cfg(test)]
#[path = "machines_tests.rs"]
mod tests;
