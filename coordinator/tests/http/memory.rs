//! Ports in memory that a test can take away.

use async_trait::async_trait;
use bytes::Bytes;
use mouthpiece_domain::cost::{MachineHour, Price, UsageHour};
use mouthpiece_domain::fleet::{Heartbeat, Hold};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{BlobKey, Phase, Session};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::blobs::{BlobError, BlobReader, Blobs, LinkHeaders};
use mouthpiece_ports::passes::{Pass, PassKind, Passes};
use mouthpiece_ports::pool::{Pool, PoolError};
use mouthpiece_ports::records::{
    ApiKey, Avatar, AvatarRegister, KeyRegister, Period, RecordsError, SessionFilter, SessionLedger, UsageBooks,
};
use mouthpiece_ports::retention::Removals;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// Every store in one. `away` makes all of it fail.
#[derive(Default)]
pub struct Memory {
    pub away: AtomicBool,
    pub kept: Mutex<Kept>,
}

#[derive(Default)]
pub struct Kept {
    pub sessions: BTreeMap<SessionId, Session>,
    pub tokens: HashMap<(KeyId, String), (String, SessionId)>,
    pub avatars: BTreeMap<AvatarId, Avatar>,
    /// Where each content lies.
    pub uploads: HashMap<String, BlobKey>,
    pub keys: Vec<ApiKey>,
    pub passes: Vec<Pass>,
    pub delivered: Duration,
    pub blobs: HashMap<BlobKey, Bytes>,
}

impl Memory {
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    pub fn go_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    fn records(&self) -> Result<MutexGuard<'_, Kept>, RecordsError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(RecordsError::Unavailable("taken away by the test".into()));
        }
        Ok(self.kept())
    }

    fn stored(&self) -> Result<MutexGuard<'_, Kept>, BlobError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(BlobError::Unavailable("taken away by the test".into()));
        }
        Ok(self.kept())
    }
}

#[async_trait]
impl Passes for Memory {
    async fn add_pass(&self, pass: &Pass, most: u32, now: Wall) -> Result<(), RecordsError> {
        let mut kept = self.records()?;
        kept.passes.retain(|p| p.expires > now);
        kept.passes.sort_by_key(|p| p.expires);
        let of_key = |p: &Pass| (p.kind, p.key) == (pass.kind, pass.key);
        while kept.passes.iter().filter(|p| of_key(p)).count() >= most as usize {
            let first = kept.passes.iter().position(of_key).unwrap();
            kept.passes.remove(first);
        }
        kept.passes.push(pass.clone());
        Ok(())
    }

    async fn pass(&self, kind: PassKind, hash: &str, now: Wall) -> Result<Option<Pass>, RecordsError> {
        let kept = self.records()?;
        Ok(kept.passes.iter().find(|p| p.kind == kind && p.hash == hash && p.expires > now).cloned())
    }

    async fn take_pass(&self, kind: PassKind, hash: &str, now: Wall) -> Result<Option<Pass>, RecordsError> {
        let mut kept = self.records()?;
        let found = kept.passes.iter().position(|p| p.kind == kind && p.hash == hash && p.expires > now);
        Ok(found.map(|at| kept.passes.remove(at)))
    }

    async fn extend_pass(&self, kind: PassKind, hash: &str, expires: Wall) -> Result<(), RecordsError> {
        let mut kept = self.records()?;
        kept.passes.iter_mut().filter(|p| p.kind == kind && p.hash == hash).for_each(|p| p.expires = expires);
        Ok(())
    }
}

