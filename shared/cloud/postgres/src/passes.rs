//! Passes.

use crate::Postgres;
use crate::rows::{self, Id, text};
use async_trait::async_trait;
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::passes::{Pass, PassKind, Passes};
use mouthpiece_ports::records::RecordsError;
use sqlx::Error;
use sqlx::postgres::{PgConnection, PgRow};

/// The advisory lock of whoever adds a pass.
const ADDING: i64 = 0x6d6f_7574_6870_6173;

fn read(kind: PassKind, hash: &str, row: &PgRow) -> Result<Pass, Error> {
    let key = KeyId(rows::id(row, "api_key")?);
    Ok(Pass { hash: hash.to_owned(), kind, key, expires: rows::wall(row, "expires")? })
}

async fn add(c: &mut PgConnection, pass: &Pass, most: u32, now: Wall) -> Result<(), Error> {
    // One at a time: two that counted the others at once would both find room. It is rare enough.
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(ADDING).execute(&mut *c).await?;
    sqlx::query("DELETE FROM passes WHERE expires <= $1").bind(now.0).execute(&mut *c).await?;
    // Room for the new one.
    let others = "DELETE FROM passes WHERE hash IN (SELECT hash FROM passes WHERE api_key = $1 AND kind = $2 \
         ORDER BY expires DESC OFFSET $3)";
    let spared = i64::from(most.saturating_sub(1));
    sqlx::query(others).bind(Id(pass.key.0)).bind(pass.kind.name()).bind(spared).execute(&mut *c).await?;
    let new = "INSERT INTO passes (hash, kind, api_key, expires) VALUES ($1, $2, $3, $4)";
    let new = sqlx::query(new).bind(&pass.hash).bind(pass.kind.name()).bind(Id(pass.key.0)).bind(pass.expires.0);
    new.execute(c).await?;
    Ok(())
}

async fn one(
    c: &mut PgConnection,
    query: &'static str,
    kind: PassKind,
    hash: &str,
    now: Wall,
) -> Result<Option<Pass>, Error> {
    let row = sqlx::query(query).bind(text(hash)).bind(kind.name()).bind(now.0).fetch_optional(c).await?;
    row.map(|row| read(kind, hash, &row)).transpose()
}

async fn extend(c: &mut PgConnection, kind: PassKind, hash: &str, expires: Wall) -> Result<(), Error> {
    let query = "UPDATE passes SET expires = $1 WHERE hash = $2 AND kind = $3";
    sqlx::query(query).bind(expires.0).bind(text(hash)).bind(kind.name()).execute(c).await?;
    Ok(())
}

#[async_trait]
impl Passes for Postgres {
    async fn add_pass(&self, pass: &Pass, most: u32, now: Wall) -> Result<(), RecordsError> {
        transaction!(self, c => add(c, pass, most, now))
    }

    async fn pass(&self, kind: PassKind, hash: &str, now: Wall) -> Result<Option<Pass>, RecordsError> {
        const QUERY: &str = "SELECT api_key, expires FROM passes WHERE hash = $1 AND kind = $2 AND expires > $3";
        call!(self, c => one(c, QUERY, kind, hash, now))
    }

    async fn take_pass(&self, kind: PassKind, hash: &str, now: Wall) -> Result<Option<Pass>, RecordsError> {
        const QUERY: &str =
            "DELETE FROM passes WHERE hash = $1 AND kind = $2 AND expires > $3 RETURNING api_key, expires";
        call!(self, c => one(c, QUERY, kind, hash, now))
    }

    async fn extend_pass(&self, kind: PassKind, hash: &str, expires: Wall) -> Result<(), RecordsError> {
        call!(self, c => extend(c, kind, hash, expires))
    }
}
