//! Passes.

use super::Sqlite;
use super::rows::{self, blob};
use async_trait::async_trait;
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::passes::{Pass, PassKind, Passes};
use mouthpiece_ports::records::RecordsError;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, SqliteConnection};

fn read(kind: PassKind, hash: &str, row: &SqliteRow) -> Result<Pass, Error> {
    let key = KeyId(rows::id(row, "api_key")?);
    Ok(Pass { hash: hash.to_owned(), kind, key, expires: rows::wall(row, "expires")? })
}

async fn add(c: &mut SqliteConnection, pass: &Pass, most: u32, now: Wall) -> Result<(), Error> {
    sqlx::query("DELETE FROM passes WHERE expires <= ?").bind(now.0).execute(&mut *c).await?;
    // Room for the new one.
    let others = "DELETE FROM passes WHERE hash IN (SELECT hash FROM passes WHERE api_key = ? AND kind = ? \
                  ORDER BY expires DESC LIMIT -1 OFFSET ?)";
    let spared = i64::from(most.saturating_sub(1));
    let others = sqlx::query(others).bind(blob(pass.key.0)).bind(pass.kind.name()).bind(spared);
    others.execute(&mut *c).await?;
    let new = "INSERT INTO passes (hash, kind, api_key, expires) VALUES (?, ?, ?, ?)";
    let new = sqlx::query(new).bind(&pass.hash).bind(pass.kind.name()).bind(blob(pass.key.0)).bind(pass.expires.0);
    new.execute(c).await?;
    Ok(())
}

#[async_trait]
impl Passes for Sqlite {
    async fn add_pass(&self, pass: &Pass, most: u32, now: Wall) -> Result<(), RecordsError> {
        let mut writer = self.writer.lock().await;
        let result = match writer.begin().await {
            Ok(connection) => add(connection, pass, most, now).await,
            Err(e) => Err(e),
        };
        writer.finish(result).await.map_err(self.told())
    }

    async fn pass(&self, kind: PassKind, hash: &str, now: Wall) -> Result<Option<Pass>, RecordsError> {
        let query = "SELECT api_key, expires FROM passes WHERE hash = ? AND kind = ? AND expires > ?";
        let query = sqlx::query(query).bind(hash).bind(kind.name()).bind(now.0);
        let row = query.fetch_optional(&mut *self.reader().await?).await.map_err(self.told())?;
        row.map(|row| read(kind, hash, &row)).transpose().map_err(self.told())
    }

    async fn take_pass(&self, kind: PassKind, hash: &str, now: Wall) -> Result<Option<Pass>, RecordsError> {
        let query = "DELETE FROM passes WHERE hash = ? AND kind = ? AND expires > ? RETURNING api_key, expires";
        let query = sqlx::query(query).bind(hash).bind(kind.name()).bind(now.0);
        // To its end: a statement that is given up after its first row is undone.
        let taken = query.fetch_all(self.writer.lock().await.idle().await).await.map_err(self.told())?;
        taken.first().map(|row| read(kind, hash, row)).transpose().map_err(self.told())
    }

    async fn extend_pass(&self, kind: PassKind, hash: &str, expires: Wall) -> Result<(), RecordsError> {
        let query = "UPDATE passes SET expires = ? WHERE hash = ? AND kind = ?";
        let query = sqlx::query(query).bind(expires.0).bind(hash).bind(kind.name());
        query.execute(self.writer.lock().await.idle().await).await.map_err(self.told())?;
        Ok(())
    }
}
