//! Opening the file.

use super::Sqlite;
use super::errors::told;
use mouthpiece_ports::records::RecordsError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Row};
use std::path::Path;
use std::time::Duration;
use tokio::sync::Mutex;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// How long a lock of another program is waited for.
const BUSY: Duration = Duration::from_secs(2);
/// Connections that read.
const READERS: u32 = 4;

impl Sqlite {
    /// Opens the records in the file at `path`, making it if need be, and brings its schema up to date.
    ///
    /// # Errors
    /// [`RecordsError`] with the file's name and what to do: damaged, locked, not writable, or written by a newer program.
    pub async fn open(path: &Path) -> Result<Self, RecordsError> {
        let failed = |e: sqlx::Error| told(path, &e);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .statement_cache_capacity(64)
            .disable_statement_logging(); // its errors are this program's errors: nothing is logged twice
        let mut writer = options.connect().await.map_err(failed)?;
        check(path, &mut writer).await?;
        MIGRATIONS.run(&mut writer).await.map_err(|e| refused(path, e))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(BUSY)
            .connect_with(options.create_if_missing(false))
            .await
            .map_err(failed)?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer), readers })
    }

    /// Closes all connections; what is answered is on the disk already.
    pub async fn close(self) {
        self.readers.close().await;
        let closed = sqlx::Connection::close(self.writer.into_inner()).await;
        if let Err(e) = closed {
            tracing::debug!("closing '{}': {e}", self.path.display());
        }
    }
}

/// Damage is found when the program starts, not in the middle of a session.
async fn check(path: &Path, writer: &mut SqliteConnection) -> Result<(), RecordsError> {
    let row = sqlx::query("PRAGMA quick_check(1)").fetch_one(writer).await.map_err(|e| told(path, &e))?;
    let verdict: String = row.try_get(0).map_err(|e| told(path, &e))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(RecordsError::Broken(format!(
        "'{}' is damaged ({verdict}): move it away to start anew, or restore a copy",
        path.display()
    )))
}

fn refused(path: &Path, error: MigrateError) -> RecordsError {
    let file = path.display();
    match error {
        MigrateError::VersionMissing(version) => RecordsError::Broken(format!(
            "'{file}' was written by a newer program (schema {version}): update this one, or use another file"
        )),
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => told(path, &e),
        other => RecordsError::Broken(format!("the schema of '{file}' cannot be brought up to date: {other}")),
    }
}
