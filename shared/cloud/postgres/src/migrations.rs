//! The schema's history, compiled in, and bringing a database up to it.

use crate::errors::{self, Failure, Place};
use mouthpiece_ports::records::RecordsError;
use sqlx::migrate::{Migrate as _, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Error, PgConnection, SqlSafeStr};
use std::sync::LazyLock;
use std::time::Duration;

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// Every file of `migrations/postgres`, up and down.
pub(crate) static MIGRATIONS: LazyLock<Migrator> =
    LazyLock::new(|| Migrator::with_migrations(MIGRATION_FILES.iter().filter_map(migration).collect()));

/// Where sqlx, and its tools, keep what was done.
const HISTORY: &str = "_sqlx_migrations";
/// How long one waits for another program that migrates, or for a table that somebody uses.
const LOCK: Duration = Duration::from_secs(60);

/// A migration by its file's name, `NUMBER_some_words.up.sql` or `.down.sql`. Names and checksums are those that sqlx's own
/// tools would give it; a test holds that no file is passed over.
fn migration((name, sql): &(&str, &'static str)) -> Option<Migration> {
    let (version, rest) = name.split_once('_')?;
    let kind = MigrationType::from_filename(rest);
    let words = rest.trim_end_matches(kind.suffix()).replace('_', " ");
    Some(Migration::new(version.parse().ok()?, words.into(), kind, sql.into_sql_str(), false))
}

/// Brings the schema up to date, one program at a time. Where it is up to date nothing is written: a role that may only read
/// and write rows will do.
pub(crate) async fn migrate(place: &Place, c: &mut PgConnection) -> Result<(), RecordsError> {
    let told = |e: MigrateError| said(place, e);
    let reading = |e: MigrateError| match e {
        MigrateError::Execute(e) => errors::told(place, &e),
        other => said(place, other),
    };
    let tables = "SELECT count(*), count(*) FILTER (WHERE c.relname = $1) FROM pg_class AS c \
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace(current_schema()) \
        AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')";
    let (all, ours): (i64, i64) =
        sqlx::query_as(tables).bind(HISTORY).fetch_one(&mut *c).await.map_err(|e| reading(e.into()))?;
    if all > 0 && ours == 0 {
        return Err(RecordsError::Broken(format!(
            "{place} holds the tables of another program: name a database of its own, made with CREATE DATABASE"
        )));
    }
    if ours > 0 {
        let applied = c.list_applied_migrations(HISTORY).await.map_err(reading)?;
        let known = |version| MIGRATIONS.version_exists(version);
        if let Some(newer) = applied.iter().find(|m| !known(m.version)) {
            return Err(told(MigrateError::VersionMissing(newer.version)));
        }
        let done = |m: &Migration| applied.iter().any(|a| a.version == m.version && a.checksum == m.checksum);
        let dirty = c.dirty_version(HISTORY).await.map_err(reading)?;
        if dirty.is_none() && MIGRATIONS.iter().filter(|m| !m.migration_type.is_down_migration()).all(done) {
            return Ok(());
        }
    }
    // A statement of a migration may take as long as it needs, but does not wait for ever.
    let limits = format!("SET statement_timeout = 0; SET lock_timeout = {}", LOCK.as_millis());
    sqlx::raw_sql(AssertSqlSafe(limits)).execute(&mut *c).await.map_err(|e| told(e.into()))?;
    // `run` would do, were its future one that may move between threads. The lock is an advisory one of this session.
    MIGRATIONS.run_direct(None, c, false).await.map_err(told)
}

fn said(place: &Place, error: MigrateError) -> RecordsError {
    match error {
        MigrateError::VersionMissing(version) => RecordsError::Broken(format!(
            "{place} was written by a newer program (schema {version}): update this one, or name another database"
        )),
        MigrateError::VersionMismatch(version) => RecordsError::Broken(format!(
            "{place} has another schema {version} than this program: it was changed by hand, or it belongs to another program"
        )),
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => migrating(place, &e),
        other => RecordsError::Broken(format!("the schema of {place} cannot be brought up to date: {other}")),
    }
}

fn migrating(place: &Place, error: &Error) -> RecordsError {
    let failure = Failure::of(error);
    match failure {
        Failure::Forbidden => RecordsError::Broken(format!(
            "the role '{}' may not make tables in {place}: GRANT it CREATE on the schema, or let its owner start the program \
             once",
            place.role
        )),
        Failure::Slow => RecordsError::Unavailable(format!(
            "{place} is being migrated by another program, or its tables are in use, for over {} s: wait until that is done",
            LOCK.as_secs()
        )),
        _ => failure.told(place, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[tokio::test]
    async fn the_compiled_history_is_the_folders() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../migrations/postgres"));
        let read = Migrator::new(folder).await.unwrap();
        let facts = |m: &Migrator| {
            let fact = |m: &Migration| (m.version, m.description.clone(), m.migration_type, m.checksum.clone());
            m.iter().map(fact).collect::<Vec<_>>()
        };
        assert!(!MIGRATION_FILES.is_empty());
        assert_eq!(facts(&MIGRATIONS), facts(&read));
        assert_eq!(MIGRATIONS.iter().count(), MIGRATION_FILES.len());
    }
}
