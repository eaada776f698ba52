//! The agent actor: the worker's mouth and ear towards the coordinators.
//!
//! It hands commands on to the slots, tells how the worker is, and leads it out: a draining worker takes nothing new and
//! leaves when its slots are free. Its live sessions are moved away meanwhile: coordinators see to that.

mod breaking;

use super::messages::{
    BusClosed, CloseEngine, CommandCame, DrainWorker, HaltSession, HandOverSession, LetGoOfSession, SlotDutyChanged,
    SlotFreed, SlotOccupied, TakeAssignment, WorkerBroken, YieldSlot,
};
use super::pulse::pulse;
use super::seen_assignments::SeenAssignments;
use super::slot::{SlotActor, acknowledge};
use super::tell::{count, refuse, tell};
use crate::board::{ProgressBoard, WorkState};
use crate::clock::WorkerClock;
use crate::condition::EngineCondition;
use crate::failure::WorkerFailure;
use crate::stop::SessionDuty;
use crate::work::SessionRunner;
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Recipient, SpawnHandle, WrapFuture,
};
use mouthpiece_domain::fleet::{
    Assignment, Capability, Heartbeat, Hold, RunningSession, WorkerCommand, WorkerEvent, WorkerRefusal,
};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::recent_ends::RecentEnds;
use mouthpiece_domain::session::Phase;
use mouthpiece_domain::time::Mono;
use mouthpiece_ports::bus::{Bus, BusInbox, Delivery};
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
pub type AgentOutcome = Option<Result<(), WorkerFailure>>;

/// What the agent is made of.
pub struct AgentParts {
    /// The worker's id.
    pub id: WorkerId,
    /// What it offers.
    pub capability: Capability,
    /// Where coordinators call it, if they do.
    pub address: Option<String>,
    /// Commands and news.
    pub bus: Arc<dyn Bus>,
    /// Leases and heartbeats.
    pub pool: Arc<dyn Pool>,
    /// The same that the slots do; it knows what is in memory.
    pub work: Arc<dyn SessionRunner>,
    /// Since the worker began to start.
    pub clock: WorkerClock,
    /// Paces the heartbeats.
    pub lease: LeaseTerms,
    /// How long a drain by command may take.
    pub drain_timeout: Duration,
    /// The opened command queue.
    pub inbox: Box<dyn BusInbox<WorkerCommand>>,
    /// One a slot.
    pub slots: Vec<Addr<SlotActor>>,
    /// The engine's actor, if the work has one.
    pub engine: Option<Recipient<CloseEngine>>,
    /// How the engine is; it is said here before any session hears of it.
    pub condition: watch::Receiver<EngineCondition>,
    /// Told when it takes nothing new any more.
    pub drains: watch::Sender<bool>,
    /// Told when all is over.
    pub closed: watch::Sender<AgentOutcome>,
}

/// A slot as the agent sees it.
#[derive(Default)]
struct RoutedSlot {
    /// The assignment that was sent there last and has not come back.
    routed: Option<Hold>,
    /// What runs there.
    running: Option<RunningSlot>,
}

/// What runs in a slot.
struct RunningSlot {
    hold: Hold,
    board: Arc<ProgressBoard>,
    since: Mono,
    duty: SessionDuty,
}

/// The agent.
pub struct Agent {
    parts: AgentParts,
    places: Vec<RoutedSlot>,
    /// Slots that the engine holds.
    held: u8,
    seen: SeenAssignments,
    ends: RecentEnds,
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
    pub fn new(parts: AgentParts) -> Self {
        Self {
            places: parts.slots.iter().map(|_| RoutedSlot::default()).collect(),
            held: parts.capability.slots,
            parts,
            seen: SeenAssignments::default(),
            ends: RecentEnds::default(),
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
        ctx.spawn(breaking::watch_engine(self.parts.condition.clone(), ctx.address()).into_actor(self));
        ctx.run_interval(self.parts.lease.renew(), |agent, ctx| agent.beat(ctx));
        self.beat(ctx);
    }
}

/// A session as a heartbeat tells it.
fn listed(RunningSlot { hold, board, duty, .. }: &RunningSlot) -> RunningSession {
    let (stage, delivered) = (board.stage(), board.delivered());
    let waits = *duty == SessionDuty::Waits;
    if !waits {
        count(*hold, delivered, false, "counts");
    }
    RunningSession {
        session: hold.session,
        fence: hold.fence,
        slot: hold.slot,
        // Its end is for its own report to tell.
        phase: if waits { Phase::Preparing } else { stage.phase().min(Phase::Draining) },
        progress: board.progress(),
        delivered,
        prepared: waits && stage == WorkState::Running,
    }
}

/// The inbox of an agent that listens already.
struct Nothing;

#[async_trait::async_trait]
impl BusInbox<WorkerCommand> for Nothing {
    async fn next(&mut self) -> Option<Delivery<WorkerCommand>> {
        None
    }
}

/// Carries commands to the agent, one after the other.
async fn listen(mut inbox: Box<dyn BusInbox<WorkerCommand>>, agent: Addr<Agent>) {
    while let Some(delivery) = inbox.next().await {
        if agent.send(CommandCame(delivery)).await.is_err() {
            return;
        }
    }
    agent.do_send(BusClosed);
}

impl Handler<CommandCame> for Agent {
    type Result = ();

