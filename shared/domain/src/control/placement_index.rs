//! Workers by what placement asks: who has a free slot, who holds an avatar, how much is offered.

use super::slots::KnownWorker;
use super::tally::FleetTally;
use crate::id_map::IdMap;
use crate::ids::WorkerId;
use std::collections::BTreeSet;

/// Kept true by taking a worker out before it is changed and putting it back afterwards.
#[derive(Debug, Default)]
pub(super) struct PlacementIndex {
    /// Open workers with one free slot, with two, and so on.
    by_free: Vec<BTreeSet<WorkerId>>,
    /// Of those, the ones that hold an avatar.
    by_avatar: IdMap<u128, BTreeSet<WorkerId>>,
    /// Slots of open workers, and how many of them are free.
    pub(super) offered: u32,
    pub(super) free: u32,
    pub(super) tally: FleetTally,
}

/// A content hash, shortened: the first 32 hexadecimal digits. Placement only prefers by it, so a collision is harmless.
pub(super) fn content_key(content: &str) -> u128 {
    content.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

impl PlacementIndex {
    /// Of all workers with a free slot the fullest.
    pub(super) fn first_with_a_free_slot(&self) -> Option<WorkerId> {
        self.by_free.iter().find_map(|workers| workers.first().copied())
    }

    /// Workers with a free slot that hold an avatar.
    pub(super) fn holding(&self, content: u128) -> impl Iterator<Item = &WorkerId> {
        self.by_avatar.get(&content).into_iter().flatten()
    }

    /// A worker is about to change: it is counted no longer.
    pub(super) fn unlist(&mut self, id: WorkerId, worker: &KnownWorker) {
        self.tally.unlist(id, worker);
        if !worker.open() {
            return;
        }
        let free = worker.free();
        self.offered -= u32::from(worker.offered());
        self.free -= u32::from(free);
        if let Some(others) = usize::from(free).checked_sub(1) {
            if let Some(workers) = self.by_free.get_mut(others) {
                workers.remove(&id);
            }
            for content in &worker.resident {
                let key = content_key(content);
                if let Some(set) = self.by_avatar.get_mut(&key) {
                    set.remove(&id);
                    if set.is_empty() {
                        self.by_avatar.remove(&key);
                    }
                }
            }
        }
    }

    /// It has changed, or is new.
    pub(super) fn list(&mut self, id: WorkerId, worker: &KnownWorker) {
        self.tally.list(id, worker);
        if !worker.open() {
            return;
        }
        let free = worker.free();
        self.offered += u32::from(worker.offered());
        self.free += u32::from(free);
        if let Some(others) = usize::from(free).checked_sub(1) {
            if self.by_free.len() <= others {
                self.by_free.resize_with(others + 1, BTreeSet::new);
            }
            self.by_free[others].insert(id);
            for content in &worker.resident {
                self.by_avatar.entry(content_key(content)).or_default().insert(id);
            }
        }
    }
}
