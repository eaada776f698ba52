//! Whether the coordinator can work: every store answers and the server is not about to stop.

use super::Closing;
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::bus::Bus;
use mouthpiece_ports::pool::Pool;
use mouthpiece_ports::readiness::{RecentHealth, StoreHealth, store_health};
use mouthpiece_ports::records::SessionLedger;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Who asks for something waits for the stores' answers at most so long: healthy ones answer in a few milliseconds.
const GLANCE: Duration = Duration::from_secs(2);
/// Stores that were well so lately are not looked at...
const LATELY: Duration = Duration::from_secs(1);
/// ...and those that were within this are, while nobody waits for it: a look writes to each of them, which takes a bucket longer than a
/// session takes to be placed.
const BEARABLE: Duration = Duration::from_secs(2);

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
    looker: Arc<StoreLooker>,
    closing: Closing,
}

impl StoreReadiness {
    pub(super) fn new(stores: CheckedStores, closing: Closing) -> Self {
        let looker = StoreLooker { stores, recent: RecentHealth::default(), well: LastWell::default() };
        Self { looker: Arc::new(looker), closing }
    }

    /// A store without which nothing new can be begun, if one cannot be used just now: it is found out once a second at most. Whoever
    /// asks again and again does not wait for that.
    pub async fn missing(&self) -> Option<&'static str> {
        match self.looker.well.standing(Instant::now()) {
            WellStanding::Stands => return None,
            WellStanding::LookAgain => {
                let looker = Arc::clone(&self.looker);
                tokio::spawn(async move { drop(looker.look().await) });
                return None;
            }
            WellStanding::Unknown => {}
        }
        let Ok(stores) = timeout(GLANCE, self.looker.look()).await else { return Some("one of the stores") };
        stores.into_iter().find(|(_, health)| *health != StoreHealth::Well).map(|(store, _)| store)
    }

    /// Asks the stores, unless that was done just now.
    pub async fn look(&self) -> ReadinessReport {
        ReadinessReport { stores: self.looker.look().await, closing: self.closing.has_begun() }
    }
}

/// Looks, and remembers.
struct StoreLooker {
    stores: CheckedStores,
    recent: RecentHealth,
    well: LastWell,
}

impl StoreLooker {
    async fn look(&self) -> BTreeMap<&'static str, StoreHealth> {
        let ask = async || {
            let asked = Instant::now();
            let stores = self.stores.ask().await;
            self.well.found(asked, stores.values().all(|store| *store == StoreHealth::Well));
            stores
        };
        self.recent.look(ask).await
    }
}

/// When all stores were well last.
#[derive(Debug, Default)]
struct LastWell(Mutex<Option<SeenWell>>);

#[derive(Debug, Clone, Copy)]
struct SeenWell {
    at: Instant,
    /// Somebody looks again.
    looking: bool,
}

/// What that is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WellStanding {
    /// They are well.
    Stands,
    /// They are taken to be well, and whoever is told this looks again.
    LookAgain,
    /// They may be or not.
    Unknown,
}

impl LastWell {
    fn standing(&self, now: Instant) -> WellStanding {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(well) = seen.as_mut() else { return WellStanding::Unknown };
        match now.saturating_duration_since(well.at) {
            age if age < LATELY => WellStanding::Stands,
            age if age < BEARABLE && well.looking => WellStanding::Stands,
            age if age < BEARABLE => {
                well.looking = true;
                WellStanding::LookAgain
            }
            _ => WellStanding::Unknown,
        }
    }

    fn found(&self, asked: Instant, well: bool) {
        let seen = well.then_some(SeenWell { at: asked, looking: false });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = seen;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_looks_again_while_the_others_go_on() {
        let (well, begun) = (LastWell::default(), Instant::now());
        let at = |ms| begun + Duration::from_millis(ms);
        assert_eq!(well.standing(at(0)), WellStanding::Unknown);
        well.found(at(0), true);
        assert_eq!(well.standing(at(999)), WellStanding::Stands);
        assert_eq!(well.standing(at(1000)), WellStanding::LookAgain);
        assert_eq!(well.standing(at(1001)), WellStanding::Stands, "somebody looks");
        assert_eq!(well.standing(at(2000)), WellStanding::Unknown, "and is not heard of again");
        well.found(at(2000), true);
        assert_eq!(well.standing(at(3100)), WellStanding::LookAgain);
        well.found(at(3100), false);
        assert_eq!(well.standing(at(3100)), WellStanding::Unknown);
    }
}
