//! Lines within one process: two channels each.

use async_trait::async_trait;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::lines::{CallerLine, IncomingLine, IncomingLines, LineError, Lines, WAITING};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;

/// Lines that a worker has not taken up yet.
const RINGING: usize = 64;

/// Lines between the coordinator and the workers of this process.
#[derive(Default)]
pub struct MemoryLines(Mutex<HashMap<WorkerId, mpsc::Sender<IncomingLine>>>);

impl MemoryLines {
    /// No worker takes lines yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<WorkerId, mpsc::Sender<IncomingLine>>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Lines for MemoryLines {
    async fn open(&self, hold: &Hold) -> Result<CallerLine, LineError> {
        let worker = hold.worker;
        let calls = self.with(|workers| workers.get(&worker).cloned()).ok_or(LineError::Unroutable(worker))?;
        let ((up, of_session), (to_caller, down)) = (mpsc::channel(WAITING), mpsc::channel(WAITING));
        calls.try_send(IncomingLine { hold: *hold, up: of_session, down: to_caller }).map_err(
            |refused| match refused {
                mpsc::error::TrySendError::Full(_) => LineError::Full,
                mpsc::error::TrySendError::Closed(_) => LineError::Unroutable(worker),
            },
        )?;
        Ok(CallerLine { up, down })
    }

    async fn calls(&self, worker: WorkerId) -> Result<Box<dyn IncomingLines>, LineError> {
        let (sender, receiver) = mpsc::channel(RINGING);
        self.with(|workers| {
            workers.retain(|_, sender| !sender.is_closed());
            workers.insert(worker, sender);
        });
        Ok(Box::new(Incoming(receiver)))
    }
}

struct Incoming(mpsc::Receiver<IncomingLine>);

#[async_trait]
impl IncomingLines for Incoming {
    async fn next(&mut self) -> Option<IncomingLine> {
        self.0.recv().await
    }
}
