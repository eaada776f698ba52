//! Workers without an engine: they finish every session at once, or hold it until they are told to end.
//!
//! Towards pool and bus they behave as real ones do: leases are renewed, heartbeats list what runs, every session is reported
//! once a second and at each change.

use super::seen::SeenLedger;
use crate::{LoadError, setup};
use futures_util::future::join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mouthpiece_domain::fleet::{
    Assignment, Capability, Heartbeat, Hold, RunningSession, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal,
};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::recent_ends::RecentEnds;
use mouthpiece_domain::session::{FrameProgress, Phase, SessionEnd, SessionKind, SessionOutput};
use mouthpiece_domain::time::Mono;
use mouthpiece_ports::bus::{Bus, BusError, Delivery};
use mouthpiece_ports::pool::Pool;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Frames of every session that is finished at once, and what it delivers.
const FRAMES: u64 = 25;
const DELIVERED: Duration = Duration::from_secs(1);
/// Frames a second of a session that is held.
const FRAME_RATE: u64 = 25;
/// Events are offered again so often while their queue is full...
const FULL: Duration = Duration::from_millis(1);
/// ...and while the broker cannot be used, for as many times at most.
const AWAY: Duration = Duration::from_millis(100);
const AWAY_TRIES: u32 = 300;
/// Heartbeats are spread over the time between two of one worker.
const BEATS_IN_A_ROUND: u32 = 100;
/// Queues that are opened at a time.
const OPENING: usize = 16;

/// What becomes of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionPlan {
    /// It is finished as soon as it has a lease.
    FinishedAtOnce,
    /// It is held until [`NullWorkers::end_all`].
    Held {
        /// It delivers all the while, as one that is watched and spoken to.
        delivers: bool,
    },
}

/// One worker's way to bus and pool; several may share one.
#[derive(Clone)]
pub(super) struct WorkerLink {
    pub bus: Arc<dyn Bus>,
    pub pool: Arc<dyn Pool>,
}

/// How the workers are to be.
pub(super) struct WorkerTerms {
    pub lease: LeaseTerms,
    pub workers: u32,
    pub slots: u8,
    pub plan: SessionPlan,
    /// They also tell how they are whenever a slot is taken or freed, as real ones do.
    pub tell_changes: bool,
    /// Hears of every session that a worker has ended.
    pub ended: Option<UnboundedSender<SessionId>>,
}

/// A session that is held.
#[derive(Debug, Clone, Copy)]
struct HeldSession {
    hold: Hold,
    since: Instant,
}

struct NullWorker {
    id: WorkerId,
    link: WorkerLink,
    held: RefCell<Vec<HeldSession>>,
    ends: RefCell<RecentEnds>,
    /// A heartbeat is on its way, and another is wanted after it.
    beating: Cell<bool>,
    beat_again: Cell<bool>,
}

/// All workers of a farm.
pub(super) struct NullWorkers {
    terms: WorkerTerms,
    ledger: Arc<SeenLedger>,
    since: Instant,
    workers: Vec<Rc<NullWorker>>,
    lost_leases: Cell<u64>,
    skipped_beats: Cell<u64>,
    leaving: Cell<bool>,
}

impl NullWorkers {
    /// Opens all queues, then starts a task for each and one for all heartbeats; they end with the runtime. Worker ids are those
    /// from `first` on; the workers share the links evenly.
    pub(super) async fn start(
        terms: WorkerTerms,
        links: &[WorkerLink],
        first: WorkerId,
        ledger: Arc<SeenLedger>,
    ) -> Result<Rc<Self>, LoadError> {
        let worker = |(n, link): (u32, &WorkerLink)| {
            Rc::new(NullWorker {
                id: WorkerId(first.0 + u128::from(n)),
                link: link.clone(),
                held: RefCell::default(),
                ends: RefCell::default(),
                beating: Cell::new(false),
                beat_again: Cell::new(false),
            })
        };
        let workers: Vec<_> = (0..terms.workers).zip(links.iter().cycle()).map(worker).collect();
        let (lost_leases, skipped_beats, since) = (Cell::new(0), Cell::new(0), Instant::now());
        let leaving = Cell::new(false);
        let this = Rc::new(Self { terms, ledger, since, workers, lost_leases, skipped_beats, leaving });
        let opening = this.workers.iter().map(|worker| this.open(worker));
        stream::iter(opening).buffer_unordered(OPENING).try_collect::<()>().await?;
        actix_rt::spawn(Rc::clone(&this).beat_all());
        Ok(this)
    }

