//! Starting the actors of one worker.

use super::agent::{Agent, Outcome, Parts};
use super::engine::EngineActor;
use super::messages::{Broken, Close, Drain};
use super::slot::Slot;
use crate::clock::Clock;
use crate::work::Work;
use actix::{Actor, Addr, AsyncContext, Recipient};
use actix_rt::Arbiter;
use mouthpiece_domain::fleet::{Capability, Command};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_engine::{Engine, EngineThread};
use mouthpiece_ports::bus::{Bus, Inbox};
use mouthpiece_ports::pool::Pool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// What the actors start with.
pub struct Launch {
    /// Who.
    pub id: WorkerId,
    /// What it offers; a slot actor for each of its slots.
    pub capability: Capability,
    /// Commands and news.
    pub bus: Arc<dyn Bus>,
    /// Leases and heartbeats.
    pub pool: Arc<dyn Pool>,
    /// What slots do.
    pub work: Arc<dyn Work>,
    /// Owns the engine's thread, if the work has one.
    pub engine: Option<Keeper>,
    /// Since the worker began to start.
    pub clock: Clock,
    /// Paces the heartbeats.
    pub lease: LeaseTerms,
    /// How long a drain by command may take.
    pub drain_timeout: Duration,
    /// The opened command queue.
    pub inbox: Box<dyn Inbox<Command>>,
}

/// Starts the actor that owns an engine's thread.
pub struct Keeper(Box<dyn FnOnce(Recipient<Broken>) -> Recipient<Close> + Send>);

impl Keeper {
    /// For `thread`, whose end comes through `ended`.
    pub fn of<E: Engine + 'static>(thread: EngineThread<E>, ended: oneshot::Receiver<bool>) -> Self {
        Self(Box::new(|agent| EngineActor { thread, ended: Some(ended), agent }.start().recipient()))
    }
}

/// The running actors.
pub struct Actors {
    agent: Addr<Agent>,
    closed: watch::Receiver<Outcome>,
}

impl Launch {
    /// Starts all of them on `home`.
    pub fn start(self, home: &Arbiter) -> Actors {
        let (closed, outcome) = watch::channel(None);
        let agent = Agent::start_in_arbiter(&home.handle(), move |ctx| {
            let Self { id, capability, bus, pool, work, engine, clock, lease, drain_timeout, inbox } = self;
            let agent = ctx.address();
            let slot = |_| {
                let (bus, pool, work) = (Arc::clone(&bus), Arc::clone(&pool), Arc::clone(&work));
                Slot::new(bus, pool, work, agent.clone(), clock).start()
            };
            let slots = (0..capability.slots).map(slot).collect();
            let engine = engine.map(|keeper| keeper.0(agent.clone().recipient()));
            let parts =
                Parts { id, capability, bus, pool, work, clock, lease, drain_timeout, inbox, slots, engine, closed };
            Agent::new(parts)
        });
        Actors { agent, closed: outcome }
    }
}

impl Actors {
    /// Takes nothing new and leaves within `grace`.
    pub fn drain(&self, grace: Duration) {
        self.agent.do_send(Drain { grace });
    }

    /// Says how they came to their end, once they have.
    pub fn closed(&self) -> watch::Receiver<Outcome> {
        self.closed.clone()
    }
}
