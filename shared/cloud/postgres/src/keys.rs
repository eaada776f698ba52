//! API keys.

use crate::rows::{self, Id, text};
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::ApiKey;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Error, Row as _};

fn read(row: &PgRow) -> Result<ApiKey, Error> {
    let minutes: Option<i64> = row.try_get("minutes_per_day")?;
    let revoked: Option<i64> = row.try_get("revoked")?;
    Ok(ApiKey {
        id: KeyId(rows::id(row, "id")?),
        name: row.try_get("name")?,
        secret_hash: row.try_get("secret_hash")?,
        scopes: rows::json("scopes", row.try_get("scopes")?)?,
        max_open: rows::small(row, "max_open")?,
        minutes_per_day: minutes.map(|_| rows::small(row, "minutes_per_day")).transpose()?,
        created: rows::wall(row, "created")?,
        revoked: revoked.map(Wall),
    })
}

pub(crate) async fn add(c: &mut PgConnection, key: &ApiKey) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO api_keys (id, name, secret_hash, scopes, max_open, minutes_per_day, created, revoked) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(Id(key.id.0))
    .bind(text(&key.name))
    .bind(&key.secret_hash)
    .bind(rows::to_json(&key.scopes)?)
    .bind(i64::from(key.max_open))
    .bind(key.minutes_per_day.map(i64::from))
    .bind(key.created.0)
    .bind(key.revoked.map(|at| at.0))
    .execute(c)
    .await?;
    Ok(())
}

pub(crate) async fn by_hash(c: &mut PgConnection, secret_hash: &str) -> Result<Option<ApiKey>, Error> {
    let query = "SELECT * FROM api_keys WHERE secret_hash = $1";
    let row = sqlx::query(query).bind(text(secret_hash)).fetch_optional(c).await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn all(c: &mut PgConnection) -> Result<Vec<ApiKey>, Error> {
    sqlx::query("SELECT * FROM api_keys ORDER BY created, id").fetch_all(c).await?.iter().map(read).collect()
}

pub(crate) async fn revoke(c: &mut PgConnection, id: KeyId, at: Wall) -> Result<bool, Error> {
    let query = "UPDATE api_keys SET revoked = $1 WHERE id = $2 AND revoked IS NULL";
    let done = sqlx::query(query).bind(at.0).bind(Id(id.0)).execute(c).await?;
    Ok(done.rows_affected() > 0)
}