#[async_trait]
impl SessionLedger for Memory {
    /// Writing is the farm's; the tests' farm writes by itself.
    async fn write(&self, _: &[LedgerWrite]) -> Result<Vec<WriteOutcome>, RecordsError> {
        Err(RecordsError::Broken("handlers never write sessions".into()))
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, RecordsError> {
        Ok(self.records()?.sessions.get(&id).cloned())
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, RecordsError> {
        let kept = self.records()?;
        let wanted = kept.sessions.values().rev().filter(|s| {
            filter.key.is_none_or(|k| k == s.key)
                && filter.kind.is_none_or(|k| k == s.kind)
                && (filter.phases.is_empty() || filter.phases.contains(&s.phase))
                && filter.avatar.is_none_or(|a| a == s.avatar)
                && filter.before.is_none_or(|b| s.id < b)
        });
        Ok(wanted.take(filter.limit as usize).cloned().collect())
    }

    async fn open_sessions(&self) -> Result<Vec<Session>, RecordsError> {
        Ok(self.records()?.sessions.values().filter(|s| s.phase < Phase::Ended).cloned().collect())
    }

    async fn repeated(&self, key: KeyId, token: &str) -> Result<Option<(String, SessionId)>, RecordsError> {
        Ok(self.records()?.tokens.get(&(key, token.to_owned())).cloned())
    }

    async fn check(&self) -> Result<(), RecordsError> {
        self.records().map(drop)
    }
}

#[async_trait]
impl AvatarRegister for Memory {
    async fn use_upload(&self, content: &str, fresh: &BlobKey, _: Wall) -> Result<BlobKey, RecordsError> {
        Ok(self.records()?.uploads.entry(content.to_owned()).or_insert_with(|| fresh.clone()).clone())
    }

    async fn add_avatar(&self, avatar: &Avatar) -> Result<Avatar, RecordsError> {
        let mut kept = self.records()?;
        let same = |a: &&Avatar| (a.key, &a.content, a.face) == (avatar.key, &avatar.content, avatar.face);
        if let Some(known) = kept.avatars.values().find(same) {
            return Ok(known.clone());
        }
        kept.avatars.insert(avatar.id, avatar.clone());
        Ok(avatar.clone())
    }

    async fn prepare_again(&self, id: AvatarId, prepared_by: SessionId) -> Result<(), RecordsError> {
        if let Some(avatar) = self.records()?.avatars.get_mut(&id) {
            avatar.prepared_by = prepared_by;
        }
        Ok(())
    }

    async fn avatar(&self, id: AvatarId) -> Result<Option<Avatar>, RecordsError> {
        Ok(self.records()?.avatars.get(&id).cloned())
    }

    async fn avatars(&self, key: Option<KeyId>, limit: u32) -> Result<Vec<Avatar>, RecordsError> {
        let kept = self.records()?;
        let wanted = kept.avatars.values().rev().filter(|a| key.is_none_or(|k| k == a.key));
        Ok(wanted.take(limit as usize).cloned().collect())
    }

    async fn use_avatar(&self, id: AvatarId, at: Wall) -> Result<Option<Avatar>, RecordsError> {
        let mut kept = self.records()?;
        let Some(avatar) = kept.avatars.get_mut(&id) else { return Ok(None) };
        avatar.used = avatar.used.max(at);
        Ok(Some(avatar.clone()))
    }

    async fn remove_avatar(&self, id: AvatarId) -> Result<bool, RecordsError> {
        Ok(self.records()?.avatars.remove(&id).is_some())
    }
}

#[async_trait]
impl Removals for Memory {
    async fn remove_results(&self, session: SessionId, at: Wall) -> Result<bool, RecordsError> {
        let mut kept = self.records()?;
        let Some(end) = kept.sessions.get_mut(&session).and_then(|session| session.end.as_mut()) else {
            return Ok(false);
        };
        if let Some(output) = end.output.as_mut() {
            (output.blob, output.removed) = (None, Some(at));
        }
        Ok(true)
    }
}

#[async_trait]
impl KeyRegister for Memory {
    async fn add_key(&self, key: &ApiKey) -> Result<(), RecordsError> {
        self.records()?.keys.push(key.clone());
        Ok(())
    }

    async fn key_by_hash(&self, secret_hash: &str) -> Result<Option<ApiKey>, RecordsError> {
        Ok(self.records()?.keys.iter().find(|k| k.secret_hash == secret_hash).cloned())
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, RecordsError> {
        Ok(self.records()?.keys.clone())
    }

    async fn revoke_key(&self, id: KeyId, at: Wall) -> Result<bool, RecordsError> {
        let mut kept = self.records()?;
        let key = kept.keys.iter_mut().find(|k| k.id == id && k.revoked.is_none());
        Ok(key.map(|k| k.revoked = Some(at)).is_some())
    }
}

#[async_trait]
impl UsageBooks for Memory {
    async fn delivered_since(&self, _: KeyId, _: Wall) -> Result<Duration, RecordsError> {
        Ok(self.records()?.delivered)
    }

    async fn add_prices(&self, _: &[Price]) -> Result<(), RecordsError> {
        Ok(())
    }

    async fn prices(&self) -> Result<Vec<Price>, RecordsError> {
        self.records().map(|_| Vec::new())
    }

    async fn usage(&self, _: Period) -> Result<Vec<UsageHour>, RecordsError> {
        self.records().map(|_| Vec::new())
    }

    async fn machines(&self, _: Period) -> Result<Vec<MachineHour>, RecordsError> {
        self.records().map(|_| Vec::new())
    }
}

/// Reads a blob in small pieces.
struct Pieces(Bytes);

#[async_trait]
impl BlobReader for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        let length = self.0.len().min(1000);
        Ok((length > 0).then(|| self.0.split_to(length)))
    }
}

#[async_trait]
impl Blobs for Memory {
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError> {
        self.stored()?.blobs.insert(key.clone(), content);
        Ok(())
    }

