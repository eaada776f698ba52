//! API keys: made, listed, revoked.

use super::access::{Caller, KeyCache, KeyScope, new_secret, secret_hash};
use super::refusal::refuses_when_unavailable;
use super::{StoreUnavailable, new_id, now};
use mouthpiece_domain::ids::KeyId;
use mouthpiece_ports::records::{ApiKey, KeyRegister};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Valid keys that there may be.
pub const MOST_KEYS: usize = 10_000;

/// Why a key is not made or revoked.
#[derive(Debug)]
pub enum KeyRefusal {
    /// The caller may not give a scope that it lacks: else the scope `keys` would be all of them.
    CannotGive(KeyScope),
    /// There are [`MOST_KEYS`] valid keys.
    TooMany,
    /// There is no such valid key.
    Unknown(KeyId),
    /// It is the last key that can manage keys.
    LastManager,
    /// It cannot be done just now.
    Unavailable(StoreUnavailable),
}

refuses_when_unavailable!(KeyRefusal);

/// A key that is wanted.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// A name for people; not empty.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: Vec<KeyScope>,
    /// Sessions that may be open at a time; what new keys usually get if it is not said.
    pub max_open: Option<u32>,
    /// Delivered minutes a UTC day; `None`: no bound.
    pub minutes_per_day: Option<u32>,
}

impl NewKey {
    /// The key, with the secret that it is recognised by.
    pub fn with_secret(self, secret: &str, usual_max_open: u32) -> ApiKey {
        let mut scopes: Vec<_> = self.scopes.into_iter().map(|s| s.name().to_owned()).collect();
        scopes.sort();
        scopes.dedup();
        ApiKey {
            id: KeyId(new_id()),
            name: self.name,
            secret_hash: secret_hash(secret),
            scopes,
            max_open: self.max_open.unwrap_or(usual_max_open),
            minutes_per_day: self.minutes_per_day,
            created: now(),
            revoked: None,
        }
    }
}

/// Manages keys.
pub struct Keys {
    register: Arc<dyn KeyRegister>,
    cache: Arc<KeyCache>,
    usual_max_open: u32,
    /// Of two who revoke the last two managing keys at once, one is to see what the other did.
    revoking: Mutex<()>,
}

impl Keys {
    pub(super) fn new(register: Arc<dyn KeyRegister>, cache: Arc<KeyCache>, usual_max_open: u32) -> Self {
        Self { register, cache, usual_max_open, revoking: Mutex::default() }
    }

    /// All keys, revoked ones too.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn all(&self) -> Result<Vec<ApiKey>, StoreUnavailable> {
        Ok(self.register.keys().await?)
    }

    /// Makes a key. Its secret is told this once.
    ///
    /// # Errors
    /// [`KeyRefusal`].
    pub async fn create(&self, by: &Caller, wanted: NewKey) -> Result<(ApiKey, String), KeyRefusal> {
        if let Some(lacking) = wanted.scopes.iter().find(|s| !by.may(**s)) {
            return Err(KeyRefusal::CannotGive(*lacking));
        }
        if self.register.keys().await?.iter().filter(|k| k.revoked.is_none()).count() >= MOST_KEYS {
            return Err(KeyRefusal::TooMany);
        }
        let secret = new_secret()?;
        let key = wanted.with_secret(&secret, self.usual_max_open);
        self.register.add_key(&key).await?;
        tracing::info!(key = %key.id, by = %by.key.id, scopes = ?key.scopes, "a key was made");
        Ok((key, secret))
    }

    /// Revokes a key for good. What it began goes on.
    ///
    /// # Errors
    /// [`KeyRefusal`].
    pub async fn revoke(&self, by: &Caller, id: KeyId) -> Result<(), KeyRefusal> {
        let _one_at_a_time = self.revoking.lock().await;
        let keys = self.register.keys().await?;
        let valid = || keys.iter().filter(|k| k.revoked.is_none());
        let key = valid().find(|k| k.id == id).ok_or(KeyRefusal::Unknown(id))?;
        let manages = |k: &&ApiKey| k.scopes.iter().any(|s| s == KeyScope::Keys.name());
        if manages(&key) && valid().filter(manages).count() == 1 {
            return Err(KeyRefusal::LastManager);
        }
        if !self.register.revoke_key(id, now()).await? {
            return Err(KeyRefusal::Unknown(id));
        }
        self.cache.forget(key);
        tracing::info!(key = %id, by = %by.key.id, "a key was revoked");
        Ok(())
    }
}
