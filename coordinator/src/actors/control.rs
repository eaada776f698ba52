//! Control: the brain's shell.
//!
//! Each message becomes one or more events; the brain decides; what it decided is gathered and sent off once a message.
//! No handler waits for anything.

use super::clock::FarmClock;
use super::dispatch::Dispatch;
use super::errand::ErrandOrder;
use super::fleet::Fleet;
use super::ledger::Ledger;
use super::messages::{
    Cancel, ControlHappened, Decides, Desire, Drain, Lookup, OrdersFor, Quiesce, Retire, Roster, StopListening, Submit,
    Sweep, View, WhenWritten, WriteBatch,
};
use super::observe::Observer;
use crate::farm::{FarmError, FarmNews};
use crate::metrics::Metrics;
use actix::{Actor, Addr, AsyncContext, Context, Handler, MessageResult, SpawnHandle};
use mouthpiece_domain::control::{Control as Brain, ControlEffect, ControlEvent, ControlSettings, SubmitAnswer};
use mouthpiece_domain::fleet::DepartedWorker;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::LedgerWrite;
use mouthpiece_domain::session::Phase;
use mouthpiece_domain::time::Mono;
use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, oneshot, watch};

/// With so much to write outstanding, no new session is taken and nothing is received from the bus...
const BEHIND: usize = 8192;
/// ...until no more than this is left.
const CAUGHT_UP: usize = 2048;
/// How often gauges are brought up to date.
const GAUGES_EVERY: Duration = Duration::from_secs(1);

/// Whom control talks to.
pub(super) struct Others {
    pub(super) ledger: Addr<Ledger>,
    pub(super) dispatch: Addr<Dispatch>,
    pub(super) fleet: Addr<Fleet>,
    pub(super) hub: broadcast::Sender<FarmNews>,
    pub(super) behind: watch::Sender<bool>,
    pub(super) metrics: Arc<Metrics>,
}

/// What one message's events led to.
#[derive(Default)]
struct Outgoing {
    writes: Vec<LedgerWrite>,
    orders: Vec<ErrandOrder>,
    retired: Vec<DepartedWorker>,
    sweep: bool,
    desired: Option<u32>,
    farm_changed: bool,
}

/// What was sent off and has not come back.
#[derive(Default)]
struct UnderWay {
    writes: usize,
    orders: usize,
}

/// Owns the brain, and the answers that callers wait for.
pub(super) struct Control {
    brain: Brain,
    clock: FarmClock,
    others: Others,
    observer: Observer,
    out: Outgoing,
    under_way: UnderWay,
    answers: HashMap<SessionId, oneshot::Sender<Result<SubmitAnswer, FarmError>>>,
    timer: Option<(Mono, SpawnHandle)>,
    /// How long the right to decide on the fleet lasts from when it was asked for.
    decides_for: Duration,
    stopping: bool,
    at_rest: Vec<oneshot::Sender<()>>,
}

impl Control {
    pub(super) fn new(settings: ControlSettings, others: Others) -> Self {
        let clock = FarmClock::new();
        let decides_for = settings.lease.hard_stop();
        Self {
            decides_for,
            brain: Brain::new(settings, clock.now()),
            clock,
            observer: Observer::new(Arc::clone(&others.metrics)),
            others,
            out: Outgoing::default(),
            under_way: UnderWay::default(),
            answers: HashMap::new(),
            timer: None,
            stopping: false,
            at_rest: Vec::new(),
        }
    }

