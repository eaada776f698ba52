//! What is used, what may go, and what is leaving.
//!
//! Whatever gives out a name writes its row, and whatever lets go of one locks that row and looks at it again as it is then:
//! so a thing is either used before it is looked at, and stays, or is gone before it is asked for. Rows that somebody else holds
//! are passed over: they are in use, or another coordinator lets go of them.

mod old;
mod removals;

pub(crate) use old::take;
pub(crate) use removals::remove_avatar;

use crate::Postgres;
use crate::rows::{self, Id, wrong};
use async_trait::async_trait;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::names;
use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_domain::session::{BlobKey, BlobKeyError, SessionEnd};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::RecordsError;
use mouthpiece_ports::retention::{LeavingBlob, Removals, Retention};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Error, Row as _};
use std::time::Duration;

/// Where an upload of this content lies, or is to be put. Two statements, so that the second sees what was let go of while the
/// first waited for it.
async fn use_upload(c: &mut PgConnection, content: &str, fresh: &BlobKey, at: Wall) -> Result<BlobKey, Error> {
    let query = "INSERT INTO uploads AS u (key, content, used) VALUES ($1, $2, $3) \
         ON CONFLICT (content) DO UPDATE SET used = GREATEST(u.used, excluded.used), unwanted = FALSE RETURNING key";
    let row = sqlx::query(query).bind(fresh.as_str()).bind(content).bind(at.0).fetch_one(&mut *c).await?;
    let key = rows::blob_key(&row, "key")?;
    // What was prepared from an earlier one will do for this one.
    if let Some(folder) = names::prepared(content).ok().filter(|_| key == *fresh) {
        sqlx::query("DELETE FROM leaving WHERE key = $1").bind(folder.as_str()).execute(c).await?;
    }
    Ok(key)
}

impl Postgres {
    pub(crate) async fn uploaded(&self, content: &str, fresh: &BlobKey, at: Wall) -> Result<BlobKey, RecordsError> {
        transaction!(self, c => use_upload(c, content, fresh, at))
    }
}

async fn let_go(c: &mut PgConnection, class: RetentionClass, bound: Wall, at: Wall, limit: u32) -> Result<u32, Error> {
    let taken = sqlx::query(take(class)).bind(bound.0).bind(i64::from(limit)).fetch_all(&mut *c).await?;
    let gone = u32::try_from(taken.len()).unwrap_or(u32::MAX);
    match class {
        RetentionClass::Avatars | RetentionClass::Tokens => {}
        RetentionClass::Uploads => uploads_leave(c, &taken).await?,
        RetentionClass::Results => results_leave(c, &taken, at).await?,
        RetentionClass::Sessions => drop_rows(c, &taken).await?,
        RetentionClass::Usage => {
            drop_rows(c, &taken).await?;
            return Ok(gone.saturating_add(old_hours(c, bound, limit.saturating_sub(gone)).await?));
        }
    }
    Ok(gone)
}

async fn uploads_leave(c: &mut PgConnection, taken: &[PgRow]) -> Result<(), Error> {
    let mut leaving = Vec::new();
    for row in taken {
        leaving.push((rows::blob_key(row, "key")?, RetentionClass::Uploads));
        // No face is made of it any more, so what was prepared from it is of no use either.
        leaving.extend(names::prepared(row.try_get("content")?).ok().map(|folder| (folder, RetentionClass::Avatars)));
    }
    leave(c, leaving).await
}

async fn results_leave(c: &mut PgConnection, taken: &[PgRow], at: Wall) -> Result<(), Error> {
    let mut leaving = Vec::new();
    for id in remove_results(&mut *c, taken, at).await? {
        leaving.push((names::results(SessionId(id.0)).map_err(|e| no_key("id", e))?, RetentionClass::Results));
    }
    leave(c, leaving).await
}

/// Of the sessions whose records were let go of, the rows that the books need no more.
async fn drop_rows(c: &mut PgConnection, taken: &[PgRow]) -> Result<(), Error> {
    let query = "DELETE FROM sessions AS s WHERE s.id = ANY ($1) AND s.let_go \
         AND NOT EXISTS (SELECT 1 FROM usage AS u WHERE u.session = s.id)";
    sqlx::query(query).bind(ids(taken)?).execute(c).await?;
    Ok(())
}

/// Machine time and quotas, at most `limit` of both; machines of which nothing is left are forgotten.
async fn old_hours(c: &mut PgConnection, bound: Wall, limit: u32) -> Result<u32, Error> {
    let machines = sqlx::query(old::OLD_MACHINES).bind(bound.0).bind(i64::from(limit)).fetch_all(&mut *c).await?;
    let query = "DELETE FROM workers AS w WHERE w.id = ANY ($1) \
         AND NOT EXISTS (SELECT 1 FROM machine_hours AS m WHERE m.worker = w.id)";
    sqlx::query(query).bind(ids(&machines)?).execute(&mut *c).await?;
    let gone = u32::try_from(machines.len()).unwrap_or(u32::MAX);
    let room = i64::from(limit.saturating_sub(gone));
    let quotas = sqlx::query(old::OLD_QUOTAS).bind(bound.0).bind(room).fetch_all(c).await?;
    Ok(gone.saturating_add(u32::try_from(quotas.len()).unwrap_or(u32::MAX)))
}

fn ids(rows: &[PgRow]) -> Result<Vec<Id>, Error> {
    rows.iter().map(|row| row.try_get("id")).collect()
}

