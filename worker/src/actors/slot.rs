//! The slot actor: owns what runs in one slot, from the lease's first renewal to the last word about it.
//!
//! The pipeline runs on a thread of its own and writes how far it is on a board; what is said of it is read from there.
//! A slot is free for the next session as soon as this actor let go of the last one: its thread sees that at its next
//! frame and ends by itself.

use super::agent::Agent;
use super::lease::{Lease, LeaseDue, ask, ask_patiently, pace};
use super::messages::{
    HaltSession, HandBackSession, HandOverSession, LetGoOfSession, SessionAbandoned, SlotDutyChanged, SlotFreed,
    SlotOccupied, TakeAssignment, YieldSlot,
};
use super::tell::{handed_over, last_report, refuse, report, tell};
use crate::board::{ProgressBoard, WorkState};
use crate::clock::WorkerClock;
use crate::stop::{SessionDuty, Stop, Stopper, stop};
use crate::work::SessionRunner;
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, ResponseFuture, SpawnHandle, WrapFuture};
use mouthpiece_domain::fleet::{Assignment, Hold, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::session::{EndReason, SessionEnd};
use mouthpiece_domain::time::{Mono, as_millis};
use mouthpiece_ports::bus::{Bus, Delivery};
use mouthpiece_ports::pool::Pool;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::time::timeout;
use tracing::{error, info, warn};

/// What is ready to be moved here waits for so long at most.
const MOVE_PATIENCE: Duration = Duration::from_secs(60);
/// What was moved away ends by itself long before this.
const HAND_OVER_PATIENCE: Duration = Duration::from_secs(20);

/// One slot.
pub struct SlotActor {
    bus: Arc<dyn Bus>,
    pool: Arc<dyn Pool>,
    work: Arc<dyn SessionRunner>,
    agent: Addr<Agent>,
    clock: WorkerClock,
    /// Assignments for which the pool is being asked, and what they shall be there for.
    taking: Vec<(Hold, SessionDuty)>,
    current: Option<Current>,
    /// The worker leaves.
    leaving: bool,
}

/// What runs in a slot.
struct Current {
    hold: Hold,
    board: Arc<ProgressBoard>,
    lease: Lease,
    since: Mono,
    duty: SessionDuty,
    /// Dropped with this: then the pipeline ends.
    stopper: Stopper,
    /// Tells the coordinators of it.
    reporter: SpawnHandle,
    keeper: SpawnHandle,
}

impl Current {
    /// What is to be said last of what came to its end here.
    fn last_report(&self) -> Option<Box<SessionReport>> {
        if self.duty == SessionDuty::Serves { last_report(self.hold, &self.board) } else { None }
    }
}

impl Actor for SlotActor {
    type Context = Context<Self>;
}

impl Handler<TakeAssignment> for SlotActor {
    type Result = ();

    fn handle(&mut self, TakeAssignment { assignment, duty, delivery }: TakeAssignment, ctx: &mut Context<Self>) {
        let hold = assignment.hold;
        if self.is_known(hold) {
            self.serve(hold, ctx);
            return acknowledge(delivery);
        }
        if self.is_taken() {
            return self.refuse(hold, refusal(duty, WorkerRefusal::SlotTaken), delivery);
        }
        self.taking.push((hold, duty));
        let (pool, clock, terms) = (Arc::clone(&self.pool), self.clock, assignment.lease);
        let asking = async move { ask_patiently(&*pool, &hold, &terms, clock).await };
        ctx.spawn(asking.into_actor(self).map(move |asked, slot, ctx| slot.answered(asked, assignment, delivery, ctx)));
    }
}

impl Handler<HaltSession> for SlotActor {
    type Result = ();

    fn handle(&mut self, HaltSession(hold): HaltSession, ctx: &mut Context<Self>) {
        self.taking.retain(|(h, _)| *h != hold);
        // What was handed over ends by itself, and soon.
        if self.current.as_ref().is_some_and(|c| c.hold == hold && c.duty != SessionDuty::HandsOver) {
            info!(session_id = %hold.session, "stopped");
            self.clear(ctx);
        }
    }
}

impl Handler<LetGoOfSession> for SlotActor {
    type Result = ();

    fn handle(&mut self, LetGoOfSession(hold): LetGoOfSession, ctx: &mut Context<Self>) {
        self.taking.retain(|(h, duty)| *h != hold || *duty != SessionDuty::Waits);
        if self.waits(hold) {
            info!(session_id = %hold.session, "not moved here: let go");
            self.clear(ctx);
        }
    }
}

impl Handler<HandOverSession> for SlotActor {
    type Result = ();

    fn handle(&mut self, HandOverSession(hold): HandOverSession, ctx: &mut Context<Self>) {
        self.hand_over(hold, ctx);
    }
}

impl Handler<HandBackSession> for SlotActor {
    type Result = ();

    fn handle(&mut self, HandBackSession(hold): HandBackSession, ctx: &mut Context<Self>) {
        let Some(current) = self.current.as_ref().filter(|c| c.hold == hold) else { return };
        let (bus, why) = (Arc::clone(&self.bus), refusal(current.duty, WorkerRefusal::Leaving));
        self.clear(ctx);
        actix_rt::spawn(async move { tell(&*bus, &WorkerEvent::Refused { hold, why }).await });
    }
}

impl Handler<YieldSlot> for SlotActor {
    type Result = ResponseFuture<Option<Box<SessionReport>>>;

    fn handle(&mut self, YieldSlot { hand_over }: YieldSlot, ctx: &mut Context<Self>) -> Self::Result {
        self.leaving = true;
        self.taking.clear();
        let (bus, pool) = (Arc::clone(&self.bus), Arc::clone(&self.pool));
        let current = self.current.take();
        if let Some(Current { reporter, keeper, .. }) = &current {
            ctx.cancel_future(*reporter);
            ctx.cancel_future(*keeper);
        }
        Box::pin(async move {
            let current = current.as_ref()?;
            let Current { hold, board, duty, .. } = current;
            let (hold, end) = (*hold, current.last_report());
            let last_word = match (duty, &end) {
                (SessionDuty::Waits, _) => None,
                (SessionDuty::HandsOver, _) => Some(handed_over(hold, board)),
                // It was done; only its last report was not taken yet.
                (SessionDuty::Serves, Some(end)) => Some(WorkerEvent::Report(end.clone())),
                (SessionDuty::Serves, None) => {
                    hand_over.then_some(WorkerEvent::Refused { hold, why: WorkerRefusal::Leaving })
                }
            };
            if let Some(event) = last_word {
                tell(&*bus, &event).await;
            }
            release(&*pool, hold).await;
            say_let_go(hold, board);
            end
        })
    }
}

impl SlotActor {
    /// A free slot that does `work`.
    pub fn new(
        bus: Arc<dyn Bus>,
        pool: Arc<dyn Pool>,
        work: Arc<dyn SessionRunner>,
        agent: Addr<Agent>,
        clock: WorkerClock,
    ) -> Self {
        Self { bus, pool, work, agent, clock, taking: Vec::new(), current: None, leaving: false }
    }

    /// True while something runs that is not over. What only waits to be moved here has no right to the slot when the pool gave
    /// it to another.
    fn is_taken(&self) -> bool {
        self.current.as_ref().is_some_and(|c| c.duty != SessionDuty::Waits && !c.board.stage().is_over())
    }

    /// True when this waits here to be moved here.
    fn waits(&self, hold: Hold) -> bool {
        self.current.as_ref().is_some_and(|c| c.hold == hold && c.duty == SessionDuty::Waits)
    }

    /// True when this is here already, or about to be.
    fn is_known(&self, hold: Hold) -> bool {
        self.current.as_ref().is_some_and(|c| c.hold == hold) || self.taking.iter().any(|(h, _)| *h == hold)
    }

    /// The pool answered: the lease was granted to a question of `asked`, or not.
    fn answered(
        &mut self,
        asked: Option<Mono>,
        assignment: Box<Assignment>,
        delivery: Delivery<WorkerCommand>,
        ctx: &mut Context<Self>,
    ) {
        let hold = assignment.hold;
        let Some(at) = self.taking.iter().position(|(h, _)| *h == hold) else {
            // Stopped meanwhile. When the worker leaves, the delivery goes back with its queue.
            self.let_go(hold, Duration::ZERO, None);
            if !self.leaving {
                acknowledge(delivery);
            }
            return;
        };
        let (_, duty) = self.taking.swap_remove(at);
        match asked {
            None => self.refuse(hold, refusal(duty, WorkerRefusal::LeaseLost), delivery),
            Some(_) if self.is_taken() => self.refuse(hold, refusal(duty, WorkerRefusal::SlotTaken), delivery),
            Some(asked) => {
                // The pool gave the slot on: what is over here is known to be.
                self.clear(ctx);
                acknowledge(delivery);
                self.start(asked, assignment, duty, ctx);
            }
        }
    }

    fn start(&mut self, asked: Mono, assignment: Box<Assignment>, duty: SessionDuty, ctx: &mut Context<Self>) {
        let (hold, terms) = (assignment.hold, assignment.lease);
        info!(session_id = %hold.session, fence = hold.fence.0, slot = hold.slot.0, kind = assignment.kind.name(), ?duty, "taken up");
        let board = Arc::new(ProgressBoard::default());
        let (stopper, stop) = stop(duty);
        let (work, of_thread) = (Arc::clone(&self.work), Arc::clone(&board));
        let name = format!("slot-{}", hold.slot.0);
        let started = thread::Builder::new().name(name).spawn(move || perform(&*work, &assignment, &of_thread, &stop));
        if let Err(e) = started {
            error!(error = %e, "no thread could be started");
            board.enter(WorkState::Ended(Arc::new(failed("the worker has no thread to run it on"))));
        }
        let reporter = match duty {
            SessionDuty::Waits => self.await_move(hold, &board, ctx),
            SessionDuty::Serves | SessionDuty::HandsOver => self.keep_reporting(hold, &board, ctx),
        };
        let keeper = ctx.run_interval(pace(&terms), |slot, ctx| slot.keep_lease(ctx));
        let since = self.clock.now();
        self.agent.do_send(SlotOccupied { hold, board: Arc::clone(&board), since, duty });
        let lease = Lease::new(terms, asked);
        self.current = Some(Current { hold, board, lease, since, duty, stopper, reporter, keeper });
    }

    fn keep_reporting(&self, hold: Hold, board: &Arc<ProgressBoard>, ctx: &mut Context<Self>) -> SpawnHandle {
        let (bus, board) = (Arc::clone(&self.bus), Arc::clone(board));
        let reporting = async move { report(&*bus, hold, board).await };
        ctx.spawn(reporting.into_actor(self).map(move |(), slot, ctx| slot.told(hold, ctx)))
    }

    /// Tells when a session is ready to be moved here; gives it up when it breaks, or is not moved here.
    fn await_move(&self, hold: Hold, board: &Arc<ProgressBoard>, ctx: &mut Context<Self>) -> SpawnHandle {
        let (mut stages, agent) = (board.watch(), self.agent.clone());
        let waiting = async move {
            // The board lives as long as this: the channel stays open.
            let ready = stages.wait_for(|stage| *stage != WorkState::Preparing).await.map(|stage| !stage.is_over());
            if ready.unwrap_or(false) {
                agent.do_send(SlotDutyChanged { hold, duty: SessionDuty::Waits });
                let _ = timeout(MOVE_PATIENCE, stages.wait_for(WorkState::is_over)).await;
            }
        };
        ctx.spawn(waiting.into_actor(self).map(move |(), slot, ctx| slot.not_moved(hold, ctx)))
    }

    fn not_moved(&mut self, hold: Hold, ctx: &mut Context<Self>) {
        if self.waits(hold) {
            warn!(session_id = %hold.session, "prepared in vain: let go");
            self.clear(ctx);
            let bus = Arc::clone(&self.bus);
            let event = WorkerEvent::Refused { hold, why: WorkerRefusal::NotPrepared };
            actix_rt::spawn(async move { tell(&*bus, &event).await });
        }
    }

    /// What was prepared here has moved here, and is run.
    fn serve(&mut self, hold: Hold, ctx: &mut Context<Self>) {
        if let Some((_, duty)) = self.taking.iter_mut().find(|(h, _)| *h == hold) {
            *duty = SessionDuty::Serves;
        }
        let waits = |c: &&Current| c.hold == hold && c.duty == SessionDuty::Waits;
        let Some(board) = self.current.as_ref().filter(waits).map(|c| Arc::clone(&c.board)) else { return };
        info!(session_id = %hold.session, fence = hold.fence.0, slot = hold.slot.0, "moved here");
        let reporter = self.keep_reporting(hold, &board, ctx);
        self.turn_to(SessionDuty::Serves, reporter, ctx);
    }

    /// What ran here runs elsewhere from now on. It is shown until its viewers have gone there, and needs no lease for that: it
    /// holds nothing but this worker's time, which is bounded.
    fn hand_over(&mut self, hold: Hold, ctx: &mut Context<Self>) {
        let serves = |c: &&Current| c.hold == hold && c.duty == SessionDuty::Serves;
        let Some(current) = self.current.as_ref().filter(serves) else { return };
        info!(session_id = %hold.session, fence = hold.fence.0, slot = hold.slot.0, "moved away");
        ctx.cancel_future(current.keeper);
        let (bus, pool, board) = (Arc::clone(&self.bus), Arc::clone(&self.pool), Arc::clone(&current.board));
        let mut stages = board.watch();
        let handing_over = async move {
            release(&*pool, hold).await;
            let _ = timeout(HAND_OVER_PATIENCE, stages.wait_for(WorkState::is_over)).await;
            tell(&*bus, &handed_over(hold, &board)).await;
        };
        let told = move |(), slot: &mut Self, ctx: &mut Context<Self>| {
            if slot.current.as_ref().is_some_and(|c| c.hold == hold) {
                slot.clear(ctx);
            }
        };
        let reporter = ctx.spawn(handing_over.into_actor(self).map(told));
        self.turn_to(SessionDuty::HandsOver, reporter, ctx);
    }

    /// Another duty, and another who tells of it.
    fn turn_to(&mut self, duty: SessionDuty, reporter: SpawnHandle, ctx: &mut Context<Self>) {
        let Some(current) = self.current.as_mut() else { return };
        ctx.cancel_future(std::mem::replace(&mut current.reporter, reporter));
        current.duty = duty;
        current.stopper.wants(duty);
        self.agent.do_send(SlotDutyChanged { hold: current.hold, duty });
    }

    /// The last word of a session was taken, or there is none to say.
    fn told(&mut self, hold: Hold, ctx: &mut Context<Self>) {
        let Some(current) = self.current.as_ref().filter(|c| c.hold == hold) else { return };
        if current.board.stage() == WorkState::Abandoned {
            // Its engine is gone. It keeps its lease until it is handed back: it must not be placed here again.
            self.agent.do_send(SessionAbandoned(hold));
        } else {
            self.clear(ctx);
        }
    }

    fn keep_lease(&mut self, ctx: &mut Context<Self>) {
        let Some(Current { hold, lease, .. }) = &mut self.current else { return };
        let (hold, now, terms) = (*hold, self.clock.now(), lease.terms());
        match lease.due(now) {
            LeaseDue::Nothing => {}
            LeaseDue::Stop => self.lose_lease(hold, ctx),
            LeaseDue::Ask => {
                let pool = Arc::clone(&self.pool);
                let asking = async move { ask(&*pool, &hold, &terms).await };
                ctx.spawn(asking.into_actor(self).map(move |granted, slot, ctx| {
                    let Some(current) = slot.current.as_mut().filter(|c| c.hold == hold) else { return };
                    if !current.lease.answered(now, granted) {
                        slot.lose_lease(hold, ctx);
                    }
                }));
            }
        }
    }

    /// The slot may be somebody else's any moment.
    fn lose_lease(&mut self, hold: Hold, ctx: &mut Context<Self>) {
        warn!(session_id = %hold.session, "its lease is lost: stopped");
        let duty = self.current.as_ref().map_or(SessionDuty::Serves, |current| current.duty);
        self.clear(ctx);
        let (bus, why) = (Arc::clone(&self.bus), refusal(duty, WorkerRefusal::LeaseLost));
        actix_rt::spawn(async move { tell(&*bus, &WorkerEvent::Refused { hold, why }).await });
    }

    /// Lets go of what is here, whatever it does.
    fn clear(&mut self, ctx: &mut Context<Self>) {
        let Some(current) = self.current.take() else { return };
        let end = current.last_report();
        let Current { hold, board, since, reporter, keeper, .. } = current;
        ctx.cancel_future(reporter);
        ctx.cancel_future(keeper);
        say_let_go(hold, &board);
        self.let_go(hold, self.clock.now() - since, end);
    }

    fn refuse(&self, hold: Hold, why: WorkerRefusal, delivery: Delivery<WorkerCommand>) {
        refuse(Arc::clone(&self.bus), hold, why, delivery);
        self.let_go(hold, Duration::ZERO, None);
    }

    /// Gives the slot back to the pool and tells the agent.
    fn let_go(&self, hold: Hold, held: Duration, end: Option<Box<SessionReport>>) {
        let pool = Arc::clone(&self.pool);
        actix_rt::spawn(async move { release(&*pool, hold).await });
        self.agent.do_send(SlotFreed { hold, held, end });
    }
}

/// Logs that a placement is served no longer; fault runs read it.
fn say_let_go(hold: Hold, board: &ProgressBoard) {
    let delivered_ms = as_millis(board.delivered());
    info!(session_id = %hold.session, fence = hold.fence.0, slot = hold.slot.0, delivered_ms, "let go");
}

/// Why something is not here (any more). Of what only waited to be moved here nothing else is said: the same hold may come again, and a
/// late word of the first time must not be taken for one of the second.
fn refusal(duty: SessionDuty, why: WorkerRefusal) -> WorkerRefusal {
    if duty == SessionDuty::Waits { WorkerRefusal::NotPrepared } else { why }
}

/// Runs a session on its thread, and writes on the board how it ended.
fn perform(work: &dyn SessionRunner, assignment: &Assignment, board: &ProgressBoard, stop: &Stop) {
    let session = assignment.hold.session;
    let ended = match catch_unwind(AssertUnwindSafe(|| work.run(assignment, board, stop))) {
        Ok(Ok(end)) => Some(end),
        Ok(Err(e)) => e.end(),
        Err(panic) => {
            error!(session_id = %session, reason = words(&*panic), "a session panicked");
            Some(failed("something broke in the worker while it ran: its log says where"))
        }
    };
    let reason = ended.as_ref().map_or("abandoned", |end| end.reason.name());
    info!(session_id = %session, reason, delivered_ms = board.delivered().as_millis() as u64, "over");
    board.enter(ended.map_or(WorkState::Abandoned, |end| WorkState::Ended(Arc::new(end))));
}

fn failed(detail: &str) -> SessionEnd {
    SessionEnd::new(EndReason::Failed, detail.to_owned())
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words")
}

/// Gives a hold back; one that is gone already is no fault, and one that cannot be given back expires.
async fn release(pool: &dyn Pool, hold: Hold) {
    if let Err(e) = pool.release(&hold).await {
        warn!(error = %e, session_id = %hold.session, "a slot could not be given back: its lease will expire");
    }
}

/// Says that a command is dealt with; should that fail it comes again, and is known.
pub(super) fn acknowledge(delivery: Delivery<WorkerCommand>) {
    actix_rt::spawn(async move {
        if let Err(e) = delivery.ack().await {
            warn!(error = %e, "a command could not be acknowledged: it may come again");
        }
    });
}
