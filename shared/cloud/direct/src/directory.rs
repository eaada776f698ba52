//! Where workers are called.

use async_trait::async_trait;
use mouthpiece_domain::fleet::{Heartbeat, Hold};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::session::Phase;
use mouthpiece_ports::pool::Pool;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The pool is not read more often than this.
const AGAIN: Duration = Duration::from_millis(200);

/// Says where a worker is called.
#[async_trait]
pub trait WorkerDirectory: Send + Sync {
    /// Its address as its heartbeat told it; `None` where no such worker is known, or it takes no lines.
    async fn address(&self, worker: WorkerId) -> Option<String>;

    /// Where a session runs by what heartbeats tell, its newest placement; `None` where none tells of it.
    async fn runs(&self, session: SessionId) -> Option<Hold> {
        let _ = session;
        None
    }
}

/// What the heartbeats that the pool holds tell. A worker's address does not change in its life, so the pool is read when a
/// worker is not known yet; heartbeats themselves go to any one of several coordinators. Where sessions run does change: for
/// that it is read anew.
pub struct PoolDirectory {
    pool: Arc<dyn Pool>,
    known: Mutex<KnownWorkers>,
    /// When the pool was read last.
    read: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Default)]
struct KnownWorkers {
    addresses: HashMap<WorkerId, Option<String>>,
    /// As the pool told when it was read last.
    running: HashMap<SessionId, Hold>,
}

impl PoolDirectory {
    /// Nobody is known yet.
    pub fn new(pool: Arc<dyn Pool>) -> Self {
        Self { pool, known: Mutex::default(), read: tokio::sync::Mutex::default() }
    }

    /// Notes what a heartbeat says, wherever it was seen.
    pub fn learn(&self, heartbeat: &Heartbeat) {
        self.known(|known| known.addresses.insert(heartbeat.worker, heartbeat.address.clone()));
    }

    fn known<T>(&self, with: impl FnOnce(&mut KnownWorkers) -> T) -> T {
        with(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the pool, unless somebody did since this was asked for.
    async fn look(&self) {
        let asked = Instant::now();
        let mut read = self.read.lock().await;
        if read.is_some_and(|read| read >= asked) {
            return;
        }
        if let Some(last) = *read {
            sleep_until(last + AGAIN).await;
        }
        *read = Some(Instant::now());
        match self.pool.workers().await {
            Ok(workers) => {
                let told = KnownWorkers::of(workers);
                self.known(|known| *known = told);
            }
            Err(error) => tracing::warn!(%error, "it is not known where workers are, and what runs there"),
        }
    }
}

impl KnownWorkers {
    fn of(workers: Vec<Heartbeat>) -> Self {
        let mut known = Self::default();
        for beat in workers {
            for one in beat.running.iter().filter(|one| one.phase == Phase::Running && !one.prepared) {
                let hold = Hold { session: one.session, fence: one.fence, worker: beat.worker, slot: one.slot };
                let newest = known.running.entry(one.session).or_insert(hold);
                if newest.fence < hold.fence {
                    *newest = hold;
                }
            }
            known.addresses.insert(beat.worker, beat.address);
        }
        known
    }
}

#[async_trait]
impl WorkerDirectory for PoolDirectory {
    async fn address(&self, worker: WorkerId) -> Option<String> {
        let find = || self.known(|known| known.addresses.get(&worker).cloned());
        if let Some(found) = find() {
            return found;
        }
        self.look().await;
        find().flatten()
    }

    async fn runs(&self, session: SessionId) -> Option<Hold> {
        self.look().await;
        self.known(|known| known.running.get(&session).copied())
    }
}
