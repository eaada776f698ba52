//! The records in Postgres, shared by several coordinators.
//!
//! A batch of writes is one call of a function in the database: one round trip, one transaction, with the conditions in SQL.
//! Every call is bounded in time, whatever becomes of the server or the network; what failed because two transactions were in
//! each other's way is repeated a few times.

/// Carries something out on a connection (`c`): a single statement, which is a transaction by itself.
macro_rules! call {
    ($postgres:expr, $c:ident => $work:expr) => {{
        let pool = &$postgres.pool;
        let mut tries = 0;
        loop {
            let mut lease = pool.lease().await?;
            let result = {
                let $c = lease.connection();
                tokio::time::timeout(pool.call_timeout(), $work).await
            };
            match pool.settle(lease, result, tries)? {
                $crate::pool::Next::Done(value) => break Ok(value),
                $crate::pool::Next::Again(wait) => tokio::time::sleep(wait).await,
            }
            tries += 1;
        }
    }};
}

/// The same within a transaction: all of it or nothing, durable at the end.
macro_rules! transaction {
    ($postgres:expr, $c:ident => $work:expr) => {
        call!($postgres, connection => async {
            let mut transaction = sqlx::Connection::begin(connection).await?;
            let result = {
                let $c = &mut *transaction;
                $work.await
            };
            match result {
                Ok(value) => transaction.commit().await.map(|()| value),
                Err(error) => {
                    // The server has done so already when it is the one that failed.
                    if let Err(e) = transaction.rollback().await {
                        tracing::debug!("nothing to roll back: {e}");
                    }
                    Err(error)
                }
            }
        })
    };
}

mod avatars;
mod books;
mod errors;
mod keys;
mod migrations;
mod open;
mod passes;
mod pool;
mod records;
mod retention;
mod rows;
mod sessions;
mod settings;
#[cfg(test)]
mod tests;
mod url;
mod write;

pub use settings::PostgresSettings;

use std::fmt;

/// Records in a Postgres database.
pub struct Postgres {
    pool: pool::Pool,
}

impl fmt::Debug for Postgres {
    /// Without what the URL holds beside the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("place", &self.pool.place).finish_non_exhaustive()
    }
}
