//! Records that fail on demand.

use async_trait::async_trait;
use mouthpiece_domain::cost::{MachineHour, Price, UsageHour};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::ledger::{Write, Written};
use mouthpiece_domain::session::{BlobKey, Session};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::{ApiKey, Avatar, Period, Records, RecordsError, SessionFilter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Writes through to the real records, or not at all.
pub struct Flaky {
    inner: Arc<dyn Records>,
    away_for: AtomicU32,
    broken: AtomicBool,
    end_refused: Notify,
    assign_refused: Notify,
}

impl Flaky {
    pub fn new(inner: Arc<dyn Records>) -> Self {
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
impl Records for Flaky {
    async fn write(&self, batch: &[Write]) -> Result<Vec<Written>, RecordsError> {
        if self.broken.load(Ordering::SeqCst) {
            for write in batch {
                match write {
                    Write::End { .. } => self.end_refused.notify_one(),
                    Write::Assign { .. } => self.assign_refused.notify_one(),
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

    async fn use_upload(&self, content: &str, fresh: &BlobKey, at: Wall) -> Result<BlobKey, RecordsError> {
        self.inner.use_upload(content, fresh, at).await
    }

    async fn add_avatar(&self, avatar: &Avatar) -> Result<Avatar, RecordsError> {
        self.inner.add_avatar(avatar).await
    }

    async fn prepare_again(&self, id: AvatarId, prepared_by: SessionId) -> Result<(), RecordsError> {
        self.inner.prepare_again(id, prepared_by).await
    }

    async fn avatar(&self, id: AvatarId) -> Result<Option<Avatar>, RecordsError> {
        self.inner.avatar(id).await
    }

    async fn avatars(&self, key: Option<KeyId>, limit: u32) -> Result<Vec<Avatar>, RecordsError> {
        self.inner.avatars(key, limit).await
    }

    async fn use_avatar(&self, id: AvatarId, at: Wall) -> Result<Option<Avatar>, RecordsError> {
        self.inner.use_avatar(id, at).await
    }

    async fn remove_avatar(&self, id: AvatarId) -> Result<bool, RecordsError> {
        self.inner.remove_avatar(id).await
    }

    async fn add_key(&self, key: &ApiKey) -> Result<(), RecordsError> {
        self.inner.add_key(key).await
    }

    async fn key_by_hash(&self, secret_hash: &str) -> Result<Option<ApiKey>, RecordsError> {
        self.inner.key_by_hash(secret_hash).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, RecordsError> {
        self.inner.keys().await
    }

    async fn revoke_key(&self, id: KeyId, at: Wall) -> Result<bool, RecordsError> {
        self.inner.revoke_key(id, at).await
    }

    async fn delivered_since(&self, key: KeyId, since: Wall) -> Result<Duration, RecordsError> {
        self.inner.delivered_since(key, since).await
    }

    async fn add_prices(&self, prices: &[Price]) -> Result<(), RecordsError> {
        self.inner.add_prices(prices).await
    }

    async fn prices(&self) -> Result<Vec<Price>, RecordsError> {
        self.inner.prices().await
    }

    async fn usage(&self, period: Period) -> Result<Vec<UsageHour>, RecordsError> {
        self.inner.usage(period).await
    }

    async fn machines(&self, period: Period) -> Result<Vec<MachineHour>, RecordsError> {
        self.inner.machines(period).await
    }

    async fn check(&self) -> Result<(), RecordsError> {
        self.inner.check().await
    }
}
