//! What is used, what may go, and what is leaving.
//!
//! Everything that gives out a name or takes one back is a transaction of the one connection that writes, so a thing is
//! either used before it is looked at, and stays, or is gone before it is asked for.

/// Uploads that were used last at `?1` or before and that nothing needs, at most `?2`; with a further condition.
macro_rules! free_uploads {
    ($and:literal) => {
        concat!(
            "SELECT key, content FROM uploads WHERE ",
            $and,
            "used <= ?1 AND NOT EXISTS (SELECT 1 FROM avatars WHERE portrait = key) \
             AND key NOT IN (SELECT json_extract(spec, '$.portrait') FROM sessions WHERE phase < 5) \
             AND key NOT IN (SELECT COALESCE(json_extract(spec, '$.speech'), '') FROM sessions WHERE phase < 5) \
             ORDER BY used, key LIMIT ?2"
        )
    };
}

mod removals;

pub(super) use removals::remove_avatar;

use super::Sqlite;
use super::rows::{self, blob, wrong};
use async_trait::async_trait;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::names;
use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_domain::session::{BlobKey, BlobKeyError};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::RecordsError;
use mouthpiece_ports::retention::{LeavingBlob, Removals, Retention};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};
use std::time::Duration;

/// What is old and free of a class, `?1` being the bound and `?2` the limit. In the words of a subquery the index of open
/// sessions applies, and it is evaluated once.
pub(super) fn old_and_free(class: RetentionClass) -> &'static str {
    match class {
        RetentionClass::Avatars => {
            "SELECT id FROM avatars WHERE used <= ?1 AND id NOT IN (SELECT avatar FROM sessions WHERE phase < 5) \
             ORDER BY used, id LIMIT ?2"
        }
        RetentionClass::Uploads => free_uploads!(""),
        RetentionClass::Results => {
            "SELECT id FROM sessions WHERE results_kept = 1 AND phase = 5 AND kind = 'render' AND updated <= ?1 \
             ORDER BY updated, id LIMIT ?2"
        }
        RetentionClass::Tokens => {
            "SELECT api_key, token FROM idempotency WHERE created <= ?1 \
             AND session NOT IN (SELECT id FROM sessions WHERE phase < 5) ORDER BY created, api_key, token LIMIT ?2"
        }
        RetentionClass::Sessions => {
            "SELECT id FROM sessions AS s WHERE phase = 5 AND let_go = 0 AND NOT (results_kept = 1 AND kind = 'render') \
             AND updated <= ?1 AND NOT EXISTS (SELECT 1 FROM idempotency WHERE session = s.id) \
             AND NOT EXISTS (SELECT 1 FROM avatars WHERE prepared_by = s.id) ORDER BY updated, id LIMIT ?2"
        }
        RetentionClass::Usage => {
            "SELECT session AS id, fence, hour, worker FROM usage WHERE hour <= ?1 - 3600000 \
             AND session NOT IN (SELECT id FROM sessions WHERE phase < 5) ORDER BY hour LIMIT ?2"
        }
    }
}

async fn found(
    c: &mut SqliteConnection,
    class: RetentionClass,
    bound: Wall,
    limit: u32,
) -> Result<Vec<SqliteRow>, Error> {
    sqlx::query(old_and_free(class)).bind(bound.0).bind(i64::from(limit)).fetch_all(c).await
}

/// Where an upload of this content lies, or is to be put.
pub(super) async fn use_upload(
    c: &mut SqliteConnection,
    content: &str,
    fresh: &BlobKey,
    at: Wall,
) -> Result<BlobKey, Error> {
    let known = "UPDATE uploads SET used = max(used, ?), unwanted = 0 WHERE content = ? RETURNING key";
    let row = sqlx::query(known).bind(at.0).bind(content).fetch_optional(&mut *c).await?;
    if let Some(row) = row {
        return key(&row);
    }
    let new = "INSERT INTO uploads (key, content, used) VALUES (?, ?, ?)";
    sqlx::query(new).bind(fresh.as_str()).bind(content).bind(at.0).execute(&mut *c).await?;
    // What was prepared from an earlier one will do for this one.
    if let Ok(folder) = names::prepared(content) {
        sqlx::query("DELETE FROM leaving WHERE key = ?").bind(folder.as_str()).execute(c).await?;
    }
    Ok(fresh.clone())
}

