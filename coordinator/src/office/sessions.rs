//! Sessions that there are: looked at, listed, cancelled.

use super::Unavailable;
use crate::farm::Farm;
use mouthpiece_domain::control::Change;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{Phase, Session};
use mouthpiece_ports::records::{SessionFilter, SessionLedger};
use std::sync::Arc;

/// Sessions as the brain sees them while it holds them, else as they are recorded.
#[derive(Clone)]
pub struct Sessions {
    farm: Arc<dyn Farm>,
    ledger: Arc<dyn SessionLedger>,
}

impl Sessions {
    pub(super) fn new(farm: Arc<dyn Farm>, ledger: Arc<dyn SessionLedger>) -> Self {
        Self { farm, ledger }
    }

    /// The farm, for news of them.
    pub(super) fn farm(&self) -> &dyn Farm {
        self.farm.as_ref()
    }

    /// A session as it is now. `None` when there is none.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn current(&self, id: SessionId) -> Result<Option<Change>, Unavailable> {
        if let Some(change) = self.farm.session(id).await? {
            return Ok(Some(change));
        }
        Ok(self.ledger.session(id).await?.map(recorded))
    }

    /// A session of the records as it is now.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn as_seen(&self, session: Session) -> Result<Change, Unavailable> {
        if session.phase == Phase::Ended {
            return Ok(recorded(session));
        }
        Ok(self.farm.session(session.id).await?.unwrap_or_else(|| recorded(session)))
    }

    /// Sessions, newest first.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn list(&self, filter: &SessionFilter) -> Result<Vec<Change>, Unavailable> {
        let found = self.ledger.sessions(filter).await?;
        let mut sessions = Vec::with_capacity(found.len());
        for session in found {
            sessions.push(self.as_seen(session).await?);
        }
        Ok(sessions)
    }

    /// Wants no more of a session that has not ended. Returns how it is when that is under way.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn cancel(&self, change: Change) -> Result<Change, Unavailable> {
        let id = change.session.id;
        self.farm.cancel(id).await?;
        Ok(self.current(id).await?.unwrap_or(change))
    }
}

fn recorded(session: Session) -> Change {
    Change { session, queue_position: None }
}
