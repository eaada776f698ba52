//! What becomes of a worker whose engine fails.

use super::Agent;
use crate::actors::messages::{EngineChanged, HandBackSession, SessionAbandoned};
use crate::condition::EngineCondition;
use crate::failure::WorkerFailure;
use actix::{Addr, Context, Handler};
use std::time::Duration;
use tokio::sync::watch;
use tracing::error;

/// Live sessions of a worker whose engine is broken show a face at rest until they are moved, for so long; then they are handed over.
const RESTING_PATIENCE: Duration = Duration::from_secs(60);

/// Tells the agent whenever the engine's condition has changed.
pub(super) async fn watch_engine(mut condition: watch::Receiver<EngineCondition>, agent: Addr<Agent>) {
    while condition.changed().await.is_ok() {
        agent.do_send(EngineChanged);
    }
}

impl Handler<EngineChanged> for Agent {
    type Result = ();

    fn handle(&mut self, EngineChanged: EngineChanged, ctx: &mut Context<Self>) {
        let condition = self.parts.condition.borrow().clone();
        self.parts.capability.impaired = condition.why().map(str::to_owned);
        match condition {
            EngineCondition::Broken => {
                error!(worker_id = %self.parts.id, "the engine is broken: this worker drains");
                self.drain(self.parts.drain_timeout.min(RESTING_PATIENCE), ctx);
            }
            EngineCondition::Sound | EngineCondition::Impaired(_) => self.beat(ctx),
        }
    }
}

impl Handler<SessionAbandoned> for Agent {
    type Result = ();

    fn handle(&mut self, SessionAbandoned(hold): SessionAbandoned, ctx: &mut Context<Self>) {
        if *self.parts.condition.borrow() != EngineCondition::Broken {
            // The thread of the engine died, perhaps of this session.
            return self.leave(Err(WorkerFailure::EngineGone), false, ctx);
        }
        if let Some(slot) = self.slot(hold) {
            slot.do_send(HandBackSession(hold));
        }
    }
}
