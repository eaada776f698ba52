//! What reaches a running session, and its inbox.

use mouthpiece_domain::live::{Down, LiveStatus, Up};
use mouthpiece_transport::StreamEvent;
use std::sync::mpsc;
use tokio::sync::{mpsc::Sender, oneshot};

/// Messages that wait for a session, at most. It empties its inbox at least every 20 ms.
const WAITING: usize = 1024;

/// One message.
pub enum Input {
    /// From the transport.
    Stream(StreamEvent),
    /// A caller's line opened.
    Line {
        /// Its number.
        line: u64,
        /// Where events go.
        down: Sender<Down>,
    },
    /// A caller said something.
    Up {
        /// On this line.
        line: u64,
        /// What.
        up: Up,
    },
    /// A caller's line is gone.
    LineGone {
        /// Which.
        line: u64,
    },
    /// Silence at once.
    Interrupt,
    /// Still needed.
    KeepAlive,
    /// How is it?
    Status(oneshot::Sender<LiveStatus>),
}

/// Where messages are left. Never blocks.
#[derive(Clone)]
pub struct Letterbox(mpsc::SyncSender<Input>);

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It will be read.
    Taken,
    /// The inbox is full.
    Full,
    /// The session is over.
    Over,
}

impl Letterbox {
    /// An inbox and its letterbox.
    pub fn new() -> (Self, mpsc::Receiver<Input>) {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        (Self(sender), receiver)
    }

    /// Leaves a message; gives it back where it was not taken.
    pub fn leave(&self, input: Input) -> (Left, Option<Input>) {
        match self.0.try_send(input) {
            Ok(()) => (Left::Taken, None),
            Err(mpsc::TrySendError::Full(input)) => (Left::Full, Some(input)),
            Err(mpsc::TrySendError::Disconnected(_)) => (Left::Over, None),
        }
    }
}
