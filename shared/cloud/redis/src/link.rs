//! The connection to the server: one, shared by all calls, made when it is needed and made again when it is lost.
//!
//! Every call has a limit. While the server cannot be reached, calls fail at once with the reason, and connecting is tried at
//! growing distances. A connection on which nothing was heard for a whole call is given up too: a network that swallows packets
//! does not say so.

use crate::fault::RedisFault;
use crate::options::RedisOptions;
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_ports::retry::jittered;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisError, ScriptInvocation};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// Between attempts to connect; each is shortened at random by up to a half, so that a farm does not come back in step.
const RECONNECT: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(1), again: None };
/// Calls that wait to be written; further ones wait for a place, within their limit.
const WAITING: usize = 512;

/// The shared connection.
pub(crate) struct Link {
    client: Client,
    place: String,
    tls: bool,
    prefix: String,
    limit: Duration,
    state: Mutex<State>,
    begun: Instant,
}

enum State {
    Closed { tries: u32, not_before: Instant, why: Option<RedisFault> },
    Open(Opened),
}

#[derive(Clone)]
struct Opened {
    connection: MultiplexedConnection,
    /// When something was last heard on it, in microseconds since the link began. The same for all its copies.
    heard: Arc<AtomicU64>,
}

impl Link {
    pub(crate) fn new(options: &RedisOptions) -> Result<Self, RedisFault> {
        let (client, place, tls) = options.client()?;
        let begun = Instant::now();
        let state = Mutex::new(State::Closed { tries: 0, not_before: begun, why: None });
        Ok(Self { client, place, tls, prefix: options.prefix.clone(), limit: options.call_limit, state, begun })
    }

    /// Host and port.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Runs a script. One whose connection broke is run once more on a new one: all of the pool's calls may be repeated, since a
    /// claim that was granted unheard is refused then and expires.
    pub(crate) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, RedisFault> {
        self.within_limit(async {
            match self.attempt(script).await {
                Err(Broken::Connection(_)) => self.attempt(script).await,
                other => other,
            }
        })
        .await
    }

    /// Runs a script that must not reach the server twice.
    pub(crate) async fn run_once<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, RedisFault> {
        self.within_limit(self.attempt(script)).await
    }

    async fn within_limit<T>(&self, attempt: impl Future<Output = Result<T, Broken>>) -> Result<T, RedisFault> {
        let begun = self.micros();
        match timeout(self.limit, attempt).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Broken::Connection(fault) | Broken::Call(fault))) => Err(fault),
            Err(_) => {
                self.doubt(begun).await;
                Err(self.silent())
            }
        }
    }

    async fn attempt<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, Broken> {
        let mut opened = self.opened().await.map_err(Broken::Call)?;
        let answer = script.invoke_async(&mut opened.connection).await;
        match answer {
            Err(error) if error.is_io_error() || error.is_connection_dropped() => {
                self.close(&opened).await;
                Err(Broken::Connection(self.fault(&error)))
            }
            answer => {
                opened.heard.fetch_max(self.micros(), Ordering::Relaxed);
                answer.map_err(|error| Broken::Call(self.fault(&error)))
            }
        }
    }

    /// The connection, made now if there is none.
    async fn opened(&self) -> Result<Opened, RedisFault> {
        let mut state = self.state.lock().await;
        let tries = match &*state {
            State::Open(opened) => return Ok(opened.clone()),
            State::Closed { not_before, why: Some(why), .. } if Instant::now() < *not_before => return Err(why.clone()),
            State::Closed { tries, .. } => *tries,
        };
        match self.connect().await {
            Ok(connection) => {
                tracing::info!(place = self.place, "connected to Redis");
                let opened = Opened { connection, heard: Arc::new(AtomicU64::new(self.micros())) };
                *state = State::Open(opened.clone());
                Ok(opened)
            }
            Err(fault) => {
                let not_before = Instant::now() + jittered(RECONNECT.pause(tries));
                *state = State::Closed { tries: tries.saturating_add(1), not_before, why: Some(fault.clone()) };
                Err(fault)
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisFault> {
        // The limit of a call is counted here, not by the library.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(WAITING);
        match timeout(self.limit / 2, self.client.get_multiplexed_async_connection_with_config(&config)).await {
            Ok(made) => made.map_err(|error| self.fault(&error)),
            // A server that speaks no TLS waits for more of the greeting.
            Err(_) if self.tls => Err(RedisFault::Tls { place: self.place.clone(), why: "no answer in time".into() }),
            Err(_) => Err(self.silent()),
        }
    }

    /// Gives up a connection that broke; the next call makes a new one at once.
    async fn close(&self, broken: &Opened) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Open(opened) if Arc::ptr_eq(&opened.heard, &broken.heard)) {
            *state = State::Closed { tries: 0, not_before: Instant::now(), why: None };
        }
    }

    /// A call of `since` was not answered: gives the connection up unless something else was heard on it.
    async fn doubt(&self, since: u64) {
        // Whoever has the lock connects just now.
        let Ok(mut state) = self.state.try_lock() else { return };
        if matches!(&*state, State::Open(opened) if opened.heard.load(Ordering::Relaxed) <= since) {
            tracing::warn!(place = self.place, "Redis is silent: its connection is given up");
            *state = State::Closed { tries: 0, not_before: Instant::now(), why: None };
        }
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn silent(&self) -> RedisFault {
        RedisFault::Silent { place: self.place.clone(), limit: self.limit }
    }

    fn fault(&self, error: &RedisError) -> RedisFault {
        RedisFault::of(error, &self.place, self.tls, &self.prefix)
    }
}

/// Why an attempt came to nothing.
enum Broken {
    Connection(RedisFault),
    Call(RedisFault),
}
