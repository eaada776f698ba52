//! What can go wrong, and what to do about it.

use std::io;
use std::net::SocketAddr;
use thiserror::Error;

/// Why a transport or a stream cannot be.
#[derive(Debug, Error)]
pub enum TransportError {
    /// A setting out of its range.
    #[error("{key} must be {range}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// What it must be.
        range: &'static str,
    },
    /// The socket cannot be had.
    #[error("the UDP socket cannot be opened at {addr}: {source}")]
    Bind {
        /// The address that could not be used.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// No address to tell to viewers was found.
    #[error("no address of this machine was found that viewers could reach through {bind}: set the addresses")]
    NoAddress {
        /// Where the socket is.
        bind: SocketAddr,
    },
    /// Encryption cannot be set up.
    #[error("no certificate could be made for DTLS")]
    Certificate,
    /// The system gives no thread.
    #[error("the transport's thread cannot be started: {0}")]
    Thread(io::Error),
    /// So much waits already that nothing more is taken; it can be tried again.
    #[error("the transport is overloaded")]
    Busy,
    /// It was stopped.
    #[error("the transport is stopped")]
    Stopped,
}

/// Why a viewer's wish is not granted. The session goes on as if it had not been asked.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum SignalError {
    /// Not SDP, or not a fragment of it.
    #[error("not a session description that can be read: {0}")]
    Malformed(String),
    /// Nothing in the offer that this side can send.
    #[error("{0}")]
    NoCodec(String),
    /// As many viewers as are allowed, here or in the whole worker.
    #[error("no more viewers are taken; try again later")]
    Full,
    /// There is no such viewer (any more).
    #[error("no such viewer")]
    NoViewer,
    /// There is no such stream (any more).
    #[error("no such stream")]
    NoStream,
    /// The candidates belong to an ICE session that was replaced.
    #[error("the ICE session was replaced; use the newest entity tag")]
    StaleTag,
    /// Well-formed, and yet it cannot be done.
    #[error("{0}")]
    Unprocessable(String),
    /// The transport was stopped.
    #[error("the transport is stopped")]
    Stopped,
}