    fn handle(&mut self, CommandCame(delivery): CommandCame, ctx: &mut Context<Self>) {
        match &delivery.body {
            WorkerCommand::Assign(assignment) => {
                let assignment = assignment.clone();
                self.assign(assignment, delivery);
            }
            WorkerCommand::Prepare(assignment) => {
                let assignment = assignment.clone();
                self.prepare(assignment, delivery);
            }
            WorkerCommand::LetGo(hold) => {
                let hold = *hold;
                if let (true, Some(slot)) = (hold.worker == self.parts.id, self.slot(hold)) {
                    slot.do_send(LetGoOfSession(hold));
                }
                acknowledge(delivery);
            }
            WorkerCommand::HandOver(hold) => {
                let hold = *hold;
                if let (true, Some(slot)) = (hold.worker == self.parts.id, self.slot(hold)) {
                    slot.do_send(HandOverSession(hold));
                }
                acknowledge(delivery);
            }
            WorkerCommand::Stop(hold) => {
                let hold = *hold;
                // Should its assignment come later, it is old news.
                self.seen.is_news(hold.session, hold.fence);
                if let (true, Some(slot)) = (hold.worker == self.parts.id, self.slot(hold)) {
                    slot.do_send(HaltSession(hold));
                }
                acknowledge(delivery);
            }
            WorkerCommand::Drain => {
                acknowledge(delivery);
                self.drain(self.parts.drain_timeout, ctx);
            }
        }
    }
}

impl Handler<SlotOccupied> for Agent {
    type Result = ();

    fn handle(&mut self, SlotOccupied { hold, board, since, duty }: SlotOccupied, ctx: &mut Context<Self>) {
        if let Some(place) = self.places.get_mut(usize::from(hold.slot.0)) {
            place.running = Some(RunningSlot { hold, board, since, duty });
        }
        self.beat(ctx);
    }
}

impl Handler<SlotDutyChanged> for Agent {
    type Result = ();

    fn handle(&mut self, SlotDutyChanged { hold, duty }: SlotDutyChanged, ctx: &mut Context<Self>) {
        let place = self.places.get_mut(usize::from(hold.slot.0));
        if let Some(running) = place.and_then(|place| place.running.as_mut()).filter(|running| running.hold == hold) {
            running.duty = duty;
            self.beat(ctx);
        }
    }
}

impl Handler<SlotFreed> for Agent {
    type Result = ();

    fn handle(&mut self, SlotFreed { hold, held, end }: SlotFreed, ctx: &mut Context<Self>) {
        self.busy += held;
        if let Some(end) = end {
            self.ends.note(self.parts.clock.now(), *end);
        }
        if let Some(place) = self.places.get_mut(usize::from(hold.slot.0)) {
            place.routed = place.routed.filter(|routed| *routed != hold);
            if place.running.as_ref().is_some_and(|running| running.hold == hold) {
                place.running = None;
            }
        }
        self.beat(ctx);
        self.leave_if_done(ctx);
    }
}

impl Handler<DrainWorker> for Agent {
    type Result = ();

    fn handle(&mut self, DrainWorker { grace }: DrainWorker, ctx: &mut Context<Self>) {
        self.drain(grace, ctx);
    }
}

impl Handler<BusClosed> for Agent {
    type Result = ();

    fn handle(&mut self, BusClosed: BusClosed, ctx: &mut Context<Self>) {
        self.leave(Err(WorkerFailure::BusClosed), true, ctx);
    }
}

impl Handler<WorkerBroken> for Agent {
    type Result = ();

    fn handle(&mut self, WorkerBroken(why): WorkerBroken, ctx: &mut Context<Self>) {
        // Its goodbye counts against the sessions that ran: one of them may be what the engine died of.
        self.leave(Err(why), false, ctx);
    }
}

impl Agent {
    fn slot(&self, hold: Hold) -> Option<&Addr<SlotActor>> {
        self.parts.slots.get(usize::from(hold.slot.0))
    }

    fn assign(&mut self, assignment: Box<Assignment>, delivery: Delivery<WorkerCommand>) {
        let hold = assignment.hold;
        let refuse = |why, delivery| refuse(Arc::clone(&self.parts.bus), hold, why, delivery);
        if hold.worker != self.parts.id {
            warn!(session_id = %hold.session, worker_id = %hold.worker, "an assignment for another worker came here");
            return refuse(WorkerRefusal::LeaseLost, delivery);
        }
        if !self.seen.is_news(hold.session, hold.fence) {
            return acknowledge(delivery);
        }
        // Placed again: whatever ran of it here is over.
        for (place, slot) in self.places.iter().zip(&self.parts.slots) {
            if let Some(old) = place.routed.filter(|old| old.session == hold.session && *old != hold) {
                slot.do_send(HaltSession(old));
            }
        }
        if self.draining && !self.is_routed(hold) {
            return refuse(WorkerRefusal::Draining, delivery);
        }
        self.route(assignment, SessionDuty::Serves, delivery);
    }

