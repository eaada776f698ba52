//! How live sessions are served.

use super::ice::IceServer;
use mouthpiece_domain::time::millis;
pub use mouthpiece_speech::SocketTimeouts;
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
