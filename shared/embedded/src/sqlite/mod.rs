//! Records in one SQLite file.
//!
//! One connection writes, batch after batch in the order of arrival, each in one transaction that is on the disk before the
//! batch is answered (WAL, `synchronous = FULL`). A few others read.

/// Carries something out on the writing connection (`c`) within a transaction: all of it or nothing, on the disk at the end.
macro_rules! transaction {
    ($sqlite:expr, $c:ident => $work:expr) => {{
        let mut writer = $sqlite.writer.lock().await;
        let result = match writer.begin().await {
            Ok($c) => $work.await,
            Err(e) => Err(e),
        };
        writer.finish(result).await.map_err($sqlite.told())
    }};
}

mod avatars;
mod errors;
mod keys;
mod migrations;
mod open;
mod passes;
mod reports;
mod retention;
mod rows;
mod sessions;
#[cfg(test)]
mod tests;
mod write;
mod writer;

use async_trait::async_trait;
use errors::told;
use mouthpiece_domain::cost::{MachineHour, Price, UsageHour};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{BlobKey, Session};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::{
    ApiKey, Avatar, AvatarRegister, KeyRegister, Period, RecordsError, SessionFilter, SessionLedger, UsageBooks,
};
use sqlx::pool::PoolConnection;
use sqlx::{Error, Sqlite as Db, SqliteConnection, SqlitePool};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use writer::Writer;

/// Records in one SQLite file, or in memory.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// None in memory: what one connection has there no other sees.
    readers: Option<SqlitePool>,
}

/// A connection to read from.
enum Reader<'a> {
    Own(PoolConnection<Db>),
    Shared(MutexGuard<'a, Writer>),
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Shared(writer) => writer.connection(),
        }
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Shared(writer) => writer.connection_mut(),
        }
    }
}

impl Sqlite {
    async fn reader(&self) -> Result<Reader<'_>, RecordsError> {
        match &self.readers {
            Some(readers) => readers.acquire().await.map(Reader::Own).map_err(self.told()),
            None => {
                let mut writer = self.writer.lock().await;
                writer.settle().await;
                Ok(Reader::Shared(writer))
            }
        }
    }

    /// An error of this file, in words.
    fn told(&self) -> impl Fn(Error) -> RecordsError + '_ {
        |e| told(&self.path, &e)
    }
}

#[async_trait]
impl SessionLedger for Sqlite {
    async fn write(&self, batch: &[LedgerWrite]) -> Result<Vec<WriteOutcome>, RecordsError> {
        transaction!(self, c => write::all(c, batch))
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, RecordsError> {
        sessions::one(&mut *self.reader().await?, id).await.map_err(self.told())
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, RecordsError> {
        sessions::list(&mut *self.reader().await?, filter).await.map_err(self.told())
    }

    async fn open_sessions(&self) -> Result<Vec<Session>, RecordsError> {
        sessions::open(&mut *self.reader().await?).await.map_err(self.told())
    }

    async fn repeated(&self, key: KeyId, token: &str) -> Result<Option<(String, SessionId)>, RecordsError> {
        sessions::repeated(&mut *self.reader().await?, key, token).await.map_err(self.told())
    }

    async fn check(&self) -> Result<(), RecordsError> {
        {
            let mut writer = self.writer.lock().await;
            let write = sqlx::query("UPDATE checks SET n = n + 1 WHERE id = 1");
            write.execute(writer.idle().await).await.map_err(self.told())?;
        }
        let read = sqlx::query("SELECT n FROM checks WHERE id = 1");
        read.fetch_one(&mut *self.reader().await?).await.map_err(self.told())?;
        Ok(())
    }
}

#[async_trait]
impl AvatarRegister for Sqlite {
    async fn use_upload(&self, content: &str, fresh: &BlobKey, at: Wall) -> Result<BlobKey, RecordsError> {
        transaction!(self, c => retention::use_upload(c, content, fresh, at))
    }

    async fn add_avatar(&self, avatar: &Avatar) -> Result<Avatar, RecordsError> {
        avatars::add(self.writer.lock().await.idle().await, avatar).await.map_err(self.told())
    }

    async fn prepare_again(&self, id: AvatarId, prepared_by: SessionId) -> Result<(), RecordsError> {
        avatars::prepare_again(self.writer.lock().await.idle().await, id, prepared_by).await.map_err(self.told())
    }

    async fn avatar(&self, id: AvatarId) -> Result<Option<Avatar>, RecordsError> {
        avatars::one(&mut *self.reader().await?, id).await.map_err(self.told())
    }

    async fn avatars(&self, key: Option<KeyId>, limit: u32) -> Result<Vec<Avatar>, RecordsError> {
        avatars::list(&mut *self.reader().await?, key, limit).await.map_err(self.told())
    }

    async fn use_avatar(&self, id: AvatarId, at: Wall) -> Result<Option<Avatar>, RecordsError> {
        transaction!(self, c => avatars::take(c, id, at))
    }

    async fn remove_avatar(&self, id: AvatarId) -> Result<bool, RecordsError> {
        transaction!(self, c => retention::remove_avatar(c, id))
    }
}

#[async_trait]
impl KeyRegister for Sqlite {
    async fn add_key(&self, key: &ApiKey) -> Result<(), RecordsError> {
        keys::add(self.writer.lock().await.idle().await, key).await.map_err(self.told())
    }

    async fn key_by_hash(&self, secret_hash: &str) -> Result<Option<ApiKey>, RecordsError> {
        keys::by_hash(&mut *self.reader().await?, secret_hash).await.map_err(self.told())
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, RecordsError> {
        keys::all(&mut *self.reader().await?).await.map_err(self.told())
    }

    async fn revoke_key(&self, id: KeyId, at: Wall) -> Result<bool, RecordsError> {
        keys::revoke(self.writer.lock().await.idle().await, id, at).await.map_err(self.told())
    }
}

#[async_trait]
impl UsageBooks for Sqlite {
    async fn delivered_since(&self, key: KeyId, since: Wall) -> Result<Duration, RecordsError> {
        reports::delivered_since(&mut *self.reader().await?, key, since).await.map_err(self.told())
    }

    async fn add_prices(&self, prices: &[Price]) -> Result<(), RecordsError> {
        transaction!(self, c => reports::add_prices(c, prices))
    }

    async fn prices(&self) -> Result<Vec<Price>, RecordsError> {
        reports::prices(&mut *self.reader().await?).await.map_err(self.told())
    }

    async fn usage(&self, period: Period) -> Result<Vec<UsageHour>, RecordsError> {
        reports::usage(&mut *self.reader().await?, period).await.map_err(self.told())
    }

    async fn machines(&self, period: Period) -> Result<Vec<MachineHour>, RecordsError> {
        reports::machines(&mut *self.reader().await?, period).await.map_err(self.told())
    }
}
