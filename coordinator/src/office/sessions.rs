//! Sessions that there are: looked at, listed, cancelled.

use super::{StoreUnavailable, now};
use crate::farm::{Farm, FarmError};
use mouthpiece_domain::control::SessionChange;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::LedgerWrite;
use mouthpiece_domain::session::{EndReason, Phase, Session, SessionEnd};
use mouthpiece_ports::records::{SessionFilter, SessionLedger};
use mouthpiece_ports::retention::Removals;
use std::sync::Arc;

/// A session may get another fence between the look at its record and the write of its end so often.
const MOVES: u32 = 4;

/// Sessions as the brain sees them while it holds them, else as they are recorded.
#[derive(Clone)]
pub struct Sessions {
    farm: Arc<dyn Farm>,
    ledger: Arc<dyn SessionLedger>,
    removals: Arc<dyn Removals>,
}

impl Sessions {
    pub(super) fn new(farm: Arc<dyn Farm>, ledger: Arc<dyn SessionLedger>, removals: Arc<dyn Removals>) -> Self {
        Self { farm, ledger, removals }
    }

    /// The farm, for news of them.
    pub(super) fn farm(&self) -> &dyn Farm {
        self.farm.as_ref()
    }

    /// A session as it is now. `None` when there is none.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn current(&self, id: SessionId) -> Result<Option<SessionChange>, StoreUnavailable> {
        if let Some(change) = self.farm.session(id).await? {
            return Ok(Some(change));
        }
        Ok(self.ledger.session(id).await?.map(recorded))
    }

    /// A session of the records as it is now.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn as_seen(&self, session: Session) -> Result<SessionChange, StoreUnavailable> {
        if session.phase == Phase::Ended {
            return Ok(recorded(session));
        }
        Ok(self.farm.session(session.id).await?.unwrap_or_else(|| recorded(session)))
    }

    /// Sessions, newest first.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn list(&self, filter: &SessionFilter) -> Result<Vec<SessionChange>, StoreUnavailable> {
        let found = self.ledger.sessions(filter).await?;
        let mut sessions = Vec::with_capacity(found.len());
        for session in found {
            sessions.push(self.as_seen(session).await?);
        }
        Ok(sessions)
    }

    /// Wants no more of a session that has not ended. Returns how it is when that is under way.
    ///
    /// One that another coordinator holds, and of which the brain here has not heard, is ended on record; whoever runs it or lets it
    /// wait finds that there.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn cancel(&self, change: SessionChange) -> Result<SessionChange, StoreUnavailable> {
        let id = change.session.id;
        for _ in 0..MOVES {
            if self.farm.session(id).await?.is_some() {
                self.farm.cancel(id).await?;
                return Ok(self.current(id).await?.unwrap_or(change));
            }
            match self.ledger.session(id).await? {
                Some(session) if session.phase < Phase::Ended => {
                    let end = Box::new(SessionEnd::new(EndReason::Cancelled, None));
                    let (fence, progress, delivered, at) = (session.fence, None, None, now());
                    let end = LedgerWrite::End { session: id, fence, end, progress, delivered, at };
                    self.ledger.write(&[end]).await?;
                }
                record => return Ok(record.map_or(change, recorded)),
            }
        }
        // It is placed again all the time: whoever asked comes back.
        Err(FarmError::Overwhelmed.into())
    }

    /// Removes what an ended render left, for good. Returns how its record is then.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn remove_results(&self, change: SessionChange) -> Result<SessionChange, StoreUnavailable> {
        let id = change.session.id;
        self.removals.remove_results(id, now()).await?;
        Ok(self.current(id).await?.unwrap_or(change))
    }
}

fn recorded(session: Session) -> SessionChange {
    SessionChange { session, queue_position: None }
}