    /// Has a session prepared that may be moved here.
    fn prepare(&mut self, assignment: Box<Assignment>, delivery: Delivery<WorkerCommand>) {
        let hold = assignment.hold;
        if hold.worker != self.parts.id {
            warn!(session_id = %hold.session, worker_id = %hold.worker, "a preparation for another worker came here");
            refuse(Arc::clone(&self.parts.bus), hold, WorkerRefusal::NotPrepared, delivery);
        } else if self.is_routed(hold) || self.seen.knows(hold.session, hold.fence) {
            acknowledge(delivery);
        } else if self.draining {
            refuse(Arc::clone(&self.parts.bus), hold, WorkerRefusal::Draining, delivery);
        } else {
            self.route(assignment, SessionDuty::Waits, delivery);
        }
    }

    /// Whether a slot has, or is about to have, what this names.
    fn is_routed(&self, hold: Hold) -> bool {
        self.places.get(usize::from(hold.slot.0)).is_some_and(|place| place.routed == Some(hold))
    }

    fn route(&mut self, assignment: Box<Assignment>, duty: SessionDuty, delivery: Delivery<WorkerCommand>) {
        let hold = assignment.hold;
        let at = usize::from(hold.slot.0);
        match (self.places.get_mut(at), self.parts.slots.get(at)) {
            (Some(place), Some(slot)) => {
                place.routed = Some(hold);
                slot.do_send(TakeAssignment { assignment, duty, delivery });
            }
            _ => refuse(Arc::clone(&self.parts.bus), hold, WorkerRefusal::SlotTaken, delivery),
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
        let taken: Duration = running.clone().map(|running| now - running.since).sum();
        // What was handed over runs elsewhere.
        let running = running.filter(|running| running.duty != SessionDuty::HandsOver).map(listed);
        Heartbeat {
            worker: self.parts.id,
            capability: Capability { slots: self.offered(), ..self.parts.capability.clone() },
            address: self.parts.address.clone(),
            draining: self.draining,
            uptime: now - Mono(0),
            busy: self.busy + taken,
            resident: self.parts.work.resident(),
            running: running.collect(),
            ended: self.ends.at(now),
        }
    }

    fn drain(&mut self, grace: Duration, ctx: &mut Context<Self>) {
        if !self.draining {
            info!(worker_id = %self.parts.id, "draining");
            self.draining = true;
            self.parts.drains.send_replace(true);
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
        let AgentParts { id, bus, pool, slots, .. } = &self.parts;
        let (id, bus, pool) = (*id, Arc::clone(bus), Arc::clone(pool));
        let yields: Vec<_> = slots.iter().map(|slot| slot.send(YieldSlot { hand_over })).collect();
        let mut last_beat = Heartbeat { running: Vec::new(), ..self.heartbeat() };
        let expiry = self.parts.lease.expiry();
        let leaving = async move {
            for slot in yields {
                match timeout(YIELD_PATIENCE, slot).await {
                    Ok(end) => last_beat.ended.extend(end.ok().flatten().map(|end| *end)),
                    Err(_) => warn!("a slot was left to its lease"),
                }
            }
            // The queue goes first: what is still in it comes back to the coordinators.
            if timeout(LEAVE_PATIENCE, bus.remove(id)).await.is_err() {
                warn!("the command queue could not be removed");
            }
            // Goodbye may lie with the same coordinator as the ends that it repeats: the others find them in the pool, for a while.
            let listed = async {
                if last_beat.ended.is_empty() { pool.forget(id).await } else { pool.announce(&last_beat, expiry).await }
            };
            if !matches!(timeout(LEAVE_PATIENCE, listed).await, Ok(Ok(()))) {
                warn!("the pool could not be told of the leave");
            }
            let ended = last_beat.ended;
            if timeout(LEAVE_PATIENCE, tell(&*bus, &WorkerEvent::Goodbye { worker: id, ended })).await.is_err() {
                warn!("goodbye could not be said");
            }
        };
        let broken = outcome.is_ok() && *self.parts.condition.borrow() == EngineCondition::Broken;
        let outcome = if broken { Err(WorkerFailure::EngineBroken) } else { outcome };
        ctx.spawn(leaving.into_actor(self).map(move |(), agent, ctx| {
            info!(worker_id = %agent.parts.id, "gone");
            if let Some(engine) = &agent.parts.engine {
                engine.do_send(CloseEngine);
            }
            agent.parts.closed.send_replace(Some(outcome));
            ctx.stop();
        }));
    }
}
