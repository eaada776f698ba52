//! How patient sockets are.

use mouthpiece_domain::time::millis;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How patient a caller's socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SocketTimeouts {
    /// With a session that takes nothing.
    #[serde(with = "millis")]
    pub room: Duration,
    /// With a caller that reads nothing.
    #[serde(with = "millis")]
    pub read: Duration,
    /// Between two pings; not zero.
    #[serde(with = "millis")]
    pub ping: Duration,
    /// With a caller that does not answer them.
    #[serde(with = "millis")]
    pub silence: Duration,
    /// With a session whose worker was lost.
    #[serde(with = "millis")]
    pub elsewhere: Duration,
    /// Between two attempts to reach it where it ran last.
    #[serde(with = "millis")]
    pub again: Duration,
}

impl Default for SocketTimeouts {
    fn default() -> Self {
        Self {
            room: Duration::from_secs(5),
            read: Duration::from_secs(10),
            ping: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            elsewhere: Duration::from_secs(30),
            again: Duration::from_millis(500),
        }
    }
}
