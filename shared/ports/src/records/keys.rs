//! API keys.

use super::RecordsError;
use async_trait::async_trait;
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::time::Wall;

/// An API key as it is kept: the secret itself is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// A name for people.
    pub name: String,
    /// SHA-256 of the secret, 64 hexadecimal digits. Secrets are random and long, so no slow hash is needed.
    pub secret_hash: String,
    /// What it may do; words that the HTTP layer knows.
    pub scopes: Vec<String>,
    /// Sessions that may be open at a time.
    pub max_open: u32,
    /// Delivered minutes a UTC day; `None`: no bound.
    pub minutes_per_day: Option<u32>,
    /// When it was made.
    pub created: Wall,
    /// When it was revoked.
    pub revoked: Option<Wall>,
}

/// Records of API keys.
#[async_trait]
pub trait KeyRegister: Send + Sync {
    /// Adds a key.
    async fn add_key(&self, key: &ApiKey) -> Result<(), RecordsError>;

    /// The key with this secret hash, revoked ones included.
    async fn key_by_hash(&self, secret_hash: &str) -> Result<Option<ApiKey>, RecordsError>;

    /// All keys, oldest first.
    async fn keys(&self) -> Result<Vec<ApiKey>, RecordsError>;

    /// Revokes a key; false when there is no such valid key.
    async fn revoke_key(&self, id: KeyId, at: Wall) -> Result<bool, RecordsError>;
}