    /// One event through the brain; what it decided is gathered.
    fn feed(&mut self, event: ControlEvent) {
        self.note(&event);
        let seen = self.observer.before(&event);
        for effect in self.brain.handle(event, self.clock.now()) {
            self.observer.effect(&seen, &effect);
            match effect {
                ControlEffect::Write(write) => self.out.writes.push(write),
                ControlEffect::Claim { hold, expiry } => self.out.orders.push(ErrandOrder::Claim { hold, expiry }),
                ControlEffect::Release(hold) => self.out.orders.push(ErrandOrder::Release(hold)),
                ControlEffect::Send { worker, command } => self.out.orders.push(ErrandOrder::Send { worker, command }),
                ControlEffect::CheckLease(hold) => self.out.orders.push(ErrandOrder::CheckLease(hold)),
                ControlEffect::Sweep => self.out.sweep = true,
                ControlEffect::Forget(worker) => self.out.orders.push(ErrandOrder::Forget(worker)),
                ControlEffect::Abandon(worker) => self.out.orders.push(ErrandOrder::Abandon(worker)),
                ControlEffect::Retire(left) => self.out.retired.push(left),
                ControlEffect::Answer { session, answer } => {
                    if let Some(asker) = self.answers.remove(&session) {
                        // A caller that has gone away asks again, or looks the session up.
                        let _ = asker.send(Ok(answer));
                    }
                }
                ControlEffect::Changed(change) => {
                    self.out.farm_changed |=
                        matches!(change.session.phase, Phase::Requested | Phase::Assigned | Phase::Ended);
                    self.tell(|| FarmNews::Session(Arc::new(*change)));
                }
                ControlEffect::WorkerChanged(_) => self.out.farm_changed = true,
                ControlEffect::Desired(workers) => self.out.desired = Some(workers),
            }
        }
    }

    /// Counts what has come back.
    fn note(&mut self, event: &ControlEvent) {
        match event {
            ControlEvent::Written { .. } => self.under_way.writes = self.under_way.writes.saturating_sub(1),
            ControlEvent::Claimed { .. } | ControlEvent::Sent { .. } | ControlEvent::Lease { .. } => {
                self.under_way.orders = self.under_way.orders.saturating_sub(1);
            }
            _ => {}
        }
    }

    fn tell(&self, news: impl FnOnce() -> FarmNews) {
        if self.others.hub.receiver_count() > 0 {
            // An error means that the last watcher has just gone.
            let _ = self.others.hub.send(news());
        }
    }

    /// Sends off what was gathered and sets the timer. Ends every handler that feeds the brain.
    fn flush(&mut self, ctx: &mut Context<Self>) {
        let Outgoing { writes, orders, retired, sweep, desired, farm_changed } = take(&mut self.out);
        if !writes.is_empty() {
            self.under_way.writes += writes.len();
            self.others.ledger.do_send(WriteBatch(writes));
        }
        if !orders.is_empty() {
            self.under_way.orders += orders.iter().filter(|order| order.is_answered()).count();
            self.others.dispatch.do_send(OrdersFor(orders));
        }
        for left in retired {
            self.others.fleet.do_send(Retire(left));
        }
        if sweep {
            self.others.dispatch.do_send(Sweep);
        }
        if let Some(workers) = desired {
            self.others.metrics.set_desired_workers(workers);
            self.others.fleet.do_send(Desire(workers));
        }
        if farm_changed {
            self.tell(|| FarmNews::Farm);
        }
        let outstanding = self.under_way.writes;
        self.others.behind.send_if_modified(|behind| {
            let now = if *behind { outstanding > CAUGHT_UP } else { outstanding > BEHIND };
            now != std::mem::replace(behind, now)
        });
        if !self.at_rest.is_empty() && self.is_at_rest() {
            for waiter in self.at_rest.drain(..) {
                let _ = waiter.send(());
            }
        }
        self.set_timer(ctx);
    }

    fn is_at_rest(&self) -> bool {
        self.under_way.writes == 0 && self.under_way.orders == 0 && self.answers.is_empty()
    }

