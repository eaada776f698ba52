//! The ledger of sessions.

use super::RecordsError;
use async_trait::async_trait;
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{Phase, Session, SessionKind};

/// Which sessions to list; newest first.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only this caller's.
    pub key: Option<KeyId>,
    /// Only of this kind.
    pub kind: Option<SessionKind>,
    /// Only in these phases; empty for all.
    pub phases: Vec<Phase>,
    /// Only of this avatar.
    pub avatar: Option<AvatarId>,
    /// Only older than this session (in order of ids, which grow with time).
    pub before: Option<SessionId>,
    /// At most so many, 1 to 500.
    pub limit: u32,
}

/// Records of sessions: written by the farm alone, read by whoever serves callers.
#[async_trait]
pub trait SessionLedger: Send + Sync {
    /// Carries out a batch in order, all or nothing durable when it returns. A write whose condition does not hold changes
    /// nothing and is told so; it does not stop the others. See [`LedgerWrite`] for the conditions.
    async fn write(&self, batch: &[LedgerWrite]) -> Result<Vec<WriteOutcome>, RecordsError>;

    /// One session.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, RecordsError>;

    /// Sessions, newest first.
    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, RecordsError>;

    /// All sessions that have not ended, oldest first.
    async fn open_sessions(&self) -> Result<Vec<Session>, RecordsError>;

    /// The session that an idempotency token made, and the fingerprint of what was asked for then.
    async fn repeated(&self, key: KeyId, token: &str) -> Result<Option<(String, SessionId)>, RecordsError>;

    /// Reads and writes a trifle, durably: what readiness is judged by.
    async fn check(&self) -> Result<(), RecordsError>;
}
