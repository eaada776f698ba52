//! How the records are used.

use std::time::Duration;

/// Bounds on connections and calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// Connections at most, at least 1. The sum over all coordinators must stay below the server's `max_connections`.
    pub connections: u32,
    /// How long a call waits for a connection that is free.
    pub acquire_timeout: Duration,
    /// How long making a connection may take, TLS and log-in included.
    pub connect_timeout: Duration,
    /// How long a statement may take on the server, and how long it waits for a lock. A call that has no answer a second
    /// after that is given up.
    pub statement_timeout: Duration,
    /// A statement that takes longer is logged as a warning, without its parameters.
    pub slow_query: Duration,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            connections: 10,
            acquire_timeout: Duration::from_secs(3),
            connect_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
            slow_query: Duration::from_millis(500),
        }
    }
}
