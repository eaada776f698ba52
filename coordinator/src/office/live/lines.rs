//! Speaking in a live session: a line to where it runs.

use super::{LiveRefusal, LiveSessions, WorkerTrouble};
use crate::office::seats::{BoundedSeat, SeatsFull};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_ports::lines::{CallerLine, LineError};
use std::time::Duration;
use tokio::time::timeout;

/// Whoever finds no room comes back after this.
const FULL: Duration = Duration::from_secs(2);

impl LiveSessions {
    /// The right to speak in a session, for one more.
    ///
    /// # Errors
    /// [`LiveRefusal::SessionSpeakers`], [`LiveRefusal::AllSpeakers`].
    pub fn seat(&self, session: SessionId) -> Result<BoundedSeat<SessionId>, LiveRefusal> {
        self.speakers.take(session).map_err(|full| match full {
            SeatsFull::One { most } => LiveRefusal::SessionSpeakers { most, retry_after: FULL },
            SeatsFull::All => LiveRefusal::AllSpeakers { retry_after: FULL },
        })
    }

    /// A line to where a session runs, in no more time than a worker has for an answer.
    ///
    /// # Errors
    /// [`LiveRefusal::Worker`].
    pub async fn line(&self, hold: &Hold) -> Result<CallerLine, LiveRefusal> {
        let late = |_| Err(LineError::Unavailable("it took too long".to_owned()));
        let opened = timeout(self.settings.ask_timeout, self.lines.open(hold)).await.unwrap_or_else(late);
        opened.map_err(|error| {
            tracing::warn!(%error, "no line to a worker");
            self.unreachable(match error {
                LineError::Full => WorkerTrouble::Busy,
                _ => WorkerTrouble::Unreachable,
            })
        })
    }
}