/// Lets go of what was found, within the transaction that found it.
async fn let_go(c: &mut SqliteConnection, class: RetentionClass, row: &SqliteRow, at: Wall) -> Result<(), Error> {
    match class {
        RetentionClass::Avatars => {
            sqlx::query("DELETE FROM avatars WHERE id = ?").bind(blob(rows::id(row, "id")?)).execute(c).await?;
        }
        RetentionClass::Tokens => {
            let query = sqlx::query("DELETE FROM idempotency WHERE api_key = ? AND token = ?");
            let token: String = row.try_get("token")?;
            query.bind(blob(rows::id(row, "api_key")?)).bind(token).execute(c).await?;
        }
        RetentionClass::Uploads => upload_leaves(c, row).await?,
        RetentionClass::Results => results_leave(c, SessionId(rows::id(row, "id")?), at).await?,
        RetentionClass::Sessions => {
            let id = rows::id(row, "id")?;
            let query = "UPDATE sessions SET let_go = 1, spec = '', metadata = '', ending = NULL WHERE id = ?";
            sqlx::query(query).bind(blob(id)).execute(&mut *c).await?;
            drop_row(c, id).await?;
        }
        RetentionClass::Usage => {
            let (id, worker) = (rows::id(row, "id")?, rows::id(row, "worker")?);
            let query = "DELETE FROM usage WHERE session = ? AND fence = ? AND hour = ? AND worker = ?";
            let (fence, hour): (i64, i64) = (row.try_get("fence")?, row.try_get("hour")?);
            let query = sqlx::query(query).bind(blob(id)).bind(fence).bind(hour).bind(blob(worker));
            query.execute(&mut *c).await?;
            drop_row(c, id).await?;
        }
    }
    Ok(())
}

async fn upload_leaves(c: &mut SqliteConnection, row: &SqliteRow) -> Result<(), Error> {
    let key = key(row)?;
    sqlx::query("DELETE FROM uploads WHERE key = ?").bind(key.as_str()).execute(&mut *c).await?;
    leave(c, &key, RetentionClass::Uploads).await?;
    // No face is made of it any more, so what was prepared from it is of no use either.
    if let Ok(folder) = names::prepared(row.try_get("content")?) {
        leave(c, &folder, RetentionClass::Avatars).await?;
    }
    Ok(())
}

/// Writes into a session's record that what it left was removed.
async fn results_leave(c: &mut SqliteConnection, id: SessionId, at: Wall) -> Result<(), Error> {
    let query = "UPDATE sessions SET results_kept = 0, ending = CASE \
         WHEN json_extract(ending, '$.output.blob') IS NULL THEN ending \
         ELSE json_set(ending, '$.output.blob', NULL, '$.output.removed', ?) END WHERE id = ?";
    sqlx::query(query).bind(at.0).bind(blob(id.0)).execute(&mut *c).await?;
    leave(c, &names::results(id).map_err(|e| no_key("id", e))?, RetentionClass::Results).await
}

/// Of a session whose record was let go of, the row when the books need it no more.
async fn drop_row(c: &mut SqliteConnection, id: u128) -> Result<(), Error> {
    let query = "DELETE FROM sessions WHERE id = ?1 AND let_go = 1 \
         AND NOT EXISTS (SELECT 1 FROM usage WHERE session = ?1)";
    sqlx::query(query).bind(blob(id)).execute(c).await?;
    Ok(())
}

/// Machine time and quotas, at most `limit` of each; machines of which nothing is left are forgotten.
async fn old_hours(c: &mut SqliteConnection, bound: Wall, limit: u32) -> Result<u32, Error> {
    let query = "DELETE FROM machine_hours WHERE (worker, hour) IN \
         (SELECT worker, hour FROM machine_hours WHERE hour <= ?1 - 3600000 ORDER BY hour LIMIT ?2) RETURNING worker";
    let machines = sqlx::query(query).bind(bound.0).bind(i64::from(limit)).fetch_all(&mut *c).await?;
    for row in &machines {
        let query = "DELETE FROM workers WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM machine_hours WHERE worker = ?1)";
        sqlx::query(query).bind(blob(rows::id(row, "worker")?)).execute(&mut *c).await?;
    }
    let gone = u32::try_from(machines.len()).unwrap_or(u32::MAX);
    let query = "DELETE FROM delivered WHERE (api_key, hour) IN \
         (SELECT api_key, hour FROM delivered WHERE hour <= ?1 - 3600000 ORDER BY hour LIMIT ?2)";
    let room = i64::from(limit.saturating_sub(gone));
    let quotas = sqlx::query(query).bind(bound.0).bind(room).execute(c).await?;
    Ok(gone.saturating_add(u32::try_from(quotas.rows_affected()).unwrap_or(u32::MAX)))
}

/// Whether there is anything to let go of, without keeping whoever writes waiting.
async fn is_any_old(c: &mut SqliteConnection, class: RetentionClass, bound: Wall) -> Result<bool, Error> {
    if !found(&mut *c, class, bound, 1).await?.is_empty() {
        return Ok(true);
    }
    if class != RetentionClass::Usage {
        return Ok(false);
    }
    let query = "SELECT EXISTS (SELECT 1 FROM machine_hours WHERE hour <= ?1 - 3600000) \
         OR EXISTS (SELECT 1 FROM delivered WHERE hour <= ?1 - 3600000)";
    sqlx::query_scalar(query).bind(bound.0).fetch_one(c).await
}

