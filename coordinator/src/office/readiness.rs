//! Whether the coordinator can work: every store answers and the server is not about to stop.

use super::Closing;
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::bus::Bus;
use mouthpiece_ports::pool::Pool;
use mouthpiece_ports::records::SessionLedger;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// A store that does not answer within this is not ready.
const PATIENCE: Duration = Duration::from_secs(5);
/// Anybody may ask, so the stores are asked at most this often.
const FRESH: Duration = Duration::from_secs(1);

/// How a store is. Why it cannot be used is in the log: anybody may ask, and errors name files and hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreHealth {
    /// It can be used.
    Well,
    /// It cannot.
    Unusable,
    /// It did not answer within this time.
    Silent(Duration),
}

/// What was found.
#[derive(Debug, Clone)]
pub struct ReadinessReport {
    /// By the store's name.
    pub stores: BTreeMap<&'static str, StoreHealth>,
    /// The server is about to stop.
    pub closing: bool,
}

impl ReadinessReport {
    /// Whether it can work.
    pub fn is_ready(&self) -> bool {
        !self.closing && self.stores.values().all(|store| *store == StoreHealth::Well)
    }
}

/// The stores that are asked.
pub(super) struct Stores {
    pub ledger: Arc<dyn SessionLedger>,
    pub bus: Arc<dyn Bus>,
    pub pool: Arc<dyn Pool>,
    pub blobs: Arc<dyn Blobs>,
}

/// Asks the stores now and then.
pub struct Readiness {
    stores: Stores,
    closing: Closing,
    last: Mutex<Option<(Instant, ReadinessReport)>>,
}

impl Readiness {
    pub(super) fn new(stores: Stores, closing: Closing) -> Self {
        Self { stores, closing, last: Mutex::default() }
    }

    /// Asks the stores, unless that was done just now. Whoever comes meanwhile waits for the same answer.
    pub async fn look(&self) -> ReadinessReport {
        let mut last = self.last.lock().await;
        if let Some((at, found)) = last.as_ref()
            && at.elapsed() < FRESH
            && !self.closing.has_begun()
        {
            return found.clone();
        }
        let found = self.ask().await;
        *last = Some((Instant::now(), found.clone()));
        found
    }

    async fn ask(&self) -> ReadinessReport {
        let Stores { ledger, bus, pool, blobs } = &self.stores;
        let (records, bus, pool, blobs) = tokio::join!(
            health("records", ledger.check()),
            health("bus", bus.check()),
            health("pool", pool.check()),
            health("blobs", blobs.check()),
        );
        let stores = BTreeMap::from([("records", records), ("bus", bus), ("pool", pool), ("blobs", blobs)]);
        ReadinessReport { stores, closing: self.closing.has_begun() }
    }
}

async fn health<E: Display>(store: &'static str, check: impl Future<Output = Result<(), E>>) -> StoreHealth {
    match timeout(PATIENCE, check).await {
        Ok(Ok(())) => StoreHealth::Well,
        Ok(Err(error)) => {
            tracing::error!(store, %error, "a store is not ready");
            StoreHealth::Unusable
        }
        Err(_) => StoreHealth::Silent(PATIENCE),
    }
}
