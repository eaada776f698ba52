//! Keys looked up lately, so that not every request asks the records.

use mouthpiece_domain::ids::KeyId;
use mouthpiece_ports::records::{ApiKey, KeyRegister, RecordsError};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A key revoked through another process is refused here after this at the latest.
const FRESH: Duration = Duration::from_secs(3);
/// Keys that are remembered.
const MOST: usize = 4096;

/// Keys by the hash of their secret (valid ones only) and by their id (all).
#[derive(Debug, Default)]
pub struct KeyCache {
    by_hash: Lately<String>,
    by_id: Lately<KeyId>,
}

impl KeyCache {
    /// The valid key with this secret hash.
    ///
    /// # Errors
    /// The records cannot be read.
    pub async fn find(&self, register: &dyn KeyRegister, hash: &str) -> Result<Option<Arc<ApiKey>>, RecordsError> {
        let hash = hash.to_owned();
        if let Some(key) = self.by_hash.fresh(&hash) {
            return Ok(Some(key));
        }
        // Hashes of no key are not remembered: whoever guesses would push the others out.
        let Some(key) = register.key_by_hash(&hash).await?.filter(|k| k.revoked.is_none()).map(Arc::new) else {
            self.by_hash.forget(&hash);
            return Ok(None);
        };
        self.by_hash.keep(hash, &key);
        Ok(Some(key))
    }

    /// The key with this id, revoked or not.
    ///
    /// # Errors
    /// The records cannot be read.
    pub async fn with_id(&self, register: &dyn KeyRegister, id: KeyId) -> Result<Option<Arc<ApiKey>>, RecordsError> {
        if let Some(key) = self.by_id.fresh(&id) {
            return Ok(Some(key));
        }
        let found = register.keys().await?.into_iter().find(|k| k.id == id).map(Arc::new);
        if let Some(key) = &found {
            self.by_id.keep(id, key);
        }
        Ok(found)
    }

    /// Forgets a key, because it was revoked.
    pub fn forget(&self, key: &ApiKey) {
        self.by_hash.forget(&key.secret_hash);
        self.by_id.forget(&key.id);
    }
}

#[derive(Debug)]
struct Lately<N>(Mutex<HashMap<N, (Arc<ApiKey>, Instant)>>);

impl<N> Default for Lately<N> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<N: Hash + Eq> Lately<N> {
    fn fresh(&self, name: &N) -> Option<Arc<ApiKey>> {
        self.entries(|entries| entries.get(name).filter(|(_, at)| at.elapsed() < FRESH).map(|(key, _)| Arc::clone(key)))
    }

    fn keep(&self, name: N, key: &Arc<ApiKey>) {
        self.entries(|entries| {
            if entries.len() >= MOST {
                entries.retain(|_, (_, at)| at.elapsed() < FRESH);
            }
            if entries.len() < MOST {
                entries.insert(name, (Arc::clone(key), Instant::now()));
            }
        });
    }

    fn forget(&self, name: &N) {
        self.entries(|entries| entries.remove(name));
    }

    fn entries<T>(&self, with: impl FnOnce(&mut HashMap<N, (Arc<ApiKey>, Instant)>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
