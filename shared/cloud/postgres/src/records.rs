//! The records' four parts.

use crate::write::Batch;
use crate::{Postgres, avatars, books, errors, keys, retention, sessions};
use async_trait::async_trait;
use mouthpiece_domain::cost::{MachineHour, Price, UsageHour};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{BlobKey, Session};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::{
    ApiKey, Avatar, AvatarRegister, KeyRegister, Period, RecordsError, SessionFilter, SessionLedger, UsageBooks,
};
use sqlx::{Error, PgConnection};
use std::time::Duration;

async fn check(c: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("UPDATE checks SET n = n + 1 WHERE id = 1 RETURNING n").fetch_one(c).await?;
    Ok(())
}

#[async_trait]
impl SessionLedger for Postgres {
    async fn write(&self, batch: &[LedgerWrite]) -> Result<Vec<WriteOutcome>, RecordsError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let batch = Batch::new(batch).map_err(|e| errors::told(&self.pool.place, &e))?;
        call!(self, c => batch.write(c))
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, RecordsError> {
        call!(self, c => sessions::one(c, id))
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, RecordsError> {
        call!(self, c => sessions::list(c, filter))
    }

    async fn open_sessions(&self) -> Result<Vec<Session>, RecordsError> {
        call!(self, c => sessions::open(c))
    }

    async fn repeated(&self, key: KeyId, token: &str) -> Result<Option<(String, SessionId)>, RecordsError> {
        call!(self, c => sessions::repeated(c, key, token))
    }

    async fn check(&self) -> Result<(), RecordsError> {
        call!(self, c => check(c))
    }
}

#[async_trait]
impl AvatarRegister for Postgres {
    async fn use_upload(&self, content: &str, fresh: &BlobKey, at: Wall) -> Result<BlobKey, RecordsError> {
        self.uploaded(content, fresh, at).await
    }

    async fn add_avatar(&self, avatar: &Avatar) -> Result<Avatar, RecordsError> {
        call!(self, c => avatars::add(c, avatar))
    }

    async fn prepare_again(&self, id: AvatarId, prepared_by: SessionId) -> Result<(), RecordsError> {
        call!(self, c => avatars::prepare_again(c, id, prepared_by))
    }

    async fn avatar(&self, id: AvatarId) -> Result<Option<Avatar>, RecordsError> {
        call!(self, c => avatars::one(c, id))
    }

    async fn avatars(&self, key: Option<KeyId>, limit: u32) -> Result<Vec<Avatar>, RecordsError> {
        call!(self, c => avatars::list(c, key, limit))
    }

    async fn use_avatar(&self, id: AvatarId, at: Wall) -> Result<Option<Avatar>, RecordsError> {
        call!(self, c => avatars::take(c, id, at))
    }

    async fn remove_avatar(&self, id: AvatarId) -> Result<bool, RecordsError> {
        transaction!(self, c => retention::remove_avatar(c, id))
    }
}

#[async_trait]
impl KeyRegister for Postgres {
    async fn add_key(&self, key: &ApiKey) -> Result<(), RecordsError> {
        call!(self, c => keys::add(c, key))
    }

    async fn key_by_hash(&self, secret_hash: &str) -> Result<Option<ApiKey>, RecordsError> {
        call!(self, c => keys::by_hash(c, secret_hash))
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, RecordsError> {
        call!(self, c => keys::all(c))
    }

    async fn revoke_key(&self, id: KeyId, at: Wall) -> Result<bool, RecordsError> {
        call!(self, c => keys::revoke(c, id, at))
    }
}

#[async_trait]
impl UsageBooks for Postgres {
    async fn delivered_since(&self, key: KeyId, since: Wall) -> Result<Duration, RecordsError> {
        call!(self, c => books::delivered_since(c, key, since))
    }

    async fn add_prices(&self, prices: &[Price]) -> Result<(), RecordsError> {
        call!(self, c => books::add_prices(c, prices))
    }

    async fn prices(&self) -> Result<Vec<Price>, RecordsError> {
        call!(self, c => books::prices(c))
    }

    async fn usage(&self, period: Period) -> Result<Vec<UsageHour>, RecordsError> {
        call!(self, c => books::usage(c, period))
    }

    async fn machines(&self, period: Period) -> Result<Vec<MachineHour>, RecordsError> {
        call!(self, c => books::machines(c, period))
    }
}
