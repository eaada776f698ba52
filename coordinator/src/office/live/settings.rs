//! How live sessions are served.

use super::ice::IceServer;
use mouthpiece_domain::time::millis;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Limits and habits of live sessions' HTTP side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiveSettings {
    /// STUN and TURN servers that viewers are told.
    pub ice_servers: Vec<IceServer>,
    /// Audio sockets at a time, of all sessions; more are answered with 503.
    pub max_sockets: usize,
    /// How long a worker may take for an answer.
    #[serde(with = "millis")]
    pub ask_timeout: Duration,
    /// How long a viewer's offer, or an audio socket, waits for its session to start before it is told to come back.
    #[serde(with = "millis")]
    pub whep_wait: Duration,
    /// How long a live session waits for a slot if it does not say.
    #[serde(with = "millis")]
    pub queue_timeout: Duration,
    /// How patient audio sockets are.
    pub sockets: SocketTimeouts,
}

/// How patient an audio socket is.
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

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            ice_servers: Vec::new(),
            max_sockets: 1024,
            ask_timeout: Duration::from_secs(5),
            whep_wait: Duration::from_secs(5),
            queue_timeout: Duration::from_secs(20),
            sockets: SocketTimeouts::default(),
        }
    }
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
