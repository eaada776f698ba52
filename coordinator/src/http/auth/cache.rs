//! Keys looked up lately, so that not every request asks the records.

use mouthpiece_ports::records::{ApiKey, Records, RecordsError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A key revoked through another process is refused here after this at the latest.
const FRESH: Duration = Duration::from_secs(3);
/// Keys that are remembered.
const MOST: usize = 4096;

/// Valid keys by the hash of their secret.
#[derive(Debug, Default)]
pub struct KeyCache(Mutex<HashMap<String, (Arc<ApiKey>, Instant)>>);

impl KeyCache {
    /// The valid key with this secret hash.
    ///
    /// # Errors
    /// The records cannot be read.
    pub async fn find(&self, records: &dyn Records, hash: &str) -> Result<Option<Arc<ApiKey>>, RecordsError> {
        if let Some(key) = self.fresh(hash) {
            return Ok(Some(key));
        }
        // Hashes of no key are not remembered: whoever guesses would push the others out.
        let Some(key) = records.key_by_hash(hash).await?.filter(|k| k.revoked.is_none()).map(Arc::new) else {
            self.entries(|entries| entries.remove(hash));
            return Ok(None);
        };
        self.entries(|entries| {
            if entries.len() >= MOST {
                entries.retain(|_, (_, at)| at.elapsed() < FRESH);
            }
            if entries.len() < MOST {
                entries.insert(hash.to_owned(), (Arc::clone(&key), Instant::now()));
            }
        });
        Ok(Some(key))
    }

    /// Forgets a key, because it was revoked.
    pub fn forget(&self, hash: &str) {
        self.entries(|entries| entries.remove(hash));
    }

    fn fresh(&self, hash: &str) -> Option<Arc<ApiKey>> {
        self.entries(|entries| entries.get(hash).filter(|(_, at)| at.elapsed() < FRESH).map(|(key, _)| Arc::clone(key)))
    }

    fn entries<T>(&self, with: impl FnOnce(&mut HashMap<String, (Arc<ApiKey>, Instant)>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
