//! Records: sessions, avatars, keys, usage, prices.

use async_trait::async_trait;
use mouthpiece_domain::cost::{MachineHour, Price, UsageHour};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::ledger::{Write, Written};
use mouthpiece_domain::session::{BlobKey, Kind, Phase, Session};
use mouthpiece_domain::time::Wall;
use std::time::Duration;
use thiserror::Error;

/// Why the records cannot be read or written.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum RecordsError {
    /// It may go through when tried again: locked, full for the moment, unreachable.
    #[error("the record store cannot be used just now: {0}")]
    Unavailable(String),
    /// It will not get better by itself: a damaged file, a full disk, a schema from a newer program.
    #[error("the record store cannot be used: {0}")]
    Broken(String),
}

impl RecordsError {
    /// True when trying again later can help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// A registered portrait. Whether it is prepared is told by its session of kind prepare.
#[derive(Debug, Clone, PartialEq)]
pub struct Avatar {
    /// Its id.
    pub id: AvatarId,
    /// Whose it is.
    pub key: KeyId,
    /// A name for people, at most 100 characters; may be empty.
    pub name: String,
    /// SHA-256 of the portrait, 64 hexadecimal digits.
    pub content: String,
    /// The portrait as uploaded.
    pub portrait: BlobKey,
    /// Its media type, for example `image/png`.
    pub media_type: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Which face; the largest if none is named.
    pub face: Option<u32>,
    /// The session that prepares (or prepared) it.
    pub prepared_by: SessionId,
    /// When it was registered.
    pub created: Wall,
    /// When it was registered, registered again, or taken for a session last.
    pub used: Wall,
}

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

/// Which sessions to list; newest first.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only this caller's.
    pub key: Option<KeyId>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only in these phases; empty for all.
    pub phases: Vec<Phase>,
    /// Only of this avatar.
    pub avatar: Option<AvatarId>,
    /// Only older than this session (in order of ids, which grow with time).
    pub before: Option<SessionId>,
    /// At most so many, 1 to 500.
    pub limit: u32,
}

/// A half-open span of calendar time, `from <= t < to`, both at full hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Start.
    pub from: Wall,
    /// End.
    pub to: Wall,
}

/// Records of sessions, avatars, keys, usage and prices.
#[async_trait]
pub trait Records: Send + Sync {
    /// Carries out a batch in order, all or nothing durable when it returns. A write whose condition does not hold changes
    /// nothing and is told so; it does not stop the others. See [`Write`] for the conditions.
    async fn write(&self, batch: &[Write]) -> Result<Vec<Written>, RecordsError>;

    /// One session.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, RecordsError>;

    /// Sessions, newest first.
    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, RecordsError>;

    /// All sessions that have not ended, oldest first.
    async fn open_sessions(&self) -> Result<Vec<Session>, RecordsError>;

    /// The session that an idempotency token made, and the fingerprint of what was asked for then.
    async fn repeated(&self, key: KeyId, token: &str) -> Result<Option<(String, SessionId)>, RecordsError>;

    /// Uses an upload of this content (64 hexadecimal digits), and returns where it lies, or where it is to be put now:
    /// `fresh`, a key that was never used, unless the content is known. It stays at least for its age from `at` on, and as
    /// long as an avatar or an open session names it. Registered before it is stored, so that no blob is ever unknown.
    async fn use_upload(&self, content: &str, fresh: &BlobKey, at: Wall) -> Result<BlobKey, RecordsError>;

    /// Registers an avatar; when the caller has one of the same content and face, that is returned as it is, used now.
    async fn add_avatar(&self, avatar: &Avatar) -> Result<Avatar, RecordsError>;

    /// Points an avatar at another preparing session, after an earlier one ended without success.
    async fn prepare_again(&self, id: AvatarId, prepared_by: SessionId) -> Result<(), RecordsError>;

    /// One avatar.
    async fn avatar(&self, id: AvatarId) -> Result<Option<Avatar>, RecordsError>;

    /// Avatars, newest first, at most `limit` (1 to 500), of one caller or of all.
    async fn avatars(&self, key: Option<KeyId>, limit: u32) -> Result<Vec<Avatar>, RecordsError>;

    /// Takes an avatar, and its portrait, for a session that is about to be made; `None` when there is none any more. It
    /// stays at least for its age from `at` on.
    async fn use_avatar(&self, id: AvatarId, at: Wall) -> Result<Option<Avatar>, RecordsError>;

    /// Forgets an avatar; false when there is none. Sessions keep its id.
    async fn remove_avatar(&self, id: AvatarId) -> Result<bool, RecordsError>;

    /// Adds a key.
    async fn add_key(&self, key: &ApiKey) -> Result<(), RecordsError>;

    /// The key with this secret hash, revoked ones included.
    async fn key_by_hash(&self, secret_hash: &str) -> Result<Option<ApiKey>, RecordsError>;

    /// All keys, oldest first.
    async fn keys(&self) -> Result<Vec<ApiKey>, RecordsError>;

    /// Revokes a key; false when there is no such valid key.
    async fn revoke_key(&self, id: KeyId, at: Wall) -> Result<bool, RecordsError>;

    /// What a caller's sessions delivered since the start of an hour.
    async fn delivered_since(&self, key: KeyId, since: Wall) -> Result<Duration, RecordsError>;

    /// Adds prices; one of the same instance type and start replaces the old one.
    async fn add_prices(&self, prices: &[Price]) -> Result<(), RecordsError>;

    /// All prices, by instance type and start.
    async fn prices(&self) -> Result<Vec<Price>, RecordsError>;

    /// Usage booked in a period, an entry a session, worker and hour. A worker of which no machine time was booked has an
    /// empty instance type.
    async fn usage(&self, period: Period) -> Result<Vec<UsageHour>, RecordsError>;

    /// Machine time booked in a period, an entry a worker and hour.
    async fn machines(&self, period: Period) -> Result<Vec<MachineHour>, RecordsError>;

    /// Reads and writes a trifle, durably: what readiness is judged by.
    async fn check(&self) -> Result<(), RecordsError>;
}
