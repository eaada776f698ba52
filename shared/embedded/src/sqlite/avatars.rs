//! Avatars.

use super::rows::{self, blob, count};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::session::BlobKey;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::Avatar;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, QueryBuilder, Row, Sqlite as Db, SqliteConnection};

fn read(row: &SqliteRow) -> Result<Avatar, Error> {
    let portrait: String = row.try_get("portrait")?;
    let face: u32 = rows::small(row, "face")?;
    Ok(Avatar {
        id: AvatarId(rows::id(row, "id")?),
        key: KeyId(rows::id(row, "api_key")?),
        name: row.try_get("name")?,
        content: row.try_get("content")?,
        portrait: BlobKey::new(portrait).map_err(|e| Error::Decode(e.into()))?,
        media_type: row.try_get("media_type")?,
        bytes: rows::unsigned(row, "bytes")?,
        face: (face > 0).then_some(face),
        prepared_by: SessionId(rows::id(row, "prepared_by")?),
        created: rows::wall(row, "created")?,
        used: rows::wall(row, "used")?,
    })
}

pub(super) async fn add(c: &mut SqliteConnection, avatar: &Avatar) -> Result<Avatar, Error> {
    let row = sqlx::query(
        "INSERT INTO avatars (id, api_key, name, content, portrait, media_type, bytes, face, prepared_by, created, used) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (api_key, content, face) DO UPDATE SET used = max(used, excluded.used) RETURNING *",
    )
    .bind(blob(avatar.id.0))
    .bind(blob(avatar.key.0))
    .bind(&avatar.name)
    .bind(&avatar.content)
    .bind(avatar.portrait.as_str())
    .bind(&avatar.media_type)
    .bind(count(avatar.bytes))
    .bind(i64::from(avatar.face.unwrap_or(0)))
    .bind(blob(avatar.prepared_by.0))
    .bind(avatar.created.0)
    .bind(avatar.used.0)
    .fetch_one(c)
    .await?;
    read(&row)
}

pub(super) async fn prepare_again(c: &mut SqliteConnection, id: AvatarId, by: SessionId) -> Result<(), Error> {
    let query = "UPDATE avatars SET prepared_by = ? WHERE id = ?";
    sqlx::query(query).bind(blob(by.0)).bind(blob(id.0)).execute(c).await?;
    Ok(())
}

pub(super) async fn one(c: &mut SqliteConnection, id: AvatarId) -> Result<Option<Avatar>, Error> {
    let row = sqlx::query("SELECT * FROM avatars WHERE id = ?").bind(blob(id.0)).fetch_optional(c).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(c: &mut SqliteConnection, key: Option<KeyId>, limit: u32) -> Result<Vec<Avatar>, Error> {
    let mut query: QueryBuilder<Db> = QueryBuilder::new("SELECT * FROM avatars");
    if let Some(key) = key {
        query.push(" WHERE api_key = ").push_bind(blob(key.0));
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit.clamp(1, 500)));
    query.build().fetch_all(c).await?.iter().map(read).collect()
}

/// Within a transaction: as long as the avatar is there its portrait is, and the portrait was used no earlier.
pub(super) async fn take(c: &mut SqliteConnection, id: AvatarId, at: Wall) -> Result<Option<Avatar>, Error> {
    let query = "UPDATE avatars SET used = max(used, ?) WHERE id = ? RETURNING *";
    let row = sqlx::query(query).bind(at.0).bind(blob(id.0)).fetch_optional(&mut *c).await?;
    let Some(avatar) = row.as_ref().map(read).transpose()? else { return Ok(None) };
    let query = "UPDATE uploads SET used = max(used, ?) WHERE key = ?";
    sqlx::query(query).bind(at.0).bind(avatar.portrait.as_str()).execute(c).await?;
    Ok(Some(avatar))
}
