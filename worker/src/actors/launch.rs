//! Starting the actors of one worker.

use super::agent::{Agent, AgentOutcome, AgentParts};
use super::engine::EngineActor;
use super::messages::{CloseEngine, DrainWorker, WorkerBroken};
use super::slot::SlotActor;
use crate::clock::WorkerClock;
use crate::condition::EngineCondition;
use crate::work::SessionRunner;
use actix::{Actor, Addr, AsyncContext, Recipient};
use actix_rt::Arbiter;
use mouthpiece_domain::fleet::{Capability, WorkerCommand};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_engine::{Engine, EngineThread};
use mouthpiece_ports::bus::{Bus, BusInbox};
use mouthpiece_ports::pool::Pool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// What the actors start with.
pub struct ActorLaunch {
    /// The worker's id.
    pub id: WorkerId,
    /// What it offers; a slot actor for each of its slots.
    pub capability: Capability,
    /// Where coordinators call it, if they do.
    pub address: Option<String>,
    /// Commands and news.
    pub bus: Arc<dyn Bus>,
    /// Leases and heartbeats.
    pub pool: Arc<dyn Pool>,
    /// What slots do.
    pub work: Arc<dyn SessionRunner>,
    /// Owns the engine's thread, if the work has one.
    pub engine: Option<EngineKeeper>,
    /// How the engine is; a sender that is gone changes nothing any more.
    pub condition: watch::Receiver<EngineCondition>,
    /// Since the worker began to start.
    pub clock: WorkerClock,
    /// Paces the heartbeats.
    pub lease: LeaseTerms,
    /// How long a drain by command may take.
    pub drain_timeout: Duration,
    /// The opened command queue.
    pub inbox: Box<dyn BusInbox<WorkerCommand>>,
}

/// Starts the actor that owns an engine's thread.
pub struct EngineKeeper(Box<dyn FnOnce(Recipient<WorkerBroken>) -> Recipient<CloseEngine> + Send>);

impl EngineKeeper {
    /// For `thread`, whose end comes through `ended`.
    pub fn of<E: Engine + 'static>(thread: EngineThread<E>, ended: oneshot::Receiver<bool>) -> Self {
        Self(Box::new(|agent| EngineActor { thread, ended: Some(ended), agent }.start().recipient()))
    }
}

/// The running actors.
pub struct Actors {
    agent: Addr<Agent>,
    drains: watch::Receiver<bool>,
    closed: watch::Receiver<AgentOutcome>,
}

impl ActorLaunch {
    /// Starts all of them on `home`.
    pub fn start(self, home: &Arbiter) -> Actors {
        let ((drains, draining), (closed, outcome)) = (watch::channel(false), watch::channel(None));
        let agent = Agent::start_in_arbiter(&home.handle(), move |ctx| {
            let Self {
                id,
                capability,
                address,
                bus,
                pool,
                work,
                engine,
                condition,
                clock,
                lease,
                drain_timeout,
                inbox,
            } = self;
            let agent = ctx.address();
            let slot = |_| {
                let (bus, pool, work) = (Arc::clone(&bus), Arc::clone(&pool), Arc::clone(&work));
                SlotActor::new(bus, pool, work, agent.clone(), clock).start()
            };
            let slots = (0..capability.slots).map(slot).collect();
            let engine = engine.map(|keeper| keeper.0(agent.clone().recipient()));
            let parts = AgentParts {
                id,
                capability,
                address,
                bus,
                pool,
                work,
                clock,
                lease,
                drain_timeout,
                inbox,
                slots,
                engine,
                condition,
                drains,
                closed,
            };
            Agent::new(parts)
        });
        Actors { agent, drains: draining, closed: outcome }
    }
}

impl Actors {
    /// Takes nothing new and leaves within `grace`.
    pub fn drain(&self, grace: Duration) {
        self.agent.do_send(DrainWorker { grace });
    }

    /// Says whether they take nothing new any more.
    pub fn drains(&self) -> watch::Receiver<bool> {
        self.drains.clone()
    }

    /// Says how they came to their end, once they have.
    pub fn closed(&self) -> watch::Receiver<AgentOutcome> {
        self.closed.clone()
    }
}
