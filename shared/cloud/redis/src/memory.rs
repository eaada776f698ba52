//! What this process knows by itself: which leases were granted to it and still last, and which workers it announced.
//!
//! Both are judged by this process's clock, and count for what the server may have lost (see the crate's documentation).

use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// Beyond so many workers none is vouched for any more: a process has one, a test some thousands.
const MOST_WORKERS: usize = 65_536;
/// Leases that ran out are removed when the table has grown to this, and to twice what was left.
const TIDIED_AT: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct ProcessMemory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Until when a lease lasts, counted from when it was asked for.
    leases: HashMap<Hold, Instant>,
    tidied_at: usize,
    /// True: announced once, and nothing was renewed on it yet.
    workers: HashMap<WorkerId, bool>,
}

impl ProcessMemory {
    /// A lease was granted that lasts until then.
    pub(crate) fn granted(&self, hold: &Hold, until: Instant) {
        let mut inner = self.inner();
        if inner.leases.len() >= inner.tidied_at.max(TIDIED_AT) {
            let now = Instant::now();
            inner.leases.retain(|_, until| *until > now);
            inner.tidied_at = inner.leases.len() * 2;
        }
        let known = inner.leases.entry(*hold).or_insert(until);
        *known = until.max(*known);
    }

    /// A lease is lost or given back.
    pub(crate) fn gone(&self, hold: &Hold) {
        self.inner().leases.remove(hold);
    }

    /// A worker is forgotten, with all its leases.
    pub(crate) fn forgotten(&self, worker: WorkerId) {
        self.inner().leases.retain(|hold, _| hold.worker != worker);
    }

    /// A lease is about to be renewed. True when it was granted to this process and still lasts.
    pub(crate) fn renewing(&self, hold: &Hold) -> bool {
        let mut inner = self.inner();
        if inner.workers.contains_key(&hold.worker) || inner.workers.len() < MOST_WORKERS {
            inner.workers.insert(hold.worker, false);
        }
        inner.leases.get(hold).is_some_and(|until| *until > Instant::now())
    }

    /// A worker is about to be announced. True the first time, if nothing was renewed on it before.
    pub(crate) fn announcing(&self, worker: WorkerId) -> bool {
        let mut inner = self.inner();
        let first = !inner.workers.contains_key(&worker) && inner.workers.len() < MOST_WORKERS;
        if first {
            inner.workers.insert(worker, true);
        }
        first
    }

    /// True while nothing was renewed on a worker since it was announced for the first time.
    pub(crate) fn is_new(&self, worker: WorkerId) -> bool {
        self.inner().workers.get(&worker) == Some(&true)
    }

    /// A panic elsewhere cannot leave the tables half changed.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::ids::SessionId;
    use mouthpiece_domain::session::{Fence, SlotIndex};
    use std::time::Duration;

    fn hold(session: u128) -> Hold {
        Hold { session: SessionId(session), fence: Fence::FIRST, worker: WorkerId(1), slot: SlotIndex(0) }
    }

    #[test]
    fn a_lease_counts_while_it_lasts() {
        let (memory, s) = (ProcessMemory::default(), Duration::from_secs);
        assert!(!memory.renewing(&hold(1)), "never granted");
        memory.granted(&hold(1), Instant::now() + s(600));
        memory.granted(&hold(1), Instant::now());
        assert!(memory.renewing(&hold(1)) && !memory.renewing(&hold(2)), "an older answer shortens nothing");
        memory.granted(&hold(2), Instant::now());
        assert!(!memory.renewing(&hold(2)), "it ran out");
        memory.gone(&hold(1));
        assert!(!memory.renewing(&hold(1)), "it was given back");
        for n in 0..10_000 {
            memory.granted(&hold(n), Instant::now());
        }
        assert!(memory.inner().leases.len() <= TIDIED_AT, "what ran out is removed");
        memory.granted(&hold(1), Instant::now() + s(600));
        memory.forgotten(WorkerId(1));
        assert!(!memory.renewing(&hold(1)), "its worker is forgotten");
    }

    #[test]
    fn a_worker_is_new_once() {
        let memory = ProcessMemory::default();
        assert!(memory.announcing(WorkerId(1)) && memory.is_new(WorkerId(1)));
        assert!(!memory.announcing(WorkerId(1)), "only the first announcement");
        memory.renewing(&hold(1));
        assert!(!memory.is_new(WorkerId(1)) && !memory.announcing(WorkerId(1)), "something may run there");
        let memory = ProcessMemory::default();
        memory.renewing(&hold(1));
        assert!(!memory.announcing(WorkerId(1)), "something was asked for before");
    }
}
