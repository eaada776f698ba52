//! The warm pool in memory.

use async_trait::async_trait;
use mouthpiece_domain::fleet::{Heartbeat, Hold};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::SlotIndex;
use mouthpiece_ports::pool::{Pool, PoolError};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// What expired is forgotten this often; that it expired is seen at once.
const TIDIED_EVERY: Duration = Duration::from_secs(10);

/// Holds and workers of one process. The clock is tokio's, so tests may turn it.
#[derive(Debug, Default)]
pub struct MemoryPool {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    holds: HashMap<(WorkerId, SlotIndex), (Hold, Instant)>,
    workers: BTreeMap<WorkerId, (Heartbeat, Instant)>,
    tidied: Option<Instant>,
}

impl Inner {
    /// The hold that has a slot now.
    fn holder(&self, worker: WorkerId, slot: SlotIndex) -> Option<(Hold, Instant)> {
        self.holds.get(&(worker, slot)).filter(|(_, until)| *until > Instant::now()).copied()
    }

    fn holds(&self, hold: &Hold) -> bool {
        self.holder(hold.worker, hold.slot).is_some_and(|(h, _)| h == *hold)
    }

    fn keep(&mut self, hold: &Hold, expiry: Duration) {
        self.tidy();
        self.holds.insert((hold.worker, hold.slot), (*hold, later(expiry)));
    }

    fn tidy(&mut self) {
        let now = Instant::now();
        if self.tidied.is_none_or(|tidied| now - tidied >= TIDIED_EVERY) {
            self.tidied = Some(now);
            self.workers.retain(|_, (_, until)| *until > now);
            self.holds.retain(|_, (_, until)| *until > now);
        }
    }
}

/// A century stands for what the clock cannot count.
fn later(expiry: Duration) -> Instant {
    Instant::now() + expiry.min(Duration::from_secs(100 * 365 * 24 * 3600))
}

impl MemoryPool {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic elsewhere cannot leave the maps half changed: each change is one insertion or removal.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[async_trait]
impl Pool for MemoryPool {
    async fn claim(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError> {
        let mut inner = self.inner();
        let free = inner.holder(hold.worker, hold.slot).is_none();
        if free {
            inner.keep(hold, expiry);
        }
        Ok(free)
    }

    async fn renew(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError> {
        let mut inner = self.inner();
        let held = inner.holds(hold);
        if held {
            inner.keep(hold, expiry);
        }
        Ok(held)
    }

    async fn release(&self, hold: &Hold) -> Result<bool, PoolError> {
        let mut inner = self.inner();
        let held = inner.holds(hold);
        if held {
            inner.holds.remove(&(hold.worker, hold.slot));
        }
        Ok(held)
    }

    async fn remaining(&self, hold: &Hold) -> Result<Option<Duration>, PoolError> {
        let holder = self.inner().holder(hold.worker, hold.slot);
        let until = holder.filter(|(h, _)| h == hold).map(|(_, until)| until);
        Ok(until.map(|until| until.saturating_duration_since(Instant::now())))
    }

    async fn announce(&self, heartbeat: &Heartbeat, expiry: Duration) -> Result<(), PoolError> {
        let mut inner = self.inner();
        inner.tidy();
        inner.workers.insert(heartbeat.worker, (heartbeat.clone(), later(expiry)));
        Ok(())
    }

    async fn forget(&self, worker: WorkerId) -> Result<(), PoolError> {
        let mut inner = self.inner();
        inner.workers.remove(&worker);
        inner.holds.retain(|(w, _), _| *w != worker);
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<Heartbeat>, PoolError> {
        let now = Instant::now();
        Ok(self.inner().workers.values().filter(|(_, until)| *until > now).map(|(beat, _)| beat.clone()).collect())
    }

    async fn check(&self) -> Result<(), PoolError> {
        Ok(())
    }
}