    async fn put_file(&self, key: &BlobKey, file: &Path) -> Result<(), BlobError> {
        self.put(key, std::fs::read(file).unwrap().into()).await
    }

    async fn get(&self, key: &BlobKey, _: u64) -> Result<Bytes, BlobError> {
        self.stored()?.blobs.get(key).cloned().ok_or_else(|| BlobError::Missing(key.clone()))
    }

    async fn local(&self, key: &BlobKey, _: &Path) -> Result<PathBuf, BlobError> {
        Err(BlobError::Missing(key.clone()))
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, BlobError> {
        Ok(self.stored()?.blobs.get(key).map(|b| b.len() as u64))
    }

    async fn read(&self, key: &BlobKey, start: u64, length: u64) -> Result<Box<dyn BlobReader>, BlobError> {
        let whole = self.get(key, u64::MAX).await?;
        let (start, length) = (usize::try_from(start).unwrap(), usize::try_from(length).unwrap());
        Ok(Box::new(Pieces(whole.slice(start..whole.len().min(start + length)))))
    }

    async fn delete(&self, key: &BlobKey) -> Result<bool, BlobError> {
        Ok(self.stored()?.blobs.remove(key).is_some())
    }

    async fn list(&self, folder: &BlobKey, most: usize) -> Result<Vec<(BlobKey, u64)>, BlobError> {
        let below = format!("{folder}/");
        let kept = self.stored()?;
        let found = kept.blobs.iter().filter(|(key, _)| key.as_str().starts_with(&below));
        Ok(found.map(|(key, content)| (key.clone(), content.len() as u64)).take(most).collect())
    }

    async fn link(
        &self,
        key: &BlobKey,
        lifetime: Duration,
        headers: &LinkHeaders,
    ) -> Result<Option<String>, BlobError> {
        self.stored().map(drop)?;
        Ok(Some(format!("http://127.0.0.1:1/{key}?for={}&as={}", lifetime.as_secs(), headers.media_type)))
    }

    async fn check(&self) -> Result<(), BlobError> {
        self.stored().map(drop)
    }
}

/// Handlers ask this only whether it is well.
pub struct Well;

#[async_trait]
impl Pool for Well {
    async fn claim(&self, _: &Hold, _: Duration) -> Result<bool, PoolError> {
        Ok(false)
    }

    async fn renew(&self, _: &Hold, _: Duration) -> Result<bool, PoolError> {
        Ok(false)
    }

    async fn release(&self, _: &Hold) -> Result<bool, PoolError> {
        Ok(false)
    }

    async fn remaining(&self, _: &Hold) -> Result<Option<Duration>, PoolError> {
        Ok(None)
    }

    async fn announce(&self, _: &Heartbeat, _: Duration) -> Result<(), PoolError> {
        Ok(())
    }

    async fn forget(&self, _: WorkerId) -> Result<(), PoolError> {
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<Heartbeat>, PoolError> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Result<(), PoolError> {
        Ok(())
    }
}
