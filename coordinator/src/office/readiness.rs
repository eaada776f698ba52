//! Whether the coordinator can work: every store answers and the server is not about to stop.

use super::Closing;
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::bus::Bus;
use mouthpiece_ports::pool::Pool;
use mouthpiece_ports::readiness::{RecentHealth, StoreHealth, store_health};
use mouthpiece_ports::records::SessionLedger;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Who asks for something waits for the stores' answers at most so long: healthy ones answer in a few milliseconds.
const GLANCE: Duration = Duration::from_secs(2);

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
pub(super) struct CheckedStores {
    pub ledger: Arc<dyn SessionLedger>,
    pub bus: Arc<dyn Bus>,
    pub pool: Arc<dyn Pool>,
    pub blobs: Arc<dyn Blobs>,
}

/// Asks the stores now and then.
pub struct StoreReadiness {
    stores: CheckedStores,
    closing: Closing,
    recent: RecentHealth,
}

impl StoreReadiness {
    pub(super) fn new(stores: CheckedStores, closing: Closing) -> Self {
        Self { stores, closing, recent: RecentHealth::default() }
    }

    /// A store without which nothing new can be begun, if one cannot be used just now: it is found out once a second at most.
    pub async fn missing(&self) -> Option<&'static str> {
        let Ok(report) = timeout(GLANCE, self.look()).await else { return Some("one of the stores") };
        report.stores.into_iter().find(|(_, health)| *health != StoreHealth::Well).map(|(store, _)| store)
    }

    /// Asks the stores, unless that was done just now.
    pub async fn look(&self) -> ReadinessReport {
        let stores = self.recent.look(async || self.stores.ask().await).await;
        ReadinessReport { stores, closing: self.closing.has_begun() }
    }
}

impl CheckedStores {
    async fn ask(&self) -> BTreeMap<&'static str, StoreHealth> {
        let Self { ledger, bus, pool, blobs } = self;
        let (records, bus, pool, blobs) = tokio::join!(
            store_health("records", ledger.check()),
            store_health("bus", bus.check()),
            store_health("pool", pool.check()),
            store_health("blobs", blobs.check()),
        );
        BTreeMap::from([("records", records), ("bus", bus), ("pool", pool), ("blobs", blobs)])
    }
}
