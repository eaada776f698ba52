//! Workers that finish every session at once.

use super::seen::SeenLedger;
use crate::{LoadError, setup};
use mouthpiece_domain::fleet::{
    Assignment, Capability, Heartbeat, Hold, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal,
};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::session::{EndReason, FrameProgress, Phase, SessionEnd, SessionOutput};
use mouthpiece_ports::bus::{Bus, BusError, Delivery};
use mouthpiece_ports::pool::Pool;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Frames of every session, and what it delivers.
pub(super) const FRAMES: u64 = 25;
pub(super) const DELIVERED: Duration = Duration::from_secs(1);
/// Events are offered again so often while their queue is full.
const FULL: Duration = Duration::from_millis(1);
/// Heartbeats are spread over the time between two of one worker.
const BEATS_IN_A_ROUND: u32 = 100;

/// All workers of a farm.
#[derive(Clone)]
pub(super) struct Workers {
    pub bus: Arc<dyn Bus>,
    pub pool: Arc<dyn Pool>,
    pub lease: LeaseTerms,
    pub ledger: Arc<SeenLedger>,
    pub ids: Rc<[WorkerId]>,
    pub slots: u8,
    pub since: Instant,
}

impl Workers {
    /// Opens all queues, starts a task for each and one for all heartbeats; they end with the runtime.
    pub(super) async fn start(self) -> Result<(), LoadError> {
        for id in self.ids.iter().copied() {
            let mut inbox = self.bus.commands(id, u16::from(self.slots) * 2).await.map_err(setup)?;
            self.beat(id).await?;
            let workers = self.clone();
            actix_rt::spawn(async move {
                while let Some(delivery) = inbox.next().await {
                    if workers.obey(delivery).await.is_err() {
                        break;
                    }
                }
            });
        }
        actix_rt::spawn(async move {
            let mut tick = interval(self.lease.renew() / BEATS_IN_A_ROUND);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut beats = self.ids.iter().copied().cycle();
            loop {
                tick.tick().await;
                for id in beats.by_ref().take(self.ids.len().div_ceil(BEATS_IN_A_ROUND as usize)) {
                    if self.beat(id).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(())
    }

    async fn beat(&self, worker: WorkerId) -> Result<(), LoadError> {
        let heartbeat = Heartbeat {
            worker,
            capability: Capability {
                name: format!("null-{}", worker.0),
                engine: "null/1".to_owned(),
                instance_type: "local".to_owned(),
                slots: self.slots,
                frames_per_second: 1000,
                machine: None,
            },
            address: None,
            draining: false,
            uptime: self.since.elapsed(),
            busy: Duration::ZERO,
            resident: Vec::new(),
            running: Vec::new(),
            ended: Vec::new(),
        };
        self.pool.announce(&heartbeat, self.lease.expiry()).await.map_err(setup)?;
        self.emit(WorkerEvent::Heartbeat(Box::new(heartbeat))).await
    }

    async fn obey(&self, delivery: Delivery<WorkerCommand>) -> Result<(), LoadError> {
        let WorkerCommand::Assign(assignment) = &delivery.body else { return delivery.ack().await.map_err(setup) };
        let Assignment { hold, lease, .. } = **assignment;
        let granted = self.pool.renew(&hold, lease.expiry()).await.map_err(setup)?;
        delivery.ack().await.map_err(setup)?;
        if !granted {
            return self.emit(WorkerEvent::Refused { hold, why: WorkerRefusal::LeaseLost }).await;
        }
        let now = Instant::now();
        self.ledger.note(hold.session, |s| {
            s.assigned.get_or_insert(now);
            s.ran.push(hold);
        });
        self.report(hold, Phase::Preparing, 0, None).await?;
        self.report(hold, Phase::Running, 0, None).await?;
        let output = SessionOutput { frames: FRAMES, length: DELIVERED, size: [512, 512], ..SessionOutput::default() };
        let end = SessionEnd { output: Some(output), ..SessionEnd::new(EndReason::Completed, None) };
        self.ledger.note(hold.session, |s| s.delivered += DELIVERED);
        self.report(hold, Phase::Ended, FRAMES, Some(end)).await?;
        self.pool.release(&hold).await.map_err(setup)?;
        Ok(())
    }

    async fn report(&self, hold: Hold, phase: Phase, done: u64, end: Option<SessionEnd>) -> Result<(), LoadError> {
        let delivered = if done == FRAMES { DELIVERED } else { Duration::ZERO };
        let progress = FrameProgress { done, total: FRAMES };
        self.emit(WorkerEvent::Report(Box::new(SessionReport { hold, phase, progress, delivered, sent_bytes: 0, end })))
            .await
    }

    async fn emit(&self, event: WorkerEvent) -> Result<(), LoadError> {
        loop {
            match self.bus.emit(&event).await {
                Err(BusError::Full) => sleep(FULL).await,
                other => return other.map_err(setup),
            }
        }
    }
}
