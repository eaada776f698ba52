//! Avatars.

use crate::rows::{self, Id, count, text};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::Avatar;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Error, QueryBuilder, Row as _};

fn read(row: &PgRow) -> Result<Avatar, Error> {
    let face: u32 = rows::small(row, "face")?;
    Ok(Avatar {
        id: AvatarId(rows::id(row, "id")?),
        key: KeyId(rows::id(row, "api_key")?),
        name: row.try_get("name")?,
        content: row.try_get("content")?,
        portrait: rows::blob_key(row, "portrait")?,
        media_type: row.try_get("media_type")?,
        bytes: rows::unsigned(row, "bytes")?,
        face: (face > 0).then_some(face),
        prepared_by: SessionId(rows::id(row, "prepared_by")?),
        created: rows::wall(row, "created")?,
        used: rows::wall(row, "used")?,
    })
}

pub(crate) async fn add(c: &mut PgConnection, avatar: &Avatar) -> Result<Avatar, Error> {
    let row = sqlx::query(
        "INSERT INTO avatars AS a (id, api_key, name, content, portrait, media_type, bytes, face, prepared_by, created, used) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (api_key, content, face) DO UPDATE SET used = GREATEST(a.used, excluded.used) RETURNING *",
    )
    .bind(Id(avatar.id.0))
    .bind(Id(avatar.key.0))
    .bind(text(&avatar.name))
    .bind(&avatar.content)
    .bind(avatar.portrait.as_str())
    .bind(text(&avatar.media_type))
    .bind(count(avatar.bytes))
    .bind(i64::from(avatar.face.unwrap_or(0)))
    .bind(Id(avatar.prepared_by.0))
    .bind(avatar.created.0)
    .bind(avatar.used.0)
    .fetch_one(c)
    .await?;
    read(&row)
}

pub(crate) async fn prepare_again(c: &mut PgConnection, id: AvatarId, by: SessionId) -> Result<(), Error> {
    let query = "UPDATE avatars SET prepared_by = $1 WHERE id = $2";
    sqlx::query(query).bind(Id(by.0)).bind(Id(id.0)).execute(c).await?;
    Ok(())
}

pub(crate) async fn one(c: &mut PgConnection, id: AvatarId) -> Result<Option<Avatar>, Error> {
    let row = sqlx::query("SELECT * FROM avatars WHERE id = $1").bind(Id(id.0)).fetch_optional(c).await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn list(c: &mut PgConnection, key: Option<KeyId>, limit: u32) -> Result<Vec<Avatar>, Error> {
    let mut query = QueryBuilder::new("SELECT * FROM avatars");
    if let Some(key) = key {
        query.push(" WHERE api_key = ").push_bind(Id(key.0));
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit.clamp(1, 500)));
    query.build().fetch_all(c).await?.iter().map(read).collect()
}

/// In one statement: as long as the avatar is there its portrait is, and the portrait was used no earlier.
pub(crate) async fn take(c: &mut PgConnection, id: AvatarId, at: Wall) -> Result<Option<Avatar>, Error> {
    let query = "WITH taken AS (UPDATE avatars SET used = GREATEST(used, $2) WHERE id = $1 RETURNING *), \
         portraits AS (UPDATE uploads AS u SET used = GREATEST(u.used, $2) FROM taken WHERE u.key = taken.portrait) \
         SELECT * FROM taken";
    let row = sqlx::query(query).bind(Id(id.0)).bind(at.0).fetch_optional(c).await?;
    row.as_ref().map(read).transpose()
}
