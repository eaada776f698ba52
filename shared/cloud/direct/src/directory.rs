//! Where workers are called.

use async_trait::async_trait;
use mouthpiece_domain::fleet::Heartbeat;
use mouthpiece_domain::ids::WorkerId;
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
}

/// The addresses in the heartbeats that the pool holds. A worker's address does not change in its life, so the pool is read
/// when a worker is not known yet; heartbeats themselves go to any one of several coordinators.
pub struct PoolDirectory {
    pool: Arc<dyn Pool>,
    known: Mutex<HashMap<WorkerId, Option<String>>>,
    /// When the pool was read last.
    read: tokio::sync::Mutex<Option<Instant>>,
}

impl PoolDirectory {
    /// Nobody is known yet.
    pub fn new(pool: Arc<dyn Pool>) -> Self {
        Self { pool, known: Mutex::default(), read: tokio::sync::Mutex::default() }
    }

    /// Notes what a heartbeat says, wherever it was seen.
    pub fn learn(&self, heartbeat: &Heartbeat) {
        self.known(|known| known.insert(heartbeat.worker, heartbeat.address.clone()));
    }

    fn known<T>(&self, with: impl FnOnce(&mut HashMap<WorkerId, Option<String>>) -> T) -> T {
        with(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl WorkerDirectory for PoolDirectory {
    async fn address(&self, worker: WorkerId) -> Option<String> {
        let find = || self.known(|known| known.get(&worker).cloned());
        if let Some(found) = find() {
            return found;
        }
        let asked = Instant::now();
        let mut read = self.read.lock().await;
        if read.is_none_or(|read| read < asked) {
            if let Some(last) = *read {
                sleep_until(last + AGAIN).await;
            }
            *read = Some(Instant::now());
            match self.pool.workers().await {
                Ok(workers) => {
                    let told = workers.into_iter().map(|beat| (beat.worker, beat.address));
                    let told = told.collect();
                    self.known(|known| *known = told);
                }
                Err(error) => tracing::warn!(%error, worker_id = %worker, "a worker's address is not known"),
            }
        }
        find().flatten()
    }
}
