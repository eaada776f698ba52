//! How a worker lets callers come.

use super::CallersUrl;
use mouthpiece_speech::SocketTimeouts;
use std::net::SocketAddr;
use std::time::Duration;

/// How a worker listens for callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerSettings {
    /// Where; port 0 takes a free one.
    pub bind: SocketAddr,
    /// What callers are told.
    pub url: CallersUrl,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time that have not shown a good ticket yet.
    pub strangers: usize,
    /// A ticket must be shown, and the session found, within so long of connecting.
    pub patience: Duration,
    /// A socket that was open for so long is sent on: a right that was taken back meanwhile ends with it.
    pub longest: Duration,
    /// How patient sockets are.
    pub timeouts: SocketTimeouts,
}

impl CallerSettings {
    /// At an address that callers know: 1024 connections, 64 strangers, 5 s for a ticket, an hour for a socket.
    pub fn new(bind: SocketAddr, url: CallersUrl) -> Self {
        Self {
            bind,
            url,
            connections: 1024,
            strangers: 64,
            patience: Duration::from_secs(5),
            longest: Duration::from_secs(3600),
            timeouts: SocketTimeouts::default(),
        }
    }
}
