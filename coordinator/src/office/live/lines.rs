//! Speaking in a live session: a line to where it runs.

use super::{LiveRefusal, LiveSessions, WorkerTrouble};
use crate::office::now;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{Phase, Session};
use mouthpiece_ports::lines::{CallerAddress, CallerLine, LineError};
use mouthpiece_ports::seats::{BoundedSeat, SeatsFull};
use std::time::Duration;
use tokio::time::timeout;

/// Whoever finds no room comes back after this.
const FULL: Duration = Duration::from_secs(2);
/// A worker that was not asked before tells within this where callers may come.
const TELLS_WITHIN: Duration = Duration::from_secs(1);

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

    /// Where a caller may speak to a session straight, while it runs on a worker that lets callers come. Nobody is refused for want
    /// of it: a worker that does not tell at once is not waited for.
    pub async fn caller_address(&self, session: &Session) -> Option<CallerAddress> {
        let (worker, slot) = session.place.filter(|_| session.phase == Phase::Running)?;
        let hold = Hold { session: session.id, fence: session.fence, worker, slot };
        timeout(TELLS_WITHIN, self.lines.caller_address(&hold, now())).await.ok().flatten()
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