async fn leave(c: &mut SqliteConnection, key: &BlobKey, class: RetentionClass) -> Result<(), Error> {
    let query = "INSERT INTO leaving (key, class) VALUES (?, ?) ON CONFLICT (key) DO NOTHING";
    sqlx::query(query).bind(key.as_str()).bind(class.name()).execute(c).await?;
    Ok(())
}

fn no_key(column: &str, e: BlobKeyError) -> Error {
    wrong(column, e)
}

fn key(row: &SqliteRow) -> Result<BlobKey, Error> {
    BlobKey::new(row.try_get::<String, _>("key")?).map_err(|e| no_key("key", e))
}

fn leaving(row: &SqliteRow) -> Result<LeavingBlob, Error> {
    let word: &str = row.try_get("class")?;
    let class =
        RetentionClass::ALL.into_iter().find(|class| class.name() == word).ok_or_else(|| wrong("class", word))?;
    Ok(LeavingBlob { key: key(row)?, class })
}

#[async_trait]
impl Removals for Sqlite {
    async fn remove_results(&self, session: SessionId, at: Wall) -> Result<bool, RecordsError> {
        transaction!(self, c => removals::results_of(c, session, at))
    }
}

#[async_trait]
impl Retention for Sqlite {
    async fn let_go(&self, class: RetentionClass, bound: Wall, at: Wall, limit: u32) -> Result<u32, RecordsError> {
        // Most often there is nothing.
        if !is_any_old(&mut *self.reader().await?, class, bound).await.map_err(self.told())? {
            return Ok(0);
        }
        transaction!(self, c => all(c, class, bound, at, limit))
    }

    async fn leaving(&self, after: Option<&BlobKey>, limit: u32) -> Result<Vec<LeavingBlob>, RecordsError> {
        let query = "SELECT key, class FROM leaving WHERE key > ? ORDER BY key LIMIT ?";
        let query = sqlx::query(query).bind(after.map_or("", BlobKey::as_str).to_owned()).bind(i64::from(limit));
        let rows = query.fetch_all(&mut *self.reader().await?).await.map_err(self.told())?;
        rows.iter().map(leaving).collect::<Result<_, _>>().map_err(self.told())
    }

    async fn left(&self, keys: &[BlobKey]) -> Result<(), RecordsError> {
        transaction!(self, c => forget(c, keys))
    }

    async fn finish_removals(&self, at: Wall, limit: u32) -> Result<u32, RecordsError> {
        if !removals::are_any(&mut *self.reader().await?).await.map_err(self.told())? {
            return Ok(0);
        }
        transaction!(self, c => removals::finish(c, at, limit))
    }

    async fn turn(&self, _holder: u128, _lasts: Duration) -> Result<bool, RecordsError> {
        // A file has one farm.
        Ok(true)
    }

    async fn kept(&self, class: RetentionClass) -> Result<u64, RecordsError> {
        kept(&mut *self.reader().await?, class).await.map_err(self.told())
    }
}

async fn kept(c: &mut SqliteConnection, class: RetentionClass) -> Result<u64, Error> {
    let query = match class {
        RetentionClass::Avatars => "SELECT count(*) AS n FROM avatars",
        RetentionClass::Uploads => "SELECT count(*) AS n FROM uploads",
        RetentionClass::Results => {
            "SELECT count(*) AS n FROM sessions WHERE results_kept = 1 AND phase = 5 AND kind = 'render'"
        }
        RetentionClass::Tokens => "SELECT count(*) AS n FROM idempotency",
        RetentionClass::Sessions => "SELECT count(*) AS n FROM sessions WHERE let_go = 0",
        RetentionClass::Usage => "SELECT (SELECT count(*) FROM usage) + (SELECT count(*) FROM machine_hours) AS n",
    };
    rows::unsigned(&sqlx::query(query).fetch_one(c).await?, "n")
}

async fn all(c: &mut SqliteConnection, class: RetentionClass, bound: Wall, at: Wall, limit: u32) -> Result<u32, Error> {
    let found = found(c, class, bound, limit).await?;
    for row in &found {
        let_go(c, class, row, at).await?;
    }
    let gone = u32::try_from(found.len()).unwrap_or(u32::MAX);
    if class == RetentionClass::Usage {
        return Ok(gone.saturating_add(old_hours(c, bound, limit.saturating_sub(gone)).await?));
    }
    Ok(gone)
}

async fn forget(c: &mut SqliteConnection, keys: &[BlobKey]) -> Result<(), Error> {
    for key in keys {
        sqlx::query("DELETE FROM leaving WHERE key = ?").bind(key.as_str()).execute(&mut *c).await?;
    }
    Ok(())
}