    /// Leases that were refused to a session that ran.
    pub(super) fn lost_leases(&self) -> u64 {
        self.lost_leases.get()
    }

    /// Heartbeats that were left out because the one before had not been taken yet.
    pub(super) fn skipped_beats(&self) -> u64 {
        self.skipped_beats.get()
    }

    /// Sessions that are held.
    pub(super) fn held(&self) -> usize {
        self.workers.iter().map(|worker| worker.held.borrow().len()).sum()
    }

    /// Ends everything that is held.
    pub(super) async fn end_all(self: &Rc<Self>) -> Result<(), LoadError> {
        let all = self.workers.iter().flat_map(|worker| {
            let held: Vec<_> = worker.held.borrow_mut().drain(..).collect();
            held.into_iter().map(move |held| (worker, held))
        });
        let endings = all.map(|(worker, held)| {
            let delivered = self.delivered(&held);
            self.end(worker, held.hold, frames_in(delivered), delivered)
        });
        stream::iter(endings).buffer_unordered(OPENING).try_collect().await
    }

    /// Takes all queues away and everything that the pool knows of the workers, as far as that can be done now.
    pub(super) async fn leave(&self) {
        self.leaving.set(true);
        let leaving = self.workers.iter().map(|worker| async move {
            let WorkerLink { bus, pool } = &worker.link;
            if let Err(error) = bus.remove(worker.id).await {
                tracing::warn!(worker_id = %worker.id, %error, "a worker's queue is left behind");
            }
            // Its heartbeat would go by itself.
            drop(pool.forget(worker.id).await);
        });
        stream::iter(leaving).buffer_unordered(OPENING).collect::<()>().await;
    }

    async fn open(self: &Rc<Self>, worker: &Rc<NullWorker>) -> Result<(), LoadError> {
        let mut tries = 0;
        let mut inbox = loop {
            match worker.link.bus.commands(worker.id, u16::from(self.terms.slots) * 2).await {
                Err(BusError::Unavailable(_)) if tries < AWAY_TRIES / 10 => tries += 1,
                opened => break opened.map_err(setup)?,
            }
            sleep(AWAY).await;
        };
        self.beat(worker).await?;
        let (this, worker) = (Rc::clone(self), Rc::clone(worker));
        actix_rt::spawn(async move {
            while let Some(delivery) = inbox.next().await {
                let (this, worker) = (Rc::clone(&this), Rc::clone(&worker));
                actix_rt::spawn(async move {
                    if let Err(error) = this.obey(&worker, delivery).await {
                        tracing::warn!(worker_id = %worker.id, %error, "a worker could not do as it was told");
                    }
                });
            }
        });
        Ok(())
    }

