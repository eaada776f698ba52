//! What somebody asked to be removed, whatever its age.

use super::super::rows::{self, blob};
use super::{results_leave, upload_leaves};
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::retention::REMOVAL_GRACE;
use sqlx::{Error, Row, SqliteConnection};

/// Forgets an avatar and asks for the removal of what was made of it.
pub(in super::super) async fn remove_avatar(c: &mut SqliteConnection, id: AvatarId) -> Result<bool, Error> {
    let query = "DELETE FROM avatars WHERE id = ? RETURNING portrait";
    let Some(row) = sqlx::query(query).bind(blob(id.0)).fetch_optional(&mut *c).await? else { return Ok(false) };
    unwanted(c, row.try_get("portrait")?).await?;
    let query = "INSERT INTO removals (avatar) VALUES (?) ON CONFLICT (avatar) DO NOTHING";
    sqlx::query(query).bind(blob(id.0)).execute(c).await?;
    Ok(true)
}

async fn unwanted(c: &mut SqliteConnection, upload: String) -> Result<(), Error> {
    sqlx::query("UPDATE uploads SET unwanted = 1 WHERE key = ?").bind(upload).execute(c).await?;
    Ok(())
}

/// Whether anything was asked to be removed that is not yet.
pub(super) async fn are_any(c: &mut SqliteConnection) -> Result<bool, Error> {
    let query = "SELECT EXISTS (SELECT 1 FROM removals) OR EXISTS (SELECT 1 FROM uploads WHERE unwanted = 1)";
    sqlx::query_scalar(query).fetch_one(c).await
}

pub(super) async fn finish(c: &mut SqliteConnection, at: Wall, limit: u32) -> Result<u32, Error> {
    let bound = at.0.saturating_sub(i64::try_from(REMOVAL_GRACE.as_millis()).unwrap_or(i64::MAX));
    let query = free_uploads!("unwanted = 1 AND ");
    let uploads = sqlx::query(query).bind(bound).bind(i64::from(limit)).fetch_all(&mut *c).await?;
    for row in &uploads {
        upload_leaves(&mut *c, row).await?;
    }
    let query = "SELECT id FROM sessions WHERE avatar IN (SELECT avatar FROM removals) \
         AND results_kept = 1 AND kind = 'render' AND phase = 5 ORDER BY id LIMIT ?";
    let results = sqlx::query(query).bind(i64::from(limit)).fetch_all(&mut *c).await?;
    for row in &results {
        results_leave(&mut *c, SessionId(rows::id(row, "id")?), at).await?;
    }
    let done = "DELETE FROM removals WHERE NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.avatar = removals.avatar \
         AND (s.phase < 5 OR (s.results_kept = 1 AND s.kind = 'render')))";
    sqlx::query(done).execute(c).await?;
    Ok(u32::try_from(uploads.len() + results.len()).unwrap_or(u32::MAX))
}

pub(super) async fn results_of(c: &mut SqliteConnection, session: SessionId, at: Wall) -> Result<bool, Error> {
    let query = "SELECT json_extract(spec, '$.portrait') AS portrait, json_extract(spec, '$.speech') AS speech \
         FROM sessions WHERE id = ? AND kind = 'render' AND phase = 5 AND let_go = 0";
    let Some(row) = sqlx::query(query).bind(blob(session.0)).fetch_optional(&mut *c).await? else { return Ok(false) };
    let speech: Option<String> = row.try_get("speech")?;
    for upload in [row.try_get("portrait")?].into_iter().chain(speech) {
        unwanted(&mut *c, upload).await?;
    }
    results_leave(c, session, at).await?;
    Ok(true)
}
