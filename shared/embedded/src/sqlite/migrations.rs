//! The schema's history, compiled in.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// Every file of `migrations/sqlite`, up and down.
pub(super) static MIGRATIONS: LazyLock<Migrator> =
    LazyLock::new(|| Migrator::with_migrations(MIGRATION_FILES.iter().filter_map(migration).collect()));

/// A migration by its file's name, `NUMBER_some_words.up.sql` or `.down.sql`. Names and checksums are those that sqlx's own
/// tools would give it; a test holds that no file is passed over.
fn migration((name, sql): &(&str, &'static str)) -> Option<Migration> {
    let (version, rest) = name.split_once('_')?;
    let kind = MigrationType::from_filename(rest);
    let words = rest.trim_end_matches(kind.suffix()).replace('_', " ");
    Some(Migration::new(version.parse().ok()?, words.into(), kind, sql.into_sql_str(), false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[tokio::test]
    async fn the_compiled_history_is_the_folders() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite"));
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
