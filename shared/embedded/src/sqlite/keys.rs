//! API keys.

use super::rows::{self, blob};
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::ApiKey;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

fn read(row: &SqliteRow) -> Result<ApiKey, Error> {
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

pub(super) async fn add(c: &mut SqliteConnection, key: &ApiKey) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO api_keys (id, name, secret_hash, scopes, max_open, minutes_per_day, created, revoked) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(blob(key.id.0))
    .bind(&key.name)
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

pub(super) async fn by_hash(c: &mut SqliteConnection, secret_hash: &str) -> Result<Option<ApiKey>, Error> {
    let query = "SELECT * FROM api_keys WHERE secret_hash = ?";
    let row = sqlx::query(query).bind(secret_hash).fetch_optional(c).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn all(c: &mut SqliteConnection) -> Result<Vec<ApiKey>, Error> {
    sqlx::query("SELECT * FROM api_keys ORDER BY created, id").fetch_all(c).await?.iter().map(read).collect()
}

pub(super) async fn revoke(c: &mut SqliteConnection, id: KeyId, at: Wall) -> Result<bool, Error> {
    let query = "UPDATE api_keys SET revoked = ? WHERE id = ? AND revoked IS NULL";
    let done = sqlx::query(query).bind(at.0).bind(blob(id.0)).execute(c).await?;
    Ok(done.rows_affected() > 0)
}
