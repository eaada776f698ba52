//! Lines: a caller's direct way to the voice of a running live session.
//!
//! Commands and questions go over the bus; speech does not: it is much, it is fresh, and nobody wants it twice. A line leads
//! from the coordinator that a caller is connected to straight to the worker that runs the session. Both ways are bounded
//! and in order; when one end is dropped the other sees the end of what it receives.

use async_trait::async_trait;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{LineInput, LineOutput};
use mouthpiece_domain::time::Wall;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc;

/// Messages that wait in one direction of a line, at most.
pub const WAITING: usize = 64;

/// Why there is no line.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum LineError {
    /// No such worker takes lines.
    #[error("worker {0} takes no lines: it never started or is gone")]
    Unroutable(WorkerId),
    /// It has too many to take up.
    #[error("the worker has too many lines to take up just now")]
    Full,
    /// The way there is broken.
    #[error("the worker cannot be reached just now: {0}")]
    Unavailable(String),
}

/// The caller's end of a line.
#[derive(Debug)]
pub struct CallerLine {
    /// To the session. Waiting for room here is the back-pressure.
    pub up: mpsc::Sender<LineInput>,
    /// From the session.
    pub down: mpsc::Receiver<LineOutput>,
}

/// The session's end of a line.
#[derive(Debug)]
pub struct IncomingLine {
    /// Which session is called, by which right. A worker that does not run it drops the line.
    pub hold: Hold,
    /// From the caller.
    pub up: mpsc::Receiver<LineInput>,
    /// To the caller.
    pub down: mpsc::Sender<LineOutput>,
}

/// Where a caller may speak to a session straight, without a coordinator between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerAddress {
    /// A WebSocket's address, with the right to open it in it: whoever has it may speak in that session.
    pub url: String,
    /// Until then it may be opened.
    pub until: Wall,
}

/// A worker's incoming lines.
#[async_trait]
pub trait IncomingLines: Send {
    /// The next line; `None` when no more will come. Safe to cancel.
    async fn next(&mut self) -> Option<IncomingLine>;

    /// Where coordinators call, `host:port`: what the worker's heartbeats tell. `None` where they need no address.
    fn address(&self) -> Option<String> {
        None
    }
}

/// Lines between coordinators and workers.
#[async_trait]
pub trait Lines: Send + Sync {
    /// Opens a line to a session on the worker that its hold names.
    async fn open(&self, hold: &Hold) -> Result<CallerLine, LineError>;

    /// Takes lines for a worker. One receiver at a time: a second one takes over. When it is dropped, no more are taken.
    async fn calls(&self, worker: WorkerId) -> Result<Box<dyn IncomingLines>, LineError>;

    /// Where a caller may speak to a session straight, if its worker lets callers come; `now` is the calendar's time.
    async fn caller_address(&self, hold: &Hold, now: Wall) -> Option<CallerAddress> {
        let _ = (hold, now);
        None
    }

    /// This process is about to stop: callers that came straight to its workers are sent on, for at most so long.
    async fn send_callers_on(&self, within: Duration) {
        let _ = within;
    }
}
