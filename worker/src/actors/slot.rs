//! The slot actor: owns what runs in one slot, from the lease's first renewal to the last word about it.
//!
//! The pipeline runs on a thread of its own and writes how far it is on a board; what is said of it is read from there.
//! A slot is free for the next session as soon as this actor let go of the last one: its thread sees that at its next
//! frame and ends by itself.

use super::agent::Agent;
use super::lease::{Due, Lease, ask, ask_patiently, pace};
use super::messages::{Broken, Freed, Halt, Occupied, Take, Yield};
use super::tell::{news, refuse, report, tell};
use crate::board::{Board, WorkState};
use crate::clock::Clock;
use crate::failure::WorkerFailure;
use crate::stop::{Stop, Stopper, stop};
use crate::work::Work;
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, ResponseFuture, SpawnHandle, WrapFuture};
use mouthpiece_domain::fleet::{Assignment, Command, Hold, Refusal, WorkerEvent};
use mouthpiece_domain::session::{End, EndReason};
use mouthpiece_domain::time::Mono;
use mouthpiece_ports::bus::{Bus, Delivery};
use mouthpiece_ports::pool::Pool;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tracing::{error, info, warn};

/// One slot.
pub struct Slot {
    bus: Arc<dyn Bus>,
    pool: Arc<dyn Pool>,
    work: Arc<dyn Work>,
    agent: Addr<Agent>,
    clock: Clock,
    /// Assignments for which the pool is being asked.
    taking: Vec<Hold>,
    current: Option<Current>,
    /// The worker leaves.
    leaving: bool,
}

/// What runs in a slot.
struct Current {
    hold: Hold,
    board: Arc<Board>,
    lease: Lease,
    since: Mono,
    /// Dropped with this: then the pipeline ends.
    _stopper: Stopper,
    reporter: SpawnHandle,
    keeper: SpawnHandle,
}

impl Actor for Slot {
    type Context = Context<Self>;
}

impl Handler<Take> for Slot {
    type Result = ();

    fn handle(&mut self, Take { assignment, delivery }: Take, ctx: &mut Context<Self>) {
        let hold = assignment.hold;
        if self.is_taken() {
            return self.refuse(hold, Refusal::SlotTaken, delivery);
        }
        self.taking.push(hold);
        let (pool, clock, terms) = (Arc::clone(&self.pool), self.clock, assignment.lease);
        let asking = async move { ask_patiently(&*pool, &hold, &terms, clock).await };
        ctx.spawn(asking.into_actor(self).map(move |asked, slot, ctx| slot.answered(asked, assignment, delivery, ctx)));
    }
}

impl Handler<Halt> for Slot {
    type Result = ();

    fn handle(&mut self, Halt(hold): Halt, ctx: &mut Context<Self>) {
        self.taking.retain(|h| *h != hold);
        if self.current.as_ref().is_some_and(|c| c.hold == hold) {
            info!(session_id = %hold.session, "stopped");
            self.clear(ctx);
        }
    }
}

impl Handler<Yield> for Slot {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Yield { hand_over }: Yield, ctx: &mut Context<Self>) -> Self::Result {
        self.leaving = true;
        self.taking.clear();
        let (bus, pool) = (Arc::clone(&self.bus), Arc::clone(&self.pool));
        let current = self.current.take();
        if let Some(Current { reporter, keeper, .. }) = &current {
            ctx.cancel_future(*reporter);
            ctx.cancel_future(*keeper);
        }
        Box::pin(async move {
            let Some(Current { hold, board, .. }) = current else { return };
            let last_word = match board.stage() {
                // It was done; only its last report was not taken yet.
                WorkState::Ended(_) => Some(news(hold, &board, &board.stage())),
                _ => hand_over.then_some(WorkerEvent::Refused { hold, why: Refusal::Leaving }),
            };
            if let Some(event) = last_word {
                tell(&*bus, &event).await;
            }
            release(&*pool, hold).await;
        })
    }
}

impl Slot {
    /// A free slot that does `work`.
    pub fn new(bus: Arc<dyn Bus>, pool: Arc<dyn Pool>, work: Arc<dyn Work>, agent: Addr<Agent>, clock: Clock) -> Self {
        Self { bus, pool, work, agent, clock, taking: Vec::new(), current: None, leaving: false }
    }

    /// True while something runs that is not over.
    fn is_taken(&self) -> bool {
        self.current.as_ref().is_some_and(|c| !c.board.stage().is_over())
    }