    /// All heartbeats, a few workers' at a time.
    async fn beat_all(self: Rc<Self>) {
        let mut tick = interval(self.terms.lease.renew() / BEATS_IN_A_ROUND);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut next = self.workers.iter().cycle();
        let (all, mut owed) = (self.workers.len() as f64, 0.0);
        loop {
            tick.tick().await;
            if self.leaving.get() {
                return;
            }
            owed += all / f64::from(BEATS_IN_A_ROUND);
            while owed >= 1.0 {
                owed -= 1.0;
                let Some(worker) = next.next() else { return };
                if worker.beating.replace(true) {
                    self.skipped_beats.set(self.skipped_beats.get() + 1);
                    continue;
                }
                let (this, worker) = (Rc::clone(&self), Rc::clone(worker));
                actix_rt::spawn(async move {
                    let told = match this.round(&worker).await {
                        Ok(()) => this.told(&worker).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = told {
                        tracing::warn!(worker_id = %worker.id, %error, "a heartbeat was not told");
                    }
                    worker.beating.set(false);
                });
            }
        }
    }

    /// What a worker does once in a renewal's time.
    async fn round(&self, worker: &NullWorker) -> Result<(), LoadError> {
        let held = worker.held.borrow().clone();
        let renewing = held.iter().map(|held| worker.link.pool.renew(&held.hold, self.terms.lease.expiry()));
        for (held, granted) in held.iter().zip(join_all(renewing).await) {
            // A pool that does not answer is asked again in the next round.
            if granted.is_ok_and(|granted| !granted) {
                worker.held.borrow_mut().retain(|one| one.hold != held.hold);
                self.lost_leases.set(self.lost_leases.get() + 1);
                self.refuse(worker, held.hold).await?;
            }
        }
        let held = worker.held.borrow().clone();
        let reports = held.iter().map(|held| {
            let delivered = self.delivered(held);
            self.report(worker, held.hold, Phase::Running, frames_in(delivered), delivered)
        });
        let (told, reported) = tokio::join!(self.beat(worker), join_all(reports));
        told?;
        reported.into_iter().collect()
    }

    /// Tells the pool and the coordinators how a worker is.
    async fn beat(&self, worker: &NullWorker) -> Result<(), LoadError> {
        let heartbeat = self.heartbeat(worker);
        worker.link.pool.announce(&heartbeat, self.terms.lease.expiry()).await.map_err(setup)?;
        self.emit(worker, WorkerEvent::Heartbeat(Box::new(heartbeat))).await
    }

    fn heartbeat(&self, worker: &NullWorker) -> Heartbeat {
        let running = worker.held.borrow();
        let listed = |held: &HeldSession| {
            let (HeldSession { hold, .. }, delivered) = (*held, self.delivered(held));
            let progress = FrameProgress { done: frames_in(delivered), total: 0 };
            let Hold { session, fence, slot, .. } = hold;
            RunningSession { session, fence, slot, phase: Phase::Running, progress, delivered, prepared: false }
        };
        Heartbeat {
            worker: worker.id,
            capability: Capability {
                name: format!("null-{}", worker.id.0 & 0xffff),
                engine: "null/1".to_owned(),
                instance_type: "local".to_owned(),
                slots: self.terms.slots,
                frames_per_second: 1000,
                impaired: None,
                machine: None,
            },
            address: None,
            draining: false,
            uptime: self.since.elapsed(),
            busy: Duration::ZERO,
            resident: Vec::new(),
            running: running.iter().map(listed).collect(),
            ended: worker.ends.borrow().at(self.now()),
        }
    }

    /// Tells of a change, at once or right after the heartbeat that is on its way.
    async fn tell_change(&self, worker: &NullWorker) -> Result<(), LoadError> {
        if !self.terms.tell_changes {
            return Ok(());
        }
        worker.beat_again.set(true);
        if worker.beating.replace(true) {
            return Ok(());
        }
        let told = self.told(worker).await;
        worker.beating.set(false);
        told
    }

    /// Tells what changed meanwhile.
    async fn told(&self, worker: &NullWorker) -> Result<(), LoadError> {
        while worker.beat_again.replace(false) {
            self.beat(worker).await?;
        }
        Ok(())
    }

    async fn obey(&self, worker: &NullWorker, delivery: Delivery<WorkerCommand>) -> Result<(), LoadError> {
        let assignment = match &delivery.body {
            WorkerCommand::Assign(assignment) => assignment.clone(),
            WorkerCommand::Stop(hold) => {
                let hold = *hold;
                delivery.ack().await.map_err(setup)?;
                return self.stop(worker, hold).await;
            }
            _ => return delivery.ack().await.map_err(setup),
        };
        let Assignment { hold, kind, lease, .. } = *assignment;
        // Nobody asks for the end of a preparation.
        let finishes = self.terms.plan == SessionPlan::FinishedAtOnce || kind == SessionKind::Prepare;
        if delivery.again && self.ledger.note(hold.session, |s| s.ran.contains(&hold)) {
            return delivery.ack().await.map_err(setup);
        }
        let granted = worker.link.pool.renew(&hold, lease.expiry()).await.map_err(setup)?;
        let now = Instant::now();
        delivery.ack().await.map_err(setup)?;
        if !granted {
            return self.refuse(worker, hold).await;
        }
        self.ledger.note(hold.session, |s| {
            s.assigned.get_or_insert(now);
            s.ran.push(hold);
        });
        if !finishes {
            worker.held.borrow_mut().push(HeldSession { hold, since: now });
        }
        self.report(worker, hold, Phase::Preparing, 0, Duration::ZERO).await?;
        self.report(worker, hold, Phase::Running, 0, Duration::ZERO).await?;
        self.tell_change(worker).await?;
        if finishes {
            self.end(worker, hold, FRAMES, DELIVERED).await?;
            self.tell_change(worker).await?;
        }
        Ok(())
    }

    /// Frees the slot of a session that a coordinator ended.
    async fn stop(&self, worker: &NullWorker, hold: Hold) -> Result<(), LoadError> {
        worker.held.borrow_mut().retain(|held| held.hold != hold);
        worker.link.pool.release(&hold).await.map_err(setup)?;
        self.tell_change(worker).await
    }

    /// Ends a session, as completed.
    async fn end(&self, worker: &NullWorker, hold: Hold, done: u64, delivered: Duration) -> Result<(), LoadError> {
        let output = SessionOutput { frames: done, length: delivered, size: [512, 512], ..SessionOutput::default() };
        let end = SessionEnd::completed(output);
        self.ledger.note(hold.session, |s| {
            s.delivered += delivered;
            s.frames = done;
        });
        let report = session_report(hold, Phase::Ended, done, delivered, Some(end));
        worker.ends.borrow_mut().note(self.now(), report.clone());
        self.emit(worker, WorkerEvent::Report(Box::new(report))).await?;
        worker.link.pool.release(&hold).await.map_err(setup)?;
        if let Some(ended) = &self.terms.ended {
            // Whoever counted may be gone.
            let _ = ended.send(hold.session);
        }
        Ok(())
    }

    async fn refuse(&self, worker: &NullWorker, hold: Hold) -> Result<(), LoadError> {
        self.emit(worker, WorkerEvent::Refused { hold, why: WorkerRefusal::LeaseLost }).await
    }

    async fn report(
        &self,
        worker: &NullWorker,
        hold: Hold,
        phase: Phase,
        done: u64,
        delivered: Duration,
    ) -> Result<(), LoadError> {
        let report = session_report(hold, phase, done, delivered, None);
        self.emit(worker, WorkerEvent::Report(Box::new(report))).await
    }

    fn now(&self) -> Mono {
        Mono(u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// What a held session has delivered so far: whole milliseconds, as reports carry them.
    fn delivered(&self, held: &HeldSession) -> Duration {
        match self.terms.plan {
            SessionPlan::Held { delivers: true } => {
                Duration::from_millis(u64::try_from(held.since.elapsed().as_millis()).unwrap_or(u64::MAX))
            }
            _ => Duration::ZERO,
        }
    }

    async fn emit(&self, worker: &NullWorker, event: WorkerEvent) -> Result<(), LoadError> {
        let mut away = 0;
        loop {
            match worker.link.bus.emit(&event).await {
                Err(BusError::Full) => sleep(FULL).await,
                Err(BusError::Unavailable(_)) if away < AWAY_TRIES => {
                    away += 1;
                    sleep(AWAY).await;
                }
                other => return other.map_err(setup),
            }
        }
    }
}

fn session_report(hold: Hold, phase: Phase, done: u64, delivered: Duration, end: Option<SessionEnd>) -> SessionReport {
    let progress = FrameProgress { done, total: 0 };
    SessionReport { hold, phase, progress, delivered, sent_bytes: 0, end }
}

fn frames_in(delivered: Duration) -> u64 {
    u64::try_from(delivered.as_millis()).unwrap_or(u64::MAX) * FRAME_RATE / 1000
}
