//! The agent actor: the worker's mouth and ear towards the coordinators.
//!
//! It hands commands on to the slots, tells how the worker is, and leads it out: a draining worker takes nothing new and
//! leaves when its slots are free.

use super::messages::{Broken, BusClosed, Close, Commanded, Drain, Freed, Halt, Occupied, Take, Yield};
use super::pulse::pulse;
use super::seen_assignments::SeenAssignments;
use super::slot::{Slot, acknowledge};
use super::tell::{refuse, tell};
use crate::board::Board;
use crate::clock::Clock;
use crate::failure::WorkerFailure;
use crate::work::Work;
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Recipient, SpawnHandle, WrapFuture,
};
use mouthpiece_domain::fleet::{Assignment, Capability, Command, Heartbeat, Hold, Refusal, Running, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::session::Phase;
use mouthpiece_domain::time::Mono;
use mouthpiece_ports::bus::{Bus, Delivery, Inbox};
use mouthpiece_ports::pool::Pool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

/// Slots that do not let go in this time are left to their leases.
const YIELD_PATIENCE: Duration = Duration::from_secs(10);
/// Bus and pool are told of the leave for no longer than this each.
const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// How a worker came to its end, once it has.
pub type Outcome = Option<Result<(), WorkerFailure>>;

/// What the agent is made of.
pub struct Parts {
    /// Who.
    pub id: WorkerId,
    /// What it offers.
    pub capability: Capability,
    /// Commands and news.
    pub bus: Arc<dyn Bus>,
    /// Leases and heartbeats.
    pub pool: Arc<dyn Pool>,
    /// The same that the slots do; it knows what is in memory.
    pub work: Arc<dyn Work>,
    /// Since the worker began to start.
    pub clock: Clock,
    /// Paces the heartbeats.
    pub lease: LeaseTerms,
    /// How long a drain by command may take.
    pub drain_timeout: Duration,
    /// The opened command queue.
    pub inbox: Box<dyn Inbox<Command>>,
    /// One a slot.
    pub slots: Vec<Addr<Slot>>,
    /// The engine's actor, if the work has one.
    pub engine: Option<Recipient<Close>>,
    /// Told when all is over.
    pub closed: watch::Sender<Outcome>,
}

/// A slot as the agent sees it.
#[derive(Default)]
struct RoutedSlot {
    /// The assignment that was sent there last and has not come back.
    routed: Option<Hold>,
    /// What runs there.
    running: Option<(Hold, Arc<Board>, Mono)>,
}

/// The agent.
pub struct Agent {
    parts: Parts,
    places: Vec<RoutedSlot>,
    seen: SeenAssignments,
    draining: bool,
    leaving: bool,
    /// Time that slots were taken by what is not there any more.
    busy: Duration,
    /// A heartbeat is on its way, and another is wanted after it.
    beating: bool,
    beat_again: bool,
    listening: Option<SpawnHandle>,
}

impl Agent {
    /// An agent that starts to listen when it is started.
    pub fn new(parts: Parts) -> Self {
        Self {
            places: parts.slots.iter().map(|_| RoutedSlot::default()).collect(),
            parts,
            seen: SeenAssignments::default(),
            draining: false,
            leaving: false,
            busy: Duration::ZERO,
            beating: false,
            beat_again: false,
            listening: None,
        }
    }
}

impl Actor for Agent {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let inbox = std::mem::replace(&mut self.parts.inbox, Box::new(Nothing));
        self.listening = Some(ctx.spawn(listen(inbox, ctx.address()).into_actor(self)));
        ctx.run_interval(self.parts.lease.renew(), |agent, ctx| agent.beat(ctx));
        self.beat(ctx);
    }
}

/// The inbox of an agent that listens already.
struct Nothing;

#[async_trait::async_trait]
impl Inbox<Command> for Nothing {
    async fn next(&mut self) -> Option<Delivery<Command>> {
        None
    }
}

