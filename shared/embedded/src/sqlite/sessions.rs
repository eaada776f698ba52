//! Reading sessions.

use super::rows::{self, SESSION, blob};
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_domain::session::{Phase, Session};
use mouthpiece_ports::records::SessionFilter;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Error, QueryBuilder, Row, Sqlite as Db, SqliteConnection};

fn all(found: &[SqliteRow]) -> Result<Vec<Session>, Error> {
    found.iter().map(rows::session).collect()
}

pub(super) async fn one(c: &mut SqliteConnection, id: SessionId) -> Result<Option<Session>, Error> {
    let query = format!("SELECT {SESSION} FROM sessions WHERE id = ? AND let_go = 0");
    let row = sqlx::query(AssertSqlSafe(query)).bind(blob(id.0)).fetch_optional(c).await?;
    row.as_ref().map(rows::session).transpose()
}

pub(super) async fn open(c: &mut SqliteConnection) -> Result<Vec<Session>, Error> {
    let query = format!("SELECT {SESSION} FROM sessions WHERE phase < 5 ORDER BY id");
    all(&sqlx::query(AssertSqlSafe(query)).fetch_all(c).await?)
}

pub(super) async fn list(c: &mut SqliteConnection, filter: &SessionFilter) -> Result<Vec<Session>, Error> {
    let mut query: QueryBuilder<Db> = QueryBuilder::new(format!("SELECT {SESSION} FROM sessions WHERE let_go = 0"));
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
            ranks.push(phase.rank());
        }
        query.push(")");
        // In these words the index of open sessions applies, however many have ended.
        if !filter.phases.contains(&Phase::Ended) {
            query.push(" AND phase < 5");
        }
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(filter.limit.clamp(1, 500)));
    all(&query.build().fetch_all(c).await?)
}

pub(super) async fn repeated(
    c: &mut SqliteConnection,
    key: KeyId,
    token: &str,
) -> Result<Option<(String, SessionId)>, Error> {
    let query = "SELECT fingerprint, session FROM idempotency WHERE api_key = ? AND token = ?";
    let row = sqlx::query(query).bind(blob(key.0)).bind(token).fetch_optional(c).await?;
    row.map(|row| Ok((row.try_get("fingerprint")?, SessionId(rows::id(&row, "session")?)))).transpose()
}
