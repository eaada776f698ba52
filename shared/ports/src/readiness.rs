//! Whether stores can be used, as a probe of the process is told.

use std::collections::BTreeMap;
use std::fmt;
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

impl fmt::Display for StoreHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well => f.write_str("ok"),
            Self::Unusable => f.write_str("it cannot be used: the log says why"),
            Self::Silent(patience) => write!(f, "no answer within {} s", patience.as_secs()),
        }
    }
}

/// Asks one store.
pub async fn store_health<E: fmt::Display>(
    store: &'static str,
    check: impl Future<Output = Result<(), E>>,
) -> StoreHealth {
    match timeout(PATIENCE, check).await {
        Ok(Ok(())) => StoreHealth::Well,
        Ok(Err(error)) => {
            tracing::error!(store, %error, "a store is not ready");
            StoreHealth::Unusable
        }
        Err(_) => StoreHealth::Silent(PATIENCE),
    }
}

/// What was found of each store last.
#[derive(Debug, Default)]
pub struct RecentHealth(Mutex<Option<(Instant, BTreeMap<&'static str, StoreHealth>)>>);

impl RecentHealth {
    /// Asks the stores, unless that was done just now. Whoever comes meanwhile waits for the same answer.
    pub async fn look(
        &self,
        ask: impl AsyncFnOnce() -> BTreeMap<&'static str, StoreHealth>,
    ) -> BTreeMap<&'static str, StoreHealth> {
        let mut last = self.0.lock().await;
        if let Some((at, found)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return found.clone();
        }
        let found = ask().await;
        *last = Some((Instant::now(), found.clone()));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test(start_paused = true)]
    async fn a_store_is_well_unusable_or_silent() {
        assert_eq!(store_health("a", ready(Ok::<_, &str>(()))).await.to_string(), "ok");
        let unusable = store_health("a", ready(Err("host db: refused"))).await.to_string();
        assert_eq!(unusable, "it cannot be used: the log says why");
        assert_eq!(store_health("a", pending::<Result<(), &str>>()).await.to_string(), "no answer within 5 s");
    }

    #[tokio::test]
    async fn stores_are_not_asked_twice_at_once() {
        let recent = RecentHealth::default();
        let found = BTreeMap::from([("bus", StoreHealth::Well)]);
        assert_eq!(recent.look(async || found.clone()).await, found);
        assert_eq!(recent.look(async || panic!("it was asked just now")).await, found);
    }
}
