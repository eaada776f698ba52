//! What is asked of all workers at once, counted as they change: a farm of fifty thousand is looked at every second.

use super::slots::KnownWorker;
use crate::fleet::MachineId;
use crate::ids::WorkerId;
use std::collections::{BTreeSet, HashMap};

/// Sums and lists over all workers.
#[derive(Debug, Default)]
pub(super) struct FleetTally {
    open: u32,
    /// Open workers without a session.
    empty: BTreeSet<WorkerId>,
    /// Draining workers that are not lost and that this brain knows sessions on.
    leaving: BTreeSet<WorkerId>,
    /// Open workers by their machines' instance type. There are few types, and none is forgotten.
    types: Vec<(String, u32)>,
    /// How many workers are on a machine.
    machines: HashMap<MachineId, u32>,
}

impl FleetTally {
    /// Workers that take new sessions.
    pub(super) fn open(&self) -> u32 {
        self.open
    }

    /// Of these, the ones without a session.
    pub(super) fn empty(&self) -> &BTreeSet<WorkerId> {
        &self.empty
    }

    /// Workers with sessions that may have to be moved away.
    pub(super) fn leaving(&self) -> &BTreeSet<WorkerId> {
        &self.leaving
    }

    /// How many workers that take new sessions run on which instance type.
    pub(super) fn open_by_type(&self) -> impl Iterator<Item = (&str, u32)> {
        self.types.iter().filter(|(_, open)| *open > 0).map(|(name, open)| (name.as_str(), *open))
    }

    /// No other worker is on this one's machine.
    pub(super) fn is_alone_on(&self, machine: &MachineId) -> bool {
        self.machines.get(machine).is_none_or(|workers| *workers < 2)
    }

    /// The place of an instance type, for [`KnownWorker::type_index`].
    pub(super) fn type_index(&mut self, instance_type: &str) -> usize {
        self.types.iter().position(|(name, _)| name == instance_type).unwrap_or_else(|| {
            self.types.push((instance_type.to_owned(), 0));
            self.types.len() - 1
        })
    }

    /// A worker is on a machine.
    pub(super) fn came_to(&mut self, machine: Option<MachineId>) {
        if let Some(machine) = machine {
            *self.machines.entry(machine).or_default() += 1;
        }
    }

    /// It is no longer.
    pub(super) fn left(&mut self, machine: Option<&MachineId>) {
        let Some((machine, workers)) = machine.and_then(|m| Some((m, self.machines.get_mut(m)?))) else { return };
        *workers -= 1;
        if *workers == 0 {
            self.machines.remove(machine);
        }
    }

    /// A worker is about to change: it is counted no longer.
    pub(super) fn unlist(&mut self, id: WorkerId, worker: &KnownWorker) {
        if worker.draining {
            self.leaving.remove(&id);
        }
        if worker.open() {
            self.open -= 1;
            self.types[worker.type_index].1 -= 1;
            if worker.taken() == 0 {
                self.empty.remove(&id);
            }
        }
    }

    /// It has changed, or is new.
    pub(super) fn list(&mut self, id: WorkerId, worker: &KnownWorker) {
        if worker.draining && !worker.lost && worker.slots().any(|(_, session)| session.is_some()) {
            self.leaving.insert(id);
        }
        if worker.open() {
            self.open += 1;
            self.types[worker.type_index].1 += 1;
            if worker.taken() == 0 {
                self.empty.insert(id);
            }
        }
    }
}
