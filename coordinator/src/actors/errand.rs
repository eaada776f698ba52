//! What is to be done with pool and bus, and how one thing of it is done.
//!
//! A port that is away is asked again a few times; whoever waits for the answer then gets a negative one. That is always
//! safe: what was granted after all expires by itself, and what was delivered after all carries a fence.

use super::control::Control;
use super::retry::{ENDLESS, PORT};
use crate::metrics::{Metrics, PortName};
use actix::Addr;
use mouthpiece_domain::control::ControlEvent;
use mouthpiece_domain::fleet::{Hold, WorkerCommand};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::bus::{Bus, BusError};
use mouthpiece_ports::pool::{Pool, PoolError};
use mouthpiece_ports::records::SessionLedger;
use mouthpiece_ports::retry::{CallFailure, ask_again};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// When the pool cannot say whether a lease still lasts, it is asked again after this.
const UNKNOWN_LEASE: Duration = Duration::from_secs(1);

/// One thing to do about one worker.
#[derive(Debug)]
pub(super) enum ErrandOrder {
    /// Claim a slot.
    Claim { hold: Hold, expiry: Duration },
    /// Give it back.
    Release(Hold),
    /// Tell the worker.
    Send { worker: WorkerId, command: WorkerCommand },
    /// Ask how long its lease lasts.
    CheckLease(Hold),
    /// It has left: forget its holds, and take back what lies in its queue.
    Forget(WorkerId),
    /// It was not heard of for minutes: take back what lies in its queue.
    Abandon(WorkerId),
}

impl ErrandOrder {
    /// Whom it is about.
    pub(super) fn worker(&self) -> WorkerId {
        match self {
            Self::Claim { hold, .. } | Self::Release(hold) | Self::CheckLease(hold) => hold.worker,
            Self::Send { worker, .. } | Self::Forget(worker) | Self::Abandon(worker) => *worker,
        }
    }

    /// True when an event comes back for it.
    pub(super) fn is_answered(&self) -> bool {
        match self {
            Self::Claim { .. } | Self::CheckLease(_) => true,
            Self::Send { command, .. } => matches!(command, WorkerCommand::Assign(_) | WorkerCommand::Prepare(_)),
            Self::Release(_) | Self::Forget(_) | Self::Abandon(_) => false,
        }
    }
}

/// The ports, and where what comes of it goes.
#[derive(Clone)]
pub(super) struct Errands {
    pub(super) records: Arc<dyn SessionLedger>,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) pool: Arc<dyn Pool>,
    pub(super) control: Addr<Control>,
    pub(super) metrics: Arc<Metrics>,
}

impl Errands {
    /// Carries one order out; what the brain must hear of it.
    pub(super) async fn carry(&self, order: ErrandOrder) -> Option<ControlEvent> {
        match order {
            ErrandOrder::Claim { hold, expiry } => {
                let granted = self.pool("claim", || self.pool.claim(&hold, expiry)).await.unwrap_or(false);
                Some(ControlEvent::Claimed { hold, granted })
            }
            ErrandOrder::Release(hold) => {
                self.pool("release", || self.pool.release(&hold)).await;
                None
            }
            ErrandOrder::CheckLease(hold) => {
                let remaining = self.pool("remaining", || self.pool.remaining(&hold)).await;
                Some(ControlEvent::Lease { hold, remaining: remaining.unwrap_or(Some(UNKNOWN_LEASE)) })
            }
            ErrandOrder::Send { worker, command } => {
                let accepted = self.send(worker, &command).await;
                match command {
                    WorkerCommand::Assign(assignment) | WorkerCommand::Prepare(assignment) => {
                        Some(ControlEvent::Sent { hold: assignment.hold, accepted })
                    }
                    WorkerCommand::LetGo(_)
                    | WorkerCommand::Stop(_)
                    | WorkerCommand::HandOver(_)
                    | WorkerCommand::Drain => None,
                }
            }
            ErrandOrder::Forget(worker) => {
                self.pool("forget", || self.pool.forget(worker)).await;
                self.bus("remove", worker, || self.bus.remove(worker)).await;
                None
            }
            ErrandOrder::Abandon(worker) => {
                self.bus("remove", worker, || self.bus.remove(worker)).await;
                None
            }
        }
    }

    /// All open sessions, however long it takes to get them.
    pub(super) async fn sweep(&self) -> ControlEvent {
        let mut tries = 0;
        loop {
            match self.records.open_sessions().await {
                Ok(sessions) => return ControlEvent::Swept(sessions),
                Err(error) => tracing::warn!(%error, tries, "the open sessions cannot be read, trying again"),
            }
            sleep(ENDLESS.pause(tries)).await;
            tries += 1;
        }
    }

    async fn send(&self, worker: WorkerId, command: &WorkerCommand) -> bool {
        self.bus("send", worker, || self.bus.send(worker, command)).await.is_some()
    }

    async fn bus<F: Future<Output = Result<(), BusError>>>(
        &self,
        call: &'static str,
        worker: WorkerId,
        ask_it: impl FnMut() -> F,
    ) -> Option<()> {
        let hopeless = |error: &BusError| matches!(error, BusError::Unroutable(_));
        ask_again(PORT, ask_it, hopeless, |failure| {
            self.metrics.port_error(PortName::Bus, call);
            match failure {
                CallFailure::Port(error) => tracing::warn!(worker_id = %worker, %error, call, "the bus failed"),
                CallFailure::Silent => tracing::warn!(worker_id = %worker, call, "the bus did not answer in time"),
            }
        })
        .await
        .ok()
    }

    async fn pool<T, F: Future<Output = Result<T, PoolError>>>(
        &self,
        call: &'static str,
        ask_it: impl FnMut() -> F,
    ) -> Option<T> {
        ask_again(
            PORT,
            ask_it,
            |_| false,
            |failure| {
                self.metrics.port_error(PortName::Pool, call);
                match failure {
                    CallFailure::Port(error) => tracing::warn!(%error, call, "the pool failed"),
                    CallFailure::Silent => tracing::warn!(call, "the pool did not answer in time"),
                }
            },
        )
        .await
        .ok()
    }
}
