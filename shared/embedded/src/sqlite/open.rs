//! Opening the file.

use super::errors::told;
use super::migrations::MIGRATIONS;
use super::writer::Writer;
use super::{Db, Sqlite};
use mouthpiece_ports::records::RecordsError;
use sqlx::migrate::MigrateError;
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a lock of another program is waited for.
const BUSY: Duration = Duration::from_secs(2);
/// Between two attempts at opening a file that others are opening.
const AGAIN: Duration = Duration::from_millis(20);
/// How long one waits for a connection to read with.
const READER: Duration = Duration::from_secs(5);
/// Connections that read.
const READERS: u32 = 4;
/// A file up to this size is looked through for damage when it is opened, which takes a second at most. In a larger one
/// damage is found where it is met.
const LOOKED_THROUGH: u64 = 256 * 1024 * 1024;

impl Sqlite {
    /// Opens the records in the file at `path`, making it if need be (but not its folder), and brings its schema up to
    /// date.
    ///
    /// # Errors
    /// [`RecordsError`] with the file's name and what to do: damaged, not ours, locked, not writable, or written by a newer
    /// program.
    pub async fn open(path: &Path) -> Result<Self, RecordsError> {
        check_path(path)?;
        let options = options().filename(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let writer = ready(path, &options).await?;
        let readers = PoolOptions::<Db>::new()
            .max_connections(READERS)
            .acquire_timeout(READER)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.create_if_missing(false).pragma("query_only", "ON"));
        Ok(Self { path: path.to_owned(), writer: Mutex::new(Writer::new(writer)), readers: Some(readers) })
    }

    /// Records in memory, gone when dropped: for tests and simulations.
    ///
    /// # Errors
    /// [`RecordsError`]: no memory.
    pub async fn in_memory() -> Result<Self, RecordsError> {
        let path = Path::new(":memory:");
        let mut writer = options().in_memory(true).connect().await.map_err(|e| told(path, &e))?;
        migrate(path, &mut writer).await?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(Writer::new(writer)), readers: None })
    }

    /// Closes all connections once what was begun is done. Nothing depends on it: what was answered is on the disk.
    pub async fn close(self) {
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        let mut writer = self.writer.into_inner();
        writer.settle().await;
        if let Err(e) = writer.into_inner().close().await {
            tracing::warn!(file = %self.path.display(), "closing the records: {e}");
        }
    }
}

/// A connection to a file that was looked through and brought up to date. Others may be doing the same to a new file at
/// this moment; SQLite does not wait for them while it changes the journal's mode, so that is done here.
async fn ready(path: &Path, options: &SqliteConnectOptions) -> Result<SqliteConnection, RecordsError> {
    let started = Instant::now();
    loop {
        let attempt = async {
            let mut writer = options.connect().await.map_err(|e| told(path, &e))?;
            check_content(path, &mut writer).await?;
            migrate(path, &mut writer).await?;
            Ok(writer)
        };
        match attempt.await {
            Err(RecordsError::Unavailable(_)) if started.elapsed() < BUSY => tokio::time::sleep(AGAIN).await,
            done => return done,
        }
    }
}

fn options() -> SqliteConnectOptions {
    // SQLite's own messages become this program's errors: nothing is logged twice.
    SqliteConnectOptions::new()
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

/// What SQLite would only call "unable to open database file".
fn check_path(path: &Path) -> Result<(), RecordsError> {
    let file = path.display();
    let broken = |what: String| Err(RecordsError::Broken(what));
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if path.is_dir() {
        return broken(format!("'{file}' is a folder: name a file"));
    }
    match folder.metadata() {
        Ok(m) if m.is_dir() => Ok(()),
        Ok(_) => broken(format!("'{}' is not a folder: name a file in a folder", folder.display())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            broken(format!("the folder of '{file}' does not exist: make it, or name another file"))
        }
        Err(e) => broken(format!("the folder of '{file}' cannot be looked into: {e}")),
    }
}

/// Damage is found when the program starts, not in the middle of a session, and nobody else's tables are added to.
async fn check_content(path: &Path, writer: &mut SqliteConnection) -> Result<(), RecordsError> {
    let file = path.display();
    let failed = |e: sqlx::Error| told(path, &e);
    let count = "SELECT count(*), COALESCE(sum(name = '_sqlx_migrations'), 0) FROM sqlite_schema";
    let (all, ours): (i64, i64) = sqlx::query_as(count).fetch_one(&mut *writer).await.map_err(failed)?;
    if all > 0 && ours == 0 {
        return Err(RecordsError::Broken(format!(
            "'{file}' is the database of another program: name another file, or move it away"
        )));
    }
    if path.metadata().is_ok_and(|m| m.len() > LOOKED_THROUGH) {
        tracing::info!(file = %file, "too large to be looked through for damage");
        return Ok(());
    }
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(writer).await.map_err(failed)?;
    if verdict == "ok" {
        return Ok(());
    }
    let verdict = verdict.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(RecordsError::Broken(format!("'{file}' is damaged ({verdict}): move it away to start anew, or restore a copy")))
}

async fn migrate(path: &Path, writer: &mut SqliteConnection) -> Result<(), RecordsError> {
    // `run` would do, were its future one that may move between threads.
    let mut result = MIGRATIONS.run_direct(None, writer, false).await;
    // Another process that opens the new file at the same moment may have been quicker, with each step anew.
    for _ in MIGRATIONS.iter() {
        if !matches!(result, Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..))) {
            break;
        }
        result = MIGRATIONS.run_direct(None, writer, false).await;
    }
    result.map_err(|error| {
        let file = path.display();
        match error {
            MigrateError::VersionMissing(version) => RecordsError::Broken(format!(
                "'{file}' was written by a newer program (schema {version}): update this one, or name another file"
            )),
            MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => told(path, &e),
            other => RecordsError::Broken(format!("the schema of '{file}' cannot be brought up to date: {other}")),
        }
    })
}
