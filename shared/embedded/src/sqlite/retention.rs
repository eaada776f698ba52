//! What is used, what may go, and what is leaving.
//!
//! Everything that gives out a name or takes one back is a transaction of the one connection that writes, so a thing is
//! either used before it is looked at, and stays, or is gone before it is asked for.

use super::Sqlite;
use super::rows::{self, blob, wrong};
use async_trait::async_trait;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::names;
use mouthpiece_domain::retention::Class;
use mouthpiece_domain::session::{BlobKey, BlobKeyError};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::RecordsError;
use mouthpiece_ports::retention::{Leaving, Retention};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

/// What is old and free of a class, `?1` being the bound and `?2` the limit. In the words of a subquery the index of open
/// sessions applies, and it is evaluated once.
pub(super) fn old_and_free(class: Class) -> &'static str {
    match class {
        Class::Avatars => {
            "SELECT id FROM avatars WHERE used <= ?1 AND id NOT IN (SELECT avatar FROM sessions WHERE phase < 5) \
             ORDER BY used, id LIMIT ?2"
        }
        Class::Uploads => {
            "SELECT key, content FROM uploads WHERE used <= ?1 \
             AND NOT EXISTS (SELECT 1 FROM avatars WHERE portrait = key) \
             AND key NOT IN (SELECT json_extract(spec, '$.portrait') FROM sessions WHERE phase < 5) \
             AND key NOT IN (SELECT COALESCE(json_extract(spec, '$.speech'), '') FROM sessions WHERE phase < 5) \
             ORDER BY used, key LIMIT ?2"
        }
        Class::Results => {
            "SELECT id FROM sessions WHERE results_kept = 1 AND phase = 5 AND kind = 'render' AND updated <= ?1 \
             ORDER BY updated, id LIMIT ?2"
        }
        Class::Tokens => {
            "SELECT api_key, token FROM idempotency WHERE created <= ?1 \
             AND session NOT IN (SELECT id FROM sessions WHERE phase < 5) ORDER BY created, api_key, token LIMIT ?2"
        }
    }
}

async fn found(c: &mut SqliteConnection, class: Class, bound: Wall, limit: u32) -> Result<Vec<SqliteRow>, Error> {
    sqlx::query(old_and_free(class)).bind(bound.0).bind(i64::from(limit)).fetch_all(c).await
}

/// Where an upload of this content lies, or is to be put.
pub(super) async fn use_upload(
    c: &mut SqliteConnection,
    content: &str,
    fresh: &BlobKey,
    at: Wall,
) -> Result<BlobKey, Error> {
    let known = "UPDATE uploads SET used = max(used, ?) WHERE content = ? RETURNING key";
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
async fn let_go(c: &mut SqliteConnection, class: Class, row: &SqliteRow, at: Wall) -> Result<(), Error> {
    match class {
        Class::Avatars => {
            sqlx::query("DELETE FROM avatars WHERE id = ?").bind(blob(rows::id(row, "id")?)).execute(c).await?;
        }
        Class::Tokens => {
            let query = sqlx::query("DELETE FROM idempotency WHERE api_key = ? AND token = ?");
            let token: String = row.try_get("token")?;
            query.bind(blob(rows::id(row, "api_key")?)).bind(token).execute(c).await?;
        }
        Class::Uploads => {
            let key = key(row)?;
            sqlx::query("DELETE FROM uploads WHERE key = ?").bind(key.as_str()).execute(&mut *c).await?;
            leave(c, &key, Class::Uploads).await?;
            // No face is made of it any more, so what was prepared from it is of no use either.
            if let Ok(folder) = names::prepared(row.try_get("content")?) {
                leave(c, &folder, Class::Avatars).await?;
            }
        }
        Class::Results => {
            let id = SessionId(rows::id(row, "id")?);
            let query = "UPDATE sessions SET results_kept = 0, ending = CASE \
                 WHEN json_extract(ending, '$.output.blob') IS NULL THEN ending \
                 ELSE json_set(ending, '$.output.blob', NULL, '$.output.removed', ?) END WHERE id = ?";
            sqlx::query(query).bind(at.0).bind(blob(id.0)).execute(&mut *c).await?;
            leave(c, &names::results(id).map_err(|e| no_key("id", e))?, Class::Results).await?;
        }
    }
    Ok(())
}

async fn leave(c: &mut SqliteConnection, key: &BlobKey, class: Class) -> Result<(), Error> {
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

fn leaving(row: &SqliteRow) -> Result<Leaving, Error> {
    let word: &str = row.try_get("class")?;
    let class = Class::ALL.into_iter().find(|class| class.name() == word).ok_or_else(|| wrong("class", word))?;
    Ok(Leaving { key: key(row)?, class })
}

#[async_trait]
impl Retention for Sqlite {
    async fn let_go(&self, class: Class, bound: Wall, at: Wall, limit: u32) -> Result<u32, RecordsError> {
        // Most often there is nothing, and whoever writes is not kept waiting for that.
        let some = found(&mut *self.reader().await?, class, bound, 1).await.map_err(self.told())?;
        if some.is_empty() {
            return Ok(0);
        }
        transaction!(self, c => all(c, class, bound, at, limit))
    }

    async fn leaving(&self, after: Option<&BlobKey>, limit: u32) -> Result<Vec<Leaving>, RecordsError> {
        let query = "SELECT key, class FROM leaving WHERE key > ? ORDER BY key LIMIT ?";
        let query = sqlx::query(query).bind(after.map_or("", BlobKey::as_str).to_owned()).bind(i64::from(limit));
        let rows = query.fetch_all(&mut *self.reader().await?).await.map_err(self.told())?;
        rows.iter().map(leaving).collect::<Result<_, _>>().map_err(self.told())
    }

    async fn left(&self, keys: &[BlobKey]) -> Result<(), RecordsError> {
        transaction!(self, c => forget(c, keys))
    }
}

async fn all(c: &mut SqliteConnection, class: Class, bound: Wall, at: Wall, limit: u32) -> Result<u32, Error> {
    let found = found(c, class, bound, limit).await?;
    for row in &found {
        let_go(c, class, row, at).await?;
    }
    Ok(u32::try_from(found.len()).unwrap_or(u32::MAX))
}

async fn forget(c: &mut SqliteConnection, keys: &[BlobKey]) -> Result<(), Error> {
    for key in keys {
        sqlx::query("DELETE FROM leaving WHERE key = ?").bind(key.as_str()).execute(&mut *c).await?;
    }
    Ok(())
}