/// Carries commands to the agent, one after the other.
async fn listen(mut inbox: Box<dyn Inbox<Command>>, agent: Addr<Agent>) {
    while let Some(delivery) = inbox.next().await {
        if agent.send(Commanded(delivery)).await.is_err() {
            return;
        }
    }
    agent.do_send(BusClosed);
}

impl Handler<Commanded> for Agent {
    type Result = ();

    fn handle(&mut self, Commanded(delivery): Commanded, ctx: &mut Context<Self>) {
        match &delivery.body {
            Command::Assign(assignment) => {
                let assignment = assignment.clone();
                self.assign(assignment, delivery);
            }
            Command::Stop(hold) => {
                let hold = *hold;
                // Should its assignment come later, it is old news.
                self.seen.is_news(hold.session, hold.fence);
                if let (true, Some(slot)) = (hold.worker == self.parts.id, self.slot(hold)) {
                    slot.do_send(Halt(hold));
                }
                acknowledge(delivery);
            }
            Command::Drain => {
                acknowledge(delivery);
                self.drain(self.parts.drain_timeout, ctx);
            }
        }
    }
}

impl Handler<Occupied> for Agent {
    type Result = ();

    fn handle(&mut self, Occupied { hold, board, since }: Occupied, ctx: &mut Context<Self>) {
        if let Some(place) = self.places.get_mut(usize::from(hold.slot.0)) {
            place.running = Some((hold, board, since));
        }
        self.beat(ctx);
    }
}

impl Handler<Freed> for Agent {
    type Result = ();

    fn handle(&mut self, Freed { hold, held }: Freed, ctx: &mut Context<Self>) {
        self.busy += held;
        if let Some(place) = self.places.get_mut(usize::from(hold.slot.0)) {
            place.routed = place.routed.filter(|routed| *routed != hold);
            if place.running.as_ref().is_some_and(|(running, ..)| *running == hold) {
                place.running = None;
            }
        }
        self.beat(ctx);
        self.leave_if_done(ctx);
    }
}

impl Handler<Drain> for Agent {
    type Result = ();

    fn handle(&mut self, Drain { grace }: Drain, ctx: &mut Context<Self>) {
        self.drain(grace, ctx);
    }
}

impl Handler<BusClosed> for Agent {
    type Result = ();

    fn handle(&mut self, BusClosed: BusClosed, ctx: &mut Context<Self>) {
        self.leave(Err(WorkerFailure::BusClosed), true, ctx);
    }
}

impl Handler<Broken> for Agent {
    type Result = ();

    fn handle(&mut self, Broken(why): Broken, ctx: &mut Context<Self>) {
        // Its goodbye counts against the sessions that ran: one of them may be what the engine died of.
        self.leave(Err(why), false, ctx);
    }
}

impl Agent {
    fn slot(&self, hold: Hold) -> Option<&Addr<Slot>> {
        self.parts.slots.get(usize::from(hold.slot.0))
    }

    fn assign(&mut self, assignment: Box<Assignment>, delivery: Delivery<Command>) {
        let hold = assignment.hold;
        let refuse = |why, delivery| refuse(Arc::clone(&self.parts.bus), hold, why, delivery);
        if hold.worker != self.parts.id {
            warn!(session_id = %hold.session, worker_id = %hold.worker, "an assignment for another worker came here");
            return refuse(Refusal::LeaseLost, delivery);
        }
        if !self.seen.is_news(hold.session, hold.fence) {
            return acknowledge(delivery);
        }
        // Placed again: whatever ran of it here is over.
        for (place, slot) in self.places.iter().zip(&self.parts.slots) {
            if let Some(old) = place.routed.filter(|old| old.session == hold.session) {
                slot.do_send(Halt(old));
            }
        }
        if self.draining {
            return refuse(Refusal::Draining, delivery);
        }
        let at = usize::from(hold.slot.0);
        match (self.places.get_mut(at), self.parts.slots.get(at)) {
            (Some(place), Some(slot)) => {
                place.routed = Some(hold);
                slot.do_send(Take { assignment, delivery });
            }
            _ => refuse(Refusal::SlotTaken, delivery),
        }
    }

