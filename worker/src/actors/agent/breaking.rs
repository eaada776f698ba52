//! What becomes of a worker whose engine fails.

use super::{Agent, RoutedSlot};
use crate::actors::messages::{EngineChanged, HandBackSession, SessionAbandoned};
use crate::condition::EngineCondition;
use crate::failure::WorkerFailure;
use crate::measure::sustained;
use actix::{Addr, Context, Handler};
use std::time::Duration;
use tokio::sync::watch;
use tracing::{error, warn};

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
            EngineCondition::Impaired { makes: Some(makes), .. } => {
                self.holds_only(makes);
                self.beat(ctx);
            }
            EngineCondition::Sound | EngineCondition::Impaired { makes: None, .. } => self.beat(ctx),
        }
    }
}

impl Agent {
    /// The engine makes no more than so many frames a second any more: no more slots are offered than that holds. What runs goes on, at
    /// the frame rate that there is.
    fn holds_only(&mut self, makes: u32) {
        let capability = &mut self.parts.capability;
        let before = if capability.frames_per_second == 0 { u32::MAX } else { capability.frames_per_second };
        capability.frames_per_second = before.min(makes);
        self.held = sustained(capability.frames_per_second, capability.slots).min(self.held);
        warn!(worker_id = %self.parts.id, makes, slots = self.held, "measured again after the fallback");
    }

    /// Slots that are offered: as many as are held, and no fewer than are in use, which nobody is to believe free.
    pub(super) fn offered(&self) -> u8 {
        let in_use = |place: &RoutedSlot| place.routed.is_some() || place.running.is_some();
        let used = self.places.iter().rposition(in_use).map_or(0, |last| last + 1);
        self.held.max(u8::try_from(used).unwrap_or(u8::MAX))
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
