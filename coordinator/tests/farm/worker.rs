//! A worker that does as its script says. It keeps the rules of leases like a real one, and no others.

use mouthpiece_domain::fleet::{
    Capability, Heartbeat, Hold, RunningSession, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal,
};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::session::{EndReason, FrameProgress, Phase, SessionEnd, SlotIndex};
use mouthpiece_ports::farm_ports::ActorPorts;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What it does with an assignment.
#[derive(Debug, Clone, Copy)]
pub enum Conduct {
    /// Works for a while and completes.
    Work(Duration),
    /// The same, and says everything twice.
    Twice,
    /// Runs for a moment and ends for this reason.
    End(EndReason),
    /// Works until it is told to finish or to stop.
    Hold,
    /// Takes nothing.
    Refuse(WorkerRefusal),
}

/// Delivered by every completed session.
pub const DELIVERED: Duration = Duration::from_secs(2);

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It took an assignment up.
    Began(Hold),
    /// It completed one.
    Completed(Hold),
    /// It was told to stop one that it had.
    Stopped(Hold),
    /// It was told to drain.
    Drained,
    /// It was given a slot that was taken: a fault of whoever placed it.
    Collided(Hold),
}

enum Order {
    Finish(SessionId),
    FallSilent,
    Leave(oneshot::Sender<()>),
}

