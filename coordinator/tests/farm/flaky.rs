//! A ledger of sessions that fails on demand.

use async_trait::async_trait;
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::Session;
use mouthpiece_ports::records::{RecordsError, SessionFilter, SessionLedger};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Writes through to the real records, or not at all.
pub struct Flaky {
    inner: Arc<dyn SessionLedger>,
    away_for: AtomicU32,
    broken: AtomicBool,
    end_refused: Notify,
    assign_refused: Notify,
}

impl Flaky {
    pub fn new(inner: Arc<dyn SessionLedger>) -> Self {
        Self {
            inner,
            away_for: AtomicU32::new(0),
            broken: AtomicBool::new(false),
            end_refused: Notify::new(),
            assign_refused: Notify::new(),
        }
    }

    /// The next `n` batches meet a store that is away.
    pub fn fail_next(&self, n: u32) {
        self.away_for.store(n, Ordering::SeqCst);
    }

    /// From now on nothing can be written.
    pub fn break_now(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    pub fn mend(&self) {
        self.broken.store(false, Ordering::SeqCst);
    }

    /// Waits until a session's end was not written.
    pub async fn refused_end(&self) {
        bounded(self.end_refused.notified()).await;
    }

    /// Waits until an assignment was not written.
    pub async fn refused_assign(&self) {
        bounded(self.assign_refused.notified()).await;
    }
}

async fn bounded(refused: impl Future<Output = ()>) {
    tokio::time::timeout(Duration::from_secs(30), refused).await.unwrap();
}

#[async_trait]
impl SessionLedger for Flaky {
    async fn write(&self, batch: &[LedgerWrite]) -> Result<Vec<WriteOutcome>, RecordsError> {
        if self.broken.load(Ordering::SeqCst) {
            for write in batch {
                match write {
                    LedgerWrite::End { .. } => self.end_refused.notify_one(),
                    LedgerWrite::Assign { .. } => self.assign_refused.notify_one(),
                    _ => {}
                }
            }
            return Err(RecordsError::Broken("the disk is full".into()));
        }
        let less = |n: u32| n.checked_sub(1);
        if self.away_for.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return Err(RecordsError::Unavailable("locked".into()));
        }
        self.inner.write(batch).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, RecordsError> {
        self.inner.session(id).await
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, RecordsError> {
        self.inner.sessions(filter).await
    }

    async fn open_sessions(&self) -> Result<Vec<Session>, RecordsError> {
        self.inner.open_sessions().await
    }

    async fn repeated(&self, key: KeyId, token: &str) -> Result<Option<(String, SessionId)>, RecordsError> {
        self.inner.repeated(key, token).await
    }

    async fn check(&self) -> Result<(), RecordsError> {
        self.inner.check().await
    }
}
