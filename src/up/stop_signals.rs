//! Being asked to end: Ctrl-C, or the termination request of a service manager.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears every request from its making on.
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Begins to listen. From now on the process does not end by itself when it is asked to.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn listen() -> anyhow::Result<Self> {
        let hear = |kind| signal(kind).context("requests to end cannot be heard");
        Ok(Self { interrupt: hear(SignalKind::interrupt())?, terminate: hear(SignalKind::terminate())? })
    }

    /// Waits for the next request.
    pub async fn again(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