    /// The pool answered: the lease was granted to a question of `asked`, or not.
    fn answered(
        &mut self,
        asked: Option<Mono>,
        assignment: Box<Assignment>,
        delivery: Delivery<Command>,
        ctx: &mut Context<Self>,
    ) {
        let hold = assignment.hold;
        let Some(at) = self.taking.iter().position(|h| *h == hold) else {
            // Stopped meanwhile. When the worker leaves, the delivery goes back with its queue.
            self.let_go(hold, Duration::ZERO);
            if !self.leaving {
                acknowledge(delivery);
            }
            return;
        };
        self.taking.swap_remove(at);
        match asked {
            None => self.refuse(hold, Refusal::LeaseLost, delivery),
            Some(_) if self.is_taken() => self.refuse(hold, Refusal::SlotTaken, delivery),
            Some(asked) => {
                // The pool gave the slot on: what is over here is known to be.
                self.clear(ctx);
                acknowledge(delivery);
                self.start(asked, assignment, ctx);
            }
        }
    }

    fn start(&mut self, asked: Mono, assignment: Box<Assignment>, ctx: &mut Context<Self>) {
        let (hold, terms) = (assignment.hold, assignment.lease);
        info!(session_id = %hold.session, fence = hold.fence.0, slot = hold.slot.0, kind = assignment.kind.name(), "taken up");
        let board = Arc::new(Board::default());
        let (stopper, stop) = stop();
        let (work, of_thread) = (Arc::clone(&self.work), Arc::clone(&board));
        let name = format!("slot-{}", hold.slot.0);
        let started = thread::Builder::new().name(name).spawn(move || perform(&*work, &assignment, &of_thread, &stop));
        if let Err(e) = started {
            error!(error = %e, "no thread could be started");
            board.enter(WorkState::Ended(Arc::new(failed("the worker has no thread to run it on"))));
        }
        let (bus, of_report) = (Arc::clone(&self.bus), Arc::clone(&board));
        let reporting = async move { report(&*bus, hold, of_report).await };
        let reporter = ctx.spawn(reporting.into_actor(self).map(move |(), slot, ctx| slot.told(hold, ctx)));
        let keeper = ctx.run_interval(pace(&terms), |slot, ctx| slot.keep_lease(ctx));
        let since = self.clock.now();
        self.agent.do_send(Occupied { hold, board: Arc::clone(&board), since });
        let lease = Lease::new(terms, asked);
        self.current = Some(Current { hold, board, lease, since, _stopper: stopper, reporter, keeper });
    }

    /// The last word of a session was taken, or there is none to say.
    fn told(&mut self, hold: Hold, ctx: &mut Context<Self>) {
        let Some(current) = self.current.as_ref().filter(|c| c.hold == hold) else { return };
        if current.board.stage() == WorkState::Abandoned {
            // Its engine is gone. It keeps its lease until the worker said goodbye: it must not be placed here again.
            self.agent.do_send(Broken(WorkerFailure::EngineGone));
        } else {
            self.clear(ctx);
        }
    }

    fn keep_lease(&mut self, ctx: &mut Context<Self>) {
        let Some(Current { hold, lease, .. }) = &mut self.current else { return };
        let (hold, now, terms) = (*hold, self.clock.now(), lease.terms());
        match lease.due(now) {
            Due::Nothing => {}
            Due::Stop => self.lose_lease(hold, ctx),
            Due::Ask => {
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
        self.clear(ctx);
        let bus = Arc::clone(&self.bus);
        actix_rt::spawn(async move { tell(&*bus, &WorkerEvent::Refused { hold, why: Refusal::LeaseLost }).await });
    }

    /// Lets go of what is here, whatever it does.
    fn clear(&mut self, ctx: &mut Context<Self>) {
        let Some(Current { hold, since, reporter, keeper, .. }) = self.current.take() else { return };
        ctx.cancel_future(reporter);
        ctx.cancel_future(keeper);
        self.let_go(hold, self.clock.now() - since);
    }

    fn refuse(&self, hold: Hold, why: Refusal, delivery: Delivery<Command>) {
        refuse(Arc::clone(&self.bus), hold, why, delivery);
        self.let_go(hold, Duration::ZERO);
    }

    /// Gives the slot back to the pool and tells the agent.
    fn let_go(&self, hold: Hold, held: Duration) {
        let pool = Arc::clone(&self.pool);
        actix_rt::spawn(async move { release(&*pool, hold).await });
        self.agent.do_send(Freed { hold, held });
    }
}

/// Runs a session on its thread, and writes on the board how it ended.
fn perform(work: &dyn Work, assignment: &Assignment, board: &Board, stop: &Stop) {
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

fn failed(detail: &str) -> End {
    End::new(EndReason::Failed, detail.to_owned())
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
pub(super) fn acknowledge(delivery: Delivery<Command>) {
    actix_rt::spawn(async move {
        if let Err(e) = delivery.ack().await {
            warn!(error = %e, "a command could not be acknowledged: it may come again");
        }
    });
}
