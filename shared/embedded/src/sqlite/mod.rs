//! Records in one SQLite file.
//!
//! One connection writes, batch after batch, each in one transaction that is on the disk before the batch is answered
//! (WAL, `synchronous = FULL`). A few others read.

mod avatars;
mod errors;
mod keys;
mod open;
mod reports;
mod rows;
mod sessions;
mod write;

use async_trait::async_trait;
use errors::told;
use mouthpiece_domain::cost::{MachineHour, Price, UsageHour};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::ledger::{Write, Written};
use mouthpiece_domain::session::Session;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::{ApiKey, Avatar, Period, Records, RecordsError, SessionFilter};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, SqlitePool};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::Mutex;

/// Records in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
}

impl Sqlite {
    /// An error of this file, in words.
    fn told(&self) -> impl Fn(sqlx::Error) -> RecordsError + '_ {
        |e| told(&self.path, &e)
    }
}

#[async_trait]
impl Records for Sqlite {
    async fn write(&self, batch: &[Write]) -> Result<Vec<Written>, RecordsError> {
        let mut writer = self.writer.lock().await;
        // A dropped transaction is rolled back before the connection is used again.
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(self.told())?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            outcomes.push(write::apply(&mut transaction, write).await.map_err(self.told())?);
        }
        transaction.commit().await.map_err(self.told())?;
        Ok(outcomes)
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, RecordsError> {
        sessions::one(&self.readers, id).await.map_err(self.told())
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, RecordsError> {
        sessions::list(&self.readers, filter).await.map_err(self.told())
    }

    async fn open_sessions(&self) -> Result<Vec<Session>, RecordsError> {
        sessions::open(&self.readers).await.map_err(self.told())
    }

    async fn repeated(&self, key: KeyId, token: &str) -> Result<Option<(String, SessionId)>, RecordsError> {
        sessions::repeated(&self.readers, key, token).await.map_err(self.told())
    }

    async fn add_avatar(&self, avatar: &Avatar) -> Result<Avatar, RecordsError> {
        avatars::add(&mut *self.writer.lock().await, avatar).await.map_err(self.told())
    }

    async fn prepare_again(&self, id: AvatarId, prepared_by: SessionId) -> Result<(), RecordsError> {
        avatars::prepare_again(&mut *self.writer.lock().await, id, prepared_by).await.map_err(self.told())
    }

    async fn avatar(&self, id: AvatarId) -> Result<Option<Avatar>, RecordsError> {
        avatars::one(&self.readers, id).await.map_err(self.told())
    }

    async fn avatars(&self, key: Option<KeyId>, limit: u32) -> Result<Vec<Avatar>, RecordsError> {
        avatars::list(&self.readers, key, limit).await.map_err(self.told())
    }

    async fn remove_avatar(&self, id: AvatarId) -> Result<bool, RecordsError> {
        avatars::remove(&mut *self.writer.lock().await, id).await.map_err(self.told())
    }

    async fn add_key(&self, key: &ApiKey) -> Result<(), RecordsError> {
        keys::add(&mut *self.writer.lock().await, key).await.map_err(self.told())
    }

    async fn key_by_hash(&self, secret_hash: &str) -> Result<Option<ApiKey>, RecordsError> {
        keys::by_hash(&self.readers, secret_hash).await.map_err(self.told())
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, RecordsError> {
        keys::all(&self.readers).await.map_err(self.told())
    }

    async fn revoke_key(&self, id: KeyId, at: Wall) -> Result<bool, RecordsError> {
        keys::revoke(&mut *self.writer.lock().await, id, at).await.map_err(self.told())
    }

    async fn delivered_since(&self, key: KeyId, since: Wall) -> Result<Duration, RecordsError> {
        reports::delivered_since(&self.readers, key, since).await.map_err(self.told())
    }

    async fn add_prices(&self, prices: &[Price]) -> Result<(), RecordsError> {
        let mut writer = self.writer.lock().await;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(self.told())?;
        for price in prices {
            reports::add_price(&mut transaction, price).await.map_err(self.told())?;
        }
        transaction.commit().await.map_err(self.told())
    }

    async fn prices(&self) -> Result<Vec<Price>, RecordsError> {
        reports::prices(&self.readers).await.map_err(self.told())
    }

    async fn usage(&self, period: Period) -> Result<Vec<UsageHour>, RecordsError> {
        reports::usage(&self.readers, period).await.map_err(self.told())
    }

    async fn machines(&self, period: Period) -> Result<Vec<MachineHour>, RecordsError> {
        reports::machines(&self.readers, period).await.map_err(self.told())
    }

    async fn check(&self) -> Result<(), RecordsError> {
        let mut writer = self.writer.lock().await;
        let write = "UPDATE checks SET n = n + 1 WHERE id = 1";
        sqlx::query(write).execute(&mut *writer).await.map_err(self.told())?;
        sqlx::query("SELECT n FROM checks").fetch_one(&self.readers).await.map_err(self.told())?;
        Ok(())
    }
}