    /// Tells how the worker is; at once, or right after the heartbeat that is on its way.
    fn beat(&mut self, ctx: &mut Context<Self>) {
        if self.leaving {
            return;
        }
        if self.beating {
            self.beat_again = true;
            return;
        }
        self.beating = true;
        let (bus, pool) = (Arc::clone(&self.parts.bus), Arc::clone(&self.parts.pool));
        let (beat, expiry) = (self.heartbeat(), self.parts.lease.expiry());
        let beating = async move { pulse(&*bus, &*pool, beat, expiry).await };
        ctx.spawn(beating.into_actor(self).map(|(), agent, ctx| {
            agent.beating = false;
            if std::mem::take(&mut agent.beat_again) {
                agent.beat(ctx);
            }
        }));
    }

    fn heartbeat(&self) -> Heartbeat {
        let now = self.parts.clock.now();
        let running = self.places.iter().filter_map(|place| place.running.as_ref());
        let taken: Duration = running.clone().map(|(.., since)| now - *since).sum();
        let running = running.map(|(hold, board, _)| Running {
            session: hold.session,
            fence: hold.fence,
            slot: hold.slot,
            // Its end is for its own report to tell.
            phase: board.stage().phase().min(Phase::Draining),
            progress: board.progress(),
            delivered: board.delivered(),
        });
        Heartbeat {
            worker: self.parts.id,
            capability: self.parts.capability.clone(),
            draining: self.draining,
            uptime: now - Mono(0),
            busy: self.busy + taken,
            resident: self.parts.work.resident(),
            running: running.collect(),
        }
    }

    fn drain(&mut self, grace: Duration, ctx: &mut Context<Self>) {
        if !self.draining {
            info!(worker_id = %self.parts.id, "draining");
            self.draining = true;
            self.beat(ctx);
        }
        self.leave_if_done(ctx);
        if !self.leaving {
            ctx.run_later(grace, |agent, ctx| agent.leave(Ok(()), true, ctx));
        }
    }

    fn leave_if_done(&mut self, ctx: &mut Context<Self>) {
        let free = |place: &RoutedSlot| place.routed.is_none() && place.running.is_none();
        if self.draining && self.places.iter().all(free) {
            self.leave(Ok(()), true, ctx);
        }
    }

    /// Stops what runs, says goodbye, and ends.
    fn leave(&mut self, outcome: Result<(), WorkerFailure>, hand_over: bool, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.leaving, true) {
            return;
        }
        self.draining = true;
        if let Some(listening) = self.listening.take() {
            ctx.cancel_future(listening);
        }
        let Parts { id, bus, pool, slots, .. } = &self.parts;
        let (id, bus, pool) = (*id, Arc::clone(bus), Arc::clone(pool));
        let yields: Vec<_> = slots.iter().map(|slot| slot.send(Yield { hand_over })).collect();
        let leaving = async move {
            for slot in yields {
                if timeout(YIELD_PATIENCE, slot).await.is_err() {
                    warn!("a slot was left to its lease");
                }
            }
            // The queue goes first: what is still in it comes back to the coordinators.
            if timeout(LEAVE_PATIENCE, bus.remove(id)).await.is_err() {
                warn!("the command queue could not be removed");
            }
            if timeout(LEAVE_PATIENCE, pool.forget(id)).await.is_err() {
                warn!("the pool could not be told of the leave");
            }
            if timeout(LEAVE_PATIENCE, tell(&*bus, &WorkerEvent::Goodbye { worker: id })).await.is_err() {
                warn!("goodbye could not be said");
            }
        };
        ctx.spawn(leaving.into_actor(self).map(move |(), agent, ctx| {
            info!(worker_id = %agent.parts.id, "gone");
            if let Some(engine) = &agent.parts.engine {
                engine.do_send(Close);
            }
            agent.parts.closed.send_replace(Some(outcome));
            ctx.stop();
        }));
    }
}
