//! Reading sessions.

use super::rows::{self, SESSION, blob};
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_domain::session::Session;
use mouthpiece_ports::records::SessionFilter;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Error, QueryBuilder, Row, Sqlite as Db, SqliteConnection, SqlitePool};

fn all(found: &[SqliteRow]) -> Result<Vec<Session>, Error> {
    found.iter().map(rows::session).collect()
}

pub(super) async fn one(readers: &SqlitePool, id: SessionId) -> Result<Option<Session>, Error> {
    one_on(&mut *readers.acquire().await?, id).await
}

pub(super) async fn one_on(connection: &mut SqliteConnection, id: SessionId) -> Result<Option<Session>, Error> {
    let query = format!("SELECT {SESSION} FROM sessions WHERE id = ?");
    let row = sqlx::query(AssertSqlSafe(query)).bind(blob(id.0)).fetch_optional(connection).await?;
    row.as_ref().map(rows::session).transpose()
}

pub(super) async fn open(readers: &SqlitePool) -> Result<Vec<Session>, Error> {
    let query = format!("SELECT {SESSION} FROM sessions WHERE phase < 5 ORDER BY id");
    all(&sqlx::query(AssertSqlSafe(query)).fetch_all(readers).await?)
}

pub(super) async fn list(readers: &SqlitePool, filter: &SessionFilter) -> Result<Vec<Session>, Error> {
    let mut query: QueryBuilder<Db> = QueryBuilder::new(format!("SELECT {SESSION} FROM sessions WHERE true"));
    if let Some(key) = filter.key {
        query.push(" AND api_key = ").push_bind(blob(key.0));
    }
    if let Some(kind) = filter.kind {
        query.push(" AND kind = ").push_bind(kind.name());
    }
    if let Some(avatar) = filter.avatar {
        query.push(" AND avatar = ").push_bind(blob(avatar.0));
    }
    if let Some(before) = filter.before {
        query.push(" AND id < ").push_bind(blob(before.0));
    }
    if !filter.phases.is_empty() {
        query.push(" AND phase IN (");
        let mut ranks = query.separated(", ");
        for phase in &filter.phases {
            ranks.push_bind(i64::from(phase.rank()));
        }
        query.push(")");
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(filter.limit.clamp(1, 500)));
    all(&query.build().fetch_all(readers).await?)
}

pub(super) async fn repeated(
    readers: &SqlitePool,
    key: KeyId,
    token: &str,
) -> Result<Option<(String, SessionId)>, Error> {
    repeated_on(&mut *readers.acquire().await?, key, token).await
}

pub(super) async fn repeated_on(
    connection: &mut SqliteConnection,
    key: KeyId,
    token: &str,
) -> Result<Option<(String, SessionId)>, Error> {
    let query = "SELECT fingerprint, session FROM idempotency WHERE api_key = ? AND token = ?";
    let row = sqlx::query(query).bind(blob(key.0)).bind(token).fetch_optional(connection).await?;
    row.map(|row| Ok((row.try_get("fingerprint")?, SessionId(rows::id(&row, "session")?)))).transpose()
}
