//! Connections: so many at most, each used by one call at a time.
//!
//! sqlx has a pool, but that waits without a bound for an answer on each connection that is given back: behind a network
//! that swallows packets it runs out of connections for as long as the kernel resends. Here a connection whose call did not
//! come to its end (a timeout, a caller that gave up) is closed, never waited for.

use crate::errors::{Failure, Place, told};
use crate::settings::PostgresSettings;
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_ports::records::RecordsError;
use mouthpiece_ports::retry::scattered;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Error};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// After conflicts with others: repetitions in about 0.3 s.
const CONFLICT: Backoff =
    Backoff { first: Duration::from_millis(5), longest: Duration::from_millis(100), again: Some(6) };
/// A connection that was idle for longer is asked for a sign of life before it is used.
const DOUBTFUL: Duration = Duration::from_secs(1);
/// Such a sign is waited for so long.
const PING: Duration = Duration::from_secs(1);
/// A connection that was idle for longer is closed.
const IDLE: Duration = Duration::from_secs(600);
/// No connection is used for longer, so that a server that another has replaced is found.
const LIFETIME: Duration = Duration::from_secs(1800);

pub(crate) struct Pool {
    pub(crate) place: Place,
    options: PgConnectOptions,
    settings: PostgresSettings,
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: PgConnection,
    made: Instant,
    since: Instant,
}

/// A connection in use. Dropped, it is closed; see [`Pool::settle`].
pub(crate) struct Lease<'a> {
    connection: PgConnection,
    made: Instant,
    _permit: SemaphorePermit<'a>,
}

impl Lease<'_> {
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// How a call goes on.
pub(crate) enum Next<T> {
    Done(T),
    /// Once more after a while.
    Again(Duration),
}

impl Pool {
    pub(crate) fn new(place: Place, options: PgConnectOptions, settings: PostgresSettings) -> Self {
        let permits = Semaphore::new(settings.connections.max(1) as usize);
        Self { place, options, settings, permits, idle: Mutex::default() }
    }

    /// A connection that is good, as far as can be told.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, RecordsError> {
        let wait = self.settings.acquire_timeout;
        let Ok(Ok(permit)) = timeout(wait, self.permits.acquire()).await else {
            return Err(RecordsError::Unavailable(format!(
                "{} was busy: all {} connections were in use for {} s; allow more of them, or look at what they do",
                self.place,
                self.settings.connections,
                wait.as_secs_f32()
            )));
        };
        while let Some(mut idle) = self.pop() {
            if idle.made.elapsed() > LIFETIME {
                continue;
            }
            if idle.since.elapsed() < DOUBTFUL || matches!(timeout(PING, idle.connection.ping()).await, Ok(Ok(()))) {
                return Ok(Lease { connection: idle.connection, made: idle.made, _permit: permit });
            }
            self.forget_idle();
        }
        let connection = self.connect().await?;
        Ok(Lease { connection, made: Instant::now(), _permit: permit })
    }

    /// A new connection, with the limits of each statement set.
    pub(crate) async fn connect(&self) -> Result<PgConnection, RecordsError> {
        let wait = self.settings.connect_timeout;
        let connecting = async {
            let mut connection = self.options.connect().await?;
            sqlx::raw_sql(AssertSqlSafe(self.greeting())).execute(&mut connection).await?;
            Ok(connection)
        };
        match timeout(wait, connecting).await {
            Ok(connected) => connected.map_err(|e| told(&self.place, &e)),
            Err(Elapsed { .. }) => Err(RecordsError::Unavailable(format!(
                "{} took no connection within {} s: check the network, and the URL's host and port",
                self.place,
                wait.as_secs_f32()
            ))),
        }
    }

    /// Said on each new connection. Asked for as settings rather than on connecting, which not every proxy lets through.
    fn greeting(&self) -> String {
        let statement = self.settings.statement_timeout.as_millis();
        format!(
            "SET statement_timeout = {statement}; SET lock_timeout = {statement}; \
             SET idle_in_transaction_session_timeout = {statement}; \
             SET default_transaction_isolation = 'read committed'; \
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
    }

    /// How long a call may take in all, the way to the server and back included.
    pub(crate) fn call_timeout(&self) -> Duration {
        self.settings.statement_timeout.saturating_add(Duration::from_secs(1))
    }

    /// What becomes of a call that ran on `lease`, and of the connection.
    pub(crate) fn settle<T>(
        &self,
        lease: Lease<'_>,
        result: Result<Result<T, Error>, Elapsed>,
        tries: u32,
    ) -> Result<Next<T>, RecordsError> {
        let error = match result {
            Ok(Ok(value)) => {
                self.give_back(lease);
                return Ok(Next::Done(value));
            }
            Ok(Err(error)) => error,
            Err(Elapsed { .. }) => {
                self.forget_idle();
                return Err(RecordsError::Unavailable(format!(
                    "{} did not answer within {} s: check the network and the server's load",
                    self.place,
                    self.call_timeout().as_secs_f32()
                )));
            }
        };
        let failure = Failure::of(&error);
        if failure.ends_connection() {
            // Most often the others are of the same server.
            self.forget_idle();
        } else {
            self.give_back(lease);
        }
        match CONFLICT.wait(tries).filter(|_| failure == Failure::Conflict) {
            Some(wait) => {
                tracing::debug!(tries, %error, "a change was in the way of another, trying again");
                Ok(Next::Again(scattered(wait)))
            }
            None => Err(failure.told(&self.place, &error)),
        }
    }

    fn give_back(&self, lease: Lease<'_>) {
        let mut all = self.all();
        // Those that are used least lie lowest.
        all.retain(|idle| idle.since.elapsed() < IDLE);
        all.push(Idle { connection: lease.connection, made: lease.made, since: Instant::now() });
    }

    fn pop(&self) -> Option<Idle> {
        self.all().pop()
    }

    fn forget_idle(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the connections that nobody uses; new ones are made when they are needed.
    pub(crate) async fn close(&self) {
        let idle = std::mem::take(&mut *self.all());
        for one in idle {
            // Whoever does not answer is left alone.
            let _ = timeout(PING, one.connection.close()).await;
        }
    }
}
