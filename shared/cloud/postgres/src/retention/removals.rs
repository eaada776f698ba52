//! What somebody asked to be removed, whatever its age.

use super::old::{UNWANTED, UNWANTED_RESULTS};
use super::{results_leave, uploads_leave};
use crate::rows::Id;
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::retention::REMOVAL_GRACE;
use sqlx::postgres::PgConnection;
use sqlx::{Error, Row as _};

/// Forgets an avatar and asks for the removal of what was made of it.
pub(crate) async fn remove_avatar(c: &mut PgConnection, id: AvatarId) -> Result<bool, Error> {
    let query = "DELETE FROM avatars WHERE id = $1 RETURNING portrait";
    let Some(row) = sqlx::query(query).bind(Id(id.0)).fetch_optional(&mut *c).await? else { return Ok(false) };
    unwanted(c, &[row.try_get("portrait")?]).await?;
    let query = "INSERT INTO removals (avatar) VALUES ($1) ON CONFLICT (avatar) DO NOTHING";
    sqlx::query(query).bind(Id(id.0)).execute(c).await?;
    Ok(true)
}

async fn unwanted(c: &mut PgConnection, uploads: &[&str]) -> Result<(), Error> {
    sqlx::query("UPDATE uploads SET unwanted = TRUE WHERE key = ANY ($1)").bind(uploads).execute(c).await?;
    Ok(())
}

pub(super) async fn finish_removals(c: &mut PgConnection, at: Wall, limit: u32) -> Result<u32, Error> {
    let bound = at.0.saturating_sub(i64::try_from(REMOVAL_GRACE.as_millis()).unwrap_or(i64::MAX));
    let uploads = sqlx::query(UNWANTED).bind(bound).bind(i64::from(limit)).fetch_all(&mut *c).await?;
    uploads_leave(&mut *c, &uploads).await?;
    let results = sqlx::query(UNWANTED_RESULTS).bind(i64::from(limit)).fetch_all(&mut *c).await?;
    results_leave(&mut *c, &results, at).await?;
    let done = "DELETE FROM removals AS r WHERE NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.avatar = r.avatar \
         AND (s.ended IS NULL OR (s.results_kept AND s.kind = 'render')))";
    sqlx::query(done).execute(c).await?;
    Ok(u32::try_from(uploads.len() + results.len()).unwrap_or(u32::MAX))
}

pub(super) async fn results_of(c: &mut PgConnection, session: SessionId, at: Wall) -> Result<bool, Error> {
    let query = "SELECT id, ending, portrait, speech FROM sessions \
         WHERE id = $1 AND kind = 'render' AND ended IS NOT NULL AND NOT let_go FOR NO KEY UPDATE";
    let found = sqlx::query(query).bind(Id(session.0)).fetch_all(&mut *c).await?;
    let Some(row) = found.first() else { return Ok(false) };
    let speech: Option<&str> = row.try_get("speech")?;
    let uploads: Vec<&str> = [row.try_get("portrait")?].into_iter().chain(speech).collect();
    unwanted(&mut *c, &uploads).await?;
    results_leave(c, &found, at).await?;
    Ok(true)
}