pub struct Worker {
    pub id: WorkerId,
    log: Arc<Mutex<Vec<Entry>>>,
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Worker {
    /// Returns when it has made itself known.
    pub async fn start(ports: &ActorPorts, slots: u8, lease: LeaseTerms, conduct: Conduct) -> Self {
        let id = WorkerId(uuid::Uuid::now_v7().as_u128());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (orders, told) = mpsc::unbounded_channel();
        let body = Body {
            id,
            ports: ports.clone(),
            slots,
            lease,
            conduct,
            log: Arc::clone(&log),
            runs: HashMap::new(),
            draining: false,
            started: Instant::now(),
        };
        // Its queue is open before anybody hears of it.
        let inbox = ports.bus.commands(id, 16).await.unwrap();
        body.beat().await;
        let task = tokio::task::spawn_local(body.live(inbox, told));
        Self { id, log, orders, task }
    }

    pub fn log(&self) -> Vec<Entry> {
        self.log.lock().unwrap().clone()
    }

    /// What it was given, in order.
    pub fn began(&self) -> Vec<Hold> {
        self.log().into_iter().filter_map(|e| if let Entry::Began(hold) = e { Some(hold) } else { None }).collect()
    }

    /// Completes a session that it holds.
    pub fn finish(&self, session: SessionId) {
        self.orders.send(Order::Finish(session)).ok();
    }

    /// From now on nothing is heard of it: as if its machine had lost its power.
    pub fn fall_silent(&self) {
        self.orders.send(Order::FallSilent).ok();
    }

    /// Says goodbye and goes.
    pub async fn leave(&self) {
        let (gone, left) = oneshot::channel();
        self.orders.send(Order::Leave(gone)).ok();
        left.await.unwrap();
    }
}

struct Run {
    hold: Hold,
    done_at: Option<tokio::time::Instant>,
}

struct Body {
    id: WorkerId,
    ports: ActorPorts,
    slots: u8,
    lease: LeaseTerms,
    conduct: Conduct,
    log: Arc<Mutex<Vec<Entry>>>,
    runs: HashMap<SlotIndex, Run>,
    draining: bool,
    started: Instant,
}

impl Body {
    async fn live(
        mut self,
        mut inbox: Box<dyn mouthpiece_ports::bus::BusInbox<WorkerCommand>>,
        mut told: mpsc::UnboundedReceiver<Order>,
    ) {
        let mut beat = tokio::time::interval(self.lease.renew());
        loop {
            let next_done = self.runs.values().filter_map(|run| run.done_at).min();
            let done = async {
                match next_done {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = beat.tick() => {
                    self.renew().await;
                    self.beat().await;
                }
                () = done => self.complete_due().await,
                delivery = inbox.next() => {
                    let Some(delivery) = delivery else { return };
                    let (command, receipt) = (delivery.body, delivery.receipt);
                    let begun = self.obey(command).await;
                    receipt.ack().await.unwrap();
                    if let Some(hold) = begun {
                        self.report(hold, Phase::Preparing, Duration::ZERO, None).await;
                        self.report(hold, Phase::Running, DELIVERED / 2, None).await;
                    }
                }
                order = told.recv() => match order {
                    Some(Order::Finish(session)) => {
                        for run in self.runs.values_mut().filter(|run| run.hold.session == session) {
                            run.done_at = Some(tokio::time::Instant::now());
                        }
                    }
                    Some(Order::FallSilent) | None => std::future::pending().await,
                    Some(Order::Leave(gone)) => {
                        self.emit(WorkerEvent::Goodbye { worker: self.id, ended: Vec::new() }).await;
                        gone.send(()).ok();
                        return;
                    }
                },
            }
        }
    }

    fn note(&self, entry: Entry) {
        self.log.lock().unwrap().push(entry);
    }

    /// What it takes up, if it does.
    async fn obey(&mut self, command: WorkerCommand) -> Option<Hold> {
        match command {
            WorkerCommand::Assign(assignment) => {
                let hold = assignment.hold;
                if let Conduct::Refuse(why) = self.conduct {
                    self.emit(WorkerEvent::Refused { hold, why }).await;
                    return None;
                }
                if let Some(run) = self.runs.get(&hold.slot) {
                    // Delivered again, or a fault.
                    if run.hold != hold {
                        self.note(Entry::Collided(hold));
                        self.emit(WorkerEvent::Refused { hold, why: WorkerRefusal::SlotTaken }).await;
                    }
                    return None;
                }
                if !self.ports.pool.renew(&hold, self.lease.expiry()).await.unwrap() {
                    self.emit(WorkerEvent::Refused { hold, why: WorkerRefusal::LeaseLost }).await;
                    return None;
                }
                let works = match self.conduct {
                    Conduct::Work(span) => Some(span),
                    Conduct::Twice | Conduct::End(_) => Some(Duration::from_millis(5)),
                    Conduct::Hold | Conduct::Refuse(_) => None,
                };
                let done_at = works.map(|span| tokio::time::Instant::now() + span);
                self.runs.insert(hold.slot, Run { hold, done_at });
                self.note(Entry::Began(hold));
                Some(hold)
            }
            WorkerCommand::Stop(hold) => {
                if self.runs.get(&hold.slot).is_some_and(|run| run.hold == hold) {
                    self.runs.remove(&hold.slot);
                    self.ports.pool.release(&hold).await.unwrap();
                    self.note(Entry::Stopped(hold));
                }
                None
            }
            // No session here is live.
            WorkerCommand::Prepare(_) | WorkerCommand::LetGo(_) | WorkerCommand::HandOver(_) => None,
            WorkerCommand::Drain => {
                self.draining = true;
                self.note(Entry::Drained);
                self.beat().await;
                None
            }
        }
    }

    async fn complete_due(&mut self) {
        let now = tokio::time::Instant::now();
        let due = |run: &Run| run.done_at.is_some_and(|at| at <= now);
        let holds: Vec<Hold> = self.runs.values().filter(|run| due(run)).map(|run| run.hold).collect();
        for hold in holds {
            self.runs.remove(&hold.slot);
            self.note(Entry::Completed(hold));
            let why = if let Conduct::End(why) = self.conduct { why } else { EndReason::Completed };
            let end = SessionEnd::new(why, None);
            self.report(hold, Phase::Ended, DELIVERED, Some(end)).await;
            self.ports.pool.release(&hold).await.unwrap();
        }
    }

    async fn report(&self, hold: Hold, phase: Phase, delivered: Duration, end: Option<SessionEnd>) {
        let report =
            SessionReport { hold, phase, progress: FrameProgress { done: 1, total: 2 }, delivered, sent_bytes: 0, end };
        let event = WorkerEvent::Report(Box::new(report));
        if matches!(self.conduct, Conduct::Twice) {
            self.emit(event.clone()).await;
        }
        self.emit(event).await;
    }

    async fn emit(&self, event: WorkerEvent) {
        self.ports.bus.emit(&event).await.unwrap();
    }

    /// What it cannot renew it gives up.
    async fn renew(&mut self) {
        let holds: Vec<Hold> = self.runs.values().map(|run| run.hold).collect();
        for hold in holds {
            if !self.ports.pool.renew(&hold, self.lease.expiry()).await.unwrap() {
                self.runs.remove(&hold.slot);
                self.emit(WorkerEvent::Refused { hold, why: WorkerRefusal::LeaseLost }).await;
            }
        }
    }

    async fn beat(&self) {
        let running = |run: &Run| RunningSession {
            session: run.hold.session,
            fence: run.hold.fence,
            slot: run.hold.slot,
            phase: Phase::Running,
            progress: FrameProgress { done: 1, total: 2 },
            delivered: DELIVERED / 2,
            prepared: false,
        };
        let heartbeat = Heartbeat {
            worker: self.id,
            capability: Capability {
                name: "scripted".into(),
                engine: "none/1".into(),
                instance_type: "local".into(),
                slots: self.slots,
                frames_per_second: 100,
                impaired: None,
                machine: None,
            },
            address: None,
            draining: self.draining,
            uptime: self.started.elapsed(),
            busy: Duration::ZERO,
            resident: Vec::new(),
            running: self.runs.values().map(running).collect(),
            ended: Vec::new(),
        };
        self.ports.pool.announce(&heartbeat, self.lease.expiry()).await.unwrap();
        self.emit(WorkerEvent::Heartbeat(Box::new(heartbeat))).await;
    }
}