    /// One timer, for when the brain is due. One that fires early costs less than setting it anew for each event, so it is
    /// only ever moved forward.
    fn set_timer(&mut self, ctx: &mut Context<Self>) {
        if self.stopping {
            return;
        }
        let Some(due) = self.brain.due() else { return };
        if let Some((set_for, handle)) = self.timer {
            if set_for <= due {
                return;
            }
            ctx.cancel_future(handle);
        }
        let wait = (due - self.clock.now().mono).max(Duration::from_millis(1));
        let handle = ctx.run_later(wait, |act, ctx| {
            act.timer = None;
            let now = act.clock.now().mono;
            if act.brain.due().is_some_and(|due| due <= now) {
                act.feed(ControlEvent::Tick);
                act.flush(ctx);
            } else {
                act.set_timer(ctx);
            }
        });
        self.timer = Some((due, handle));
    }
}

impl Actor for Control {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(GAUGES_EVERY, |act, _| act.observer.gauges(&act.brain, act.clock.now()));
    }
}

impl Handler<Submit> for Control {
    type Result = ();

    fn handle(&mut self, asked: Submit, ctx: &mut Self::Context) {
        let Submit { session, idempotency, max_open, answer } = asked;
        if self.stopping || *self.others.behind.borrow() {
            let error = if self.stopping { FarmError::Stopped } else { FarmError::Overwhelmed };
            let _ = answer.send(Err(error));
            return;
        }
        self.answers.insert(session.id, answer);
        self.feed(ControlEvent::Submit { session, idempotency, max_open });
        self.flush(ctx);
    }
}

impl Handler<Cancel> for Control {
    type Result = ();

    fn handle(&mut self, Cancel(id): Cancel, ctx: &mut Self::Context) {
        self.feed(ControlEvent::Cancel(id));
        self.flush(ctx);
    }
}

impl Handler<Drain> for Control {
    type Result = Option<Vec<SessionId>>;

    fn handle(&mut self, Drain(id): Drain, ctx: &mut Self::Context) -> Self::Result {
        let running = self.brain.running_on(id)?;
        self.feed(ControlEvent::Drain(id));
        self.flush(ctx);
        Some(running)
    }
}

impl Handler<View> for Control {
    type Result = MessageResult<View>;

    fn handle(&mut self, _: View, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.brain.view(self.clock.now()))
    }
}

impl Handler<Lookup> for Control {
    type Result = MessageResult<Lookup>;

    fn handle(&mut self, Lookup(id): Lookup, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.brain.session(id))
    }
}

impl Handler<ControlHappened> for Control {
    type Result = ();

    fn handle(&mut self, ControlHappened(events): ControlHappened, ctx: &mut Self::Context) {
        for event in events {
            self.feed(event);
        }
        self.flush(ctx);
    }
}

impl Handler<WhenWritten> for Control {
    type Result = ();

    fn handle(&mut self, asked: WhenWritten, _: &mut Self::Context) {
        // Behind the writes of whatever happened before.
        self.others.ledger.do_send(asked);
    }
}

impl Handler<Roster> for Control {
    type Result = ();

    fn handle(&mut self, Roster(heartbeats): Roster, ctx: &mut Self::Context) {
        self.feed(ControlEvent::Roster(heartbeats));
        self.flush(ctx);
    }
}

impl Handler<Decides> for Control {
    type Result = ();

    fn handle(&mut self, Decides { asked, granted }: Decides, ctx: &mut Self::Context) {
        // As with any lease: who holds it stops before the pool could give it to another.
        let left = granted.then(|| self.decides_for.saturating_sub(asked.elapsed()));
        self.feed(ControlEvent::Decides(left));
        self.flush(ctx);
    }
}

impl Handler<Quiesce> for Control {
    type Result = ();

    fn handle(&mut self, Quiesce(waiter): Quiesce, ctx: &mut Self::Context) {
        self.stopping = true;
        self.others.dispatch.do_send(StopListening);
        if let Some((_, handle)) = self.timer.take() {
            ctx.cancel_future(handle);
        }
        self.at_rest.push(waiter);
        self.flush(ctx);
    }
}
