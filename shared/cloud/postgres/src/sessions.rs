//! Reading sessions.

use crate::rows::{self, Id, SESSION};
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_domain::session::{Phase, Session};
use mouthpiece_ports::records::SessionFilter;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Error, QueryBuilder, Row as _};

fn all(found: &[PgRow]) -> Result<Vec<Session>, Error> {
    found.iter().map(rows::session).collect()
}

pub(crate) async fn one(c: &mut PgConnection, id: SessionId) -> Result<Option<Session>, Error> {
    let query = format!("SELECT {SESSION} FROM sessions WHERE id = $1 AND NOT let_go");
    let row = sqlx::query(AssertSqlSafe(query)).bind(Id(id.0)).fetch_optional(c).await?;
    row.as_ref().map(rows::session).transpose()
}

pub(crate) async fn open(c: &mut PgConnection) -> Result<Vec<Session>, Error> {
    let query = format!("SELECT {SESSION} FROM sessions WHERE ended IS NULL ORDER BY id");
    all(&sqlx::query(AssertSqlSafe(query)).fetch_all(c).await?)
}

pub(crate) async fn list(c: &mut PgConnection, filter: &SessionFilter) -> Result<Vec<Session>, Error> {
    let mut query = QueryBuilder::new(format!("SELECT {SESSION} FROM sessions WHERE NOT let_go"));
    if let Some(key) = filter.key {
        query.push(" AND api_key = ").push_bind(Id(key.0));
    }
    if let Some(kind) = filter.kind {
        query.push(" AND kind = ").push_bind(kind.name());
    }
    if let Some(avatar) = filter.avatar {
        query.push(" AND avatar = ").push_bind(Id(avatar.0));
    }
    if let Some(before) = filter.before {
        query.push(" AND id < ").push_bind(Id(before.0));
    }
    if !filter.phases.is_empty() {
        let ranks: Vec<i16> = filter.phases.iter().map(|phase| i16::from(phase.rank())).collect();
        query.push(" AND phase = ANY (").push_bind(ranks).push(")");
        // In these words the index of open sessions applies, however many have ended.
        if !filter.phases.contains(&Phase::Ended) {
            query.push(" AND ended IS NULL");
        }
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(filter.limit.clamp(1, 500)));
    all(&query.build().fetch_all(c).await?)
}

pub(crate) async fn repeated(
    c: &mut PgConnection,
    key: KeyId,
    token: &str,
) -> Result<Option<(String, SessionId)>, Error> {
    let query = "SELECT fingerprint, session FROM idempotency WHERE api_key = $1 AND token = $2";
    let row = sqlx::query(query).bind(Id(key.0)).bind(rows::text(token)).fetch_optional(c).await?;
    row.map(|row| Ok((row.try_get("fingerprint")?, SessionId(rows::id(&row, "session")?)))).transpose()
}
