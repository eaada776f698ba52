//! The one connection that writes.

use sqlx::{Error, SqliteConnection};

/// The writing connection and whether it may be within a transaction.
///
/// Transactions are opened and closed by plain statements: SQLite ends a transaction by itself when the disk is full, and a
/// count kept beside it would then be wrong for ever.
#[derive(Debug)]
pub(super) struct Writer {
    connection: SqliteConnection,
    open: bool,
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection, open: false }
    }

    /// The connection, within a transaction that nobody else can write beside. Whatever an earlier caller left open,
    /// because it was cancelled, is undone first.
    pub(super) async fn begin(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.settle().await;
        self.open = true;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        Ok(&mut self.connection)
    }

    /// Makes everything since [`Writer::begin`] durable if all went well, else undoes it.
    pub(super) async fn finish<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        let value = match result {
            Ok(value) => value,
            Err(e) => {
                self.undo().await;
                return Err(e);
            }
        };
        match sqlx::query("COMMIT").execute(&mut self.connection).await {
            Ok(_) => {
                self.open = false;
                Ok(value)
            }
            Err(e) => {
                self.undo().await;
                Err(e)
            }
        }
    }

    /// The connection, outside of any transaction: a single statement is one by itself.
    pub(super) async fn idle(&mut self) -> &mut SqliteConnection {
        self.settle().await;
        &mut self.connection
    }

    /// Leaves the transaction of a caller that was cancelled.
    pub(super) async fn settle(&mut self) {
        if self.open {
            self.undo().await;
        }
    }

    pub(super) fn connection(&self) -> &SqliteConnection {
        &self.connection
    }

    pub(super) fn connection_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    pub(super) fn into_inner(self) -> SqliteConnection {
        self.connection
    }

    /// Fails when SQLite has rolled back by itself, which is as good. If it could not, the next `BEGIN` says so.
    async fn undo(&mut self) {
        if let Err(e) = sqlx::query("ROLLBACK").execute(&mut self.connection).await {
            tracing::debug!("nothing to roll back: {e}");
        }
        self.open = false;
    }
}