/// Writes into the records of these sessions that what they left was removed.
async fn remove_results(c: &mut PgConnection, taken: &[PgRow], at: Wall) -> Result<Vec<Id>, Error> {
    let (mut ids, mut endings) = (Vec::new(), Vec::new());
    for row in taken {
        let ending: Option<&str> = row.try_get("ending")?;
        let mut end: Option<SessionEnd> = ending.map(|text| rows::json("ending", text)).transpose()?;
        if let Some(output) = end.as_mut().and_then(|end| end.output.as_mut()).filter(|output| output.blob.is_some()) {
            (output.blob, output.removed) = (None, Some(at));
        }
        ids.push(row.try_get::<Id, _>("id")?);
        endings.push(end.as_ref().map(rows::to_json).transpose()?);
    }
    if !ids.is_empty() {
        let query = "UPDATE sessions AS s SET results_kept = FALSE, ending = gone.ending \
             FROM unnest($1::uuid[], $2::text[]) AS gone(id, ending) WHERE s.id = gone.id";
        sqlx::query(query).bind(&ids).bind(&endings).execute(c).await?;
    }
    Ok(ids)
}

async fn leave(c: &mut PgConnection, mut leaving: Vec<(BlobKey, RetentionClass)>) -> Result<(), Error> {
    if leaving.is_empty() {
        return Ok(());
    }
    // All write in the same order.
    leaving.sort_unstable();
    let keys: Vec<&str> = leaving.iter().map(|(key, _)| key.as_str()).collect();
    let classes: Vec<&str> = leaving.iter().map(|(_, class)| class.name()).collect();
    let query =
        "INSERT INTO leaving (key, class) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (key) DO NOTHING";
    sqlx::query(query).bind(keys).bind(classes).execute(c).await?;
    Ok(())
}

fn no_key(column: &str, e: BlobKeyError) -> Error {
    wrong(column, e)
}

fn read(row: &PgRow) -> Result<LeavingBlob, Error> {
    let word: &str = row.try_get("class")?;
    let class =
        RetentionClass::ALL.into_iter().find(|class| class.name() == word).ok_or_else(|| wrong("class", word))?;
    Ok(LeavingBlob { key: rows::blob_key(row, "key")?, class })
}

async fn page(c: &mut PgConnection, after: Option<&BlobKey>, limit: u32) -> Result<Vec<LeavingBlob>, Error> {
    let query = "SELECT key, class FROM leaving WHERE key > $1 ORDER BY key LIMIT $2";
    let query = sqlx::query(query).bind(after.map_or("", BlobKey::as_str)).bind(i64::from(limit));
    query.fetch_all(c).await?.iter().map(read).collect()
}

async fn forget(c: &mut PgConnection, keys: &[BlobKey]) -> Result<(), Error> {
    let mut keys: Vec<&str> = keys.iter().map(BlobKey::as_str).collect();
    keys.sort_unstable();
    sqlx::query("DELETE FROM leaving WHERE key = ANY ($1)").bind(keys).execute(c).await?;
    Ok(())
}

async fn turn(c: &mut PgConnection, holder: u128, lasts: Duration) -> Result<bool, Error> {
    let query = "INSERT INTO turns AS t (id, holder, until) VALUES (1, $1, now() + $2 * interval '1 second') \
         ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until \
         WHERE t.holder = excluded.holder OR t.until < now()";
    let done = sqlx::query(query).bind(Id(holder)).bind(lasts.as_secs_f64()).execute(c).await?;
    Ok(done.rows_affected() > 0)
}

async fn kept(c: &mut PgConnection, class: RetentionClass) -> Result<u64, Error> {
    let query = match class {
        RetentionClass::Avatars => "SELECT count(*) AS n FROM avatars",
        RetentionClass::Uploads => "SELECT count(*) AS n FROM uploads",
        RetentionClass::Results => {
            "SELECT count(*) AS n FROM sessions WHERE results_kept AND kind = 'render' AND ended IS NOT NULL"
        }
        RetentionClass::Tokens => "SELECT count(*) AS n FROM idempotency",
        RetentionClass::Sessions => "SELECT count(*) AS n FROM sessions WHERE NOT let_go",
        RetentionClass::Usage => "SELECT (SELECT count(*) FROM usage) + (SELECT count(*) FROM machine_hours) AS n",
    };
    rows::unsigned(&sqlx::query(query).fetch_one(c).await?, "n")
}

#[async_trait]
impl Removals for Postgres {
    async fn remove_results(&self, session: SessionId, at: Wall) -> Result<bool, RecordsError> {
        transaction!(self, c => removals::results_of(c, session, at))
    }
}

#[async_trait]
impl Retention for Postgres {
    async fn let_go(&self, class: RetentionClass, bound: Wall, at: Wall, limit: u32) -> Result<u32, RecordsError> {
        transaction!(self, c => let_go(c, class, bound, at, limit))
    }

    async fn leaving(&self, after: Option<&BlobKey>, limit: u32) -> Result<Vec<LeavingBlob>, RecordsError> {
        call!(self, c => page(c, after, limit))
    }

    async fn left(&self, keys: &[BlobKey]) -> Result<(), RecordsError> {
        call!(self, c => forget(c, keys))
    }

    async fn finish_removals(&self, at: Wall, limit: u32) -> Result<u32, RecordsError> {
        transaction!(self, c => removals::finish_removals(c, at, limit))
    }

    async fn turn(&self, holder: u128, lasts: Duration) -> Result<bool, RecordsError> {
        call!(self, c => turn(c, holder, lasts))
    }

    async fn kept(&self, class: RetentionClass) -> Result<u64, RecordsError> {
        call!(self, c => kept(c, class))
    }
}
