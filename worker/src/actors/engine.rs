//! The engine actor: owns the engine's thread, and tells the agent should that thread die.

use super::messages::{CloseEngine, WorkerBroken};
use crate::failure::WorkerFailure;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Recipient, WrapFuture};
use mouthpiece_engine::{Engine, EngineThread};
use tokio::sync::oneshot;
use tracing::error;

/// Owns an engine's thread.
pub struct EngineActor<E: Engine + 'static> {
    /// The thread; it ends with this actor.
    pub thread: EngineThread<E>,
    /// Comes when the thread has ended: true when it panicked.
    pub ended: Option<oneshot::Receiver<bool>>,
    /// Whom to tell.
    pub agent: Recipient<WorkerBroken>,
}

impl<E: Engine + 'static> Actor for EngineActor<E> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(ended) = self.ended.take() else { return };
        ctx.spawn(ended.into_actor(self).map(|_, actor, _| {
            error!(engine = ?actor.thread, "the engine's thread has died: this worker cannot go on");
            actor.agent.do_send(WorkerBroken(WorkerFailure::EngineGone));
        }));
    }
}

impl<E: Engine + 'static> Unpin for EngineActor<E> {}

impl<E: Engine + 'static> Handler<CloseEngine> for EngineActor<E> {
    type Result = ();

    fn handle(&mut self, CloseEngine: CloseEngine, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
