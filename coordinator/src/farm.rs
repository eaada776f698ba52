//! What HTTP handlers ask of the farm. The actors answer it; handlers know nothing of actors.

use async_trait::async_trait;
use mouthpiece_domain::control::{FarmView, SessionChange, SubmitAnswer};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::Idempotency;
use mouthpiece_domain::session::Session;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::broadcast;

/// The farm's actors have stopped or are overwhelmed.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum FarmError {
    /// The process is shutting down.
    #[error("the coordinator is shutting down")]
    Stopped,
    /// Its mailbox is full.
    #[error("the coordinator has too much to do just now")]
    Overwhelmed,
}

/// Something to tell whoever watches.
#[derive(Debug, Clone)]
pub enum FarmNews {
    /// A session changed.
    Session(Arc<SessionChange>),
    /// A worker or the queue changed: ask for the view again.
    Farm,
}

/// The farm, seen from its HTTP side.
#[async_trait]
pub trait Farm: Send + Sync {
    /// Asks for a session: admitted, recorded, and only then answered.
    async fn submit(
        &self,
        session: Session,
        idempotency: Option<Idempotency>,
        max_open: u32,
    ) -> Result<SubmitAnswer, FarmError>;

    /// Wants no more of a session. Returns when that is under way.
    async fn cancel(&self, id: SessionId) -> Result<(), FarmError>;

    /// Drains a worker; `None` when it is not known, else the sessions that run there.
    async fn drain(&self, id: WorkerId) -> Result<Option<Vec<SessionId>>, FarmError>;

    /// The farm now.
    async fn view(&self) -> Result<FarmView, FarmError>;

    /// A session that has not ended, as the brain sees it now; `None` when the brain does not hold it.
    async fn session(&self, id: SessionId) -> Result<Option<SessionChange>, FarmError>;

    /// News from now on. A receiver that lags loses the oldest.
    fn watch(&self) -> broadcast::Receiver<FarmNews>;
}
