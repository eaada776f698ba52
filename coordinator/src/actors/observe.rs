//! What control's events and effects say to the metrics.

use crate::metrics::{Metrics, WorkerCounts};
use mouthpiece_domain::control::{Control as Brain, ControlEffect, ControlEvent, SubmitAnswer};
use mouthpiece_domain::fleet::{WorkerEvent, WorkerRefusal};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::Phase;
use mouthpiece_domain::time::Now;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Sessions whose first assignment is timed, at most; what comes beyond that is not.
const TIMED: usize = 16 * 1024;

/// Watches events and effects go by.
pub(super) struct Observer {
    metrics: Arc<Metrics>,
    /// When sessions were asked for that have no slot yet.
    asked: HashMap<SessionId, Instant>,
}

/// What must be known of an event when its effects are seen.
pub(super) struct ObservedEvent {
    /// Why a session would be requeued by it.
    cause: &'static str,
    /// The session whose end it put on record.
    ended: Option<SessionId>,
}

impl Observer {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, asked: HashMap::new() }
    }

    /// An event that the brain is about to handle.
    pub(super) fn before(&mut self, event: &ControlEvent) -> ObservedEvent {
        let mut ended = None;
        match event {
            ControlEvent::Submit { session, .. } if self.asked.len() < TIMED => {
                self.asked.insert(session.id, Instant::now());
            }
            ControlEvent::Written { write, outcome: Some(WriteOutcome::Applied) } => match write {
                LedgerWrite::Assign { hold, .. } => {
                    if let Some(asked) = self.asked.remove(&hold.session) {
                        self.metrics.observe_assign(asked.elapsed());
                    }
                }
                LedgerWrite::Move { from, to: (worker, _), .. } => {
                    self.metrics.live.moved();
                    tracing::info!(session_id = %from.session, from = %from.worker, to = %worker, "a live session moved");
                }
                LedgerWrite::End { session, .. } => {
                    self.asked.remove(session);
                    ended = Some(*session);
                }
                _ => {}
            },
            ControlEvent::Written { write: LedgerWrite::Create { session, .. }, .. } => {
                self.asked.remove(&session.id);
            }
            _ => {}
        }
        ObservedEvent { cause: cause(event), ended }
    }

    /// What the brain made of it.
    pub(super) fn effect(&mut self, seen: &ObservedEvent, effect: &ControlEffect) {
        match effect {
            ControlEffect::Write(LedgerWrite::Requeue { hold, .. }) => {
                self.metrics.requeued(seen.cause);
                tracing::info!(session_id = %hold.session, cause = seen.cause, "a session is placed again");
            }
            ControlEffect::Answer { session, answer } if !matches!(answer, SubmitAnswer::Accepted(_)) => {
                self.asked.remove(session);
            }
            ControlEffect::Changed(change) if change.session.phase == Phase::Ended => {
                let session = &change.session;
                self.asked.remove(&session.id);
                if let Some(end) = session.end.as_ref().filter(|_| seen.ended == Some(session.id)) {
                    self.metrics.session_ended(end.reason, session.kind);
                    tracing::info!(session_id = %session.id, reason = end.reason.name(), "a session ended");
                }
            }
            _ => {}
        }
    }

    /// Brings the gauges up to date.
    pub(super) fn gauges(&self, brain: &Brain, now: Now) {
        let counts = brain.counts();
        for (phase, sessions) in Phase::ALL.into_iter().zip(counts.sessions) {
            self.metrics.set_sessions(phase, sessions);
        }
        self.metrics.set_queue(counts.queued, brain.oldest_wait(now));
        let [idle, busy, draining, lost] = counts.workers;
        self.metrics.set_workers(WorkerCounts { idle, busy, draining, lost });
        self.metrics.set_slots(counts.slots, counts.slots_taken);
        self.metrics.set_desired_workers(counts.desired_workers);
        self.metrics.scaling.set(&brain.scaling_counts(now.mono));
    }
}

/// Why a session would be placed again because of this event.
fn cause(event: &ControlEvent) -> &'static str {
    match event {
        ControlEvent::Worker(WorkerEvent::Refused { why, .. }) => match why {
            WorkerRefusal::SlotTaken => "slot_taken",
            WorkerRefusal::Draining => "draining",
            WorkerRefusal::LeaseLost => "lease_lost",
            WorkerRefusal::Leaving => "leaving",
            WorkerRefusal::NotPrepared => "not_prepared",
        },
        ControlEvent::Worker(WorkerEvent::Goodbye { .. }) => "goodbye",
        ControlEvent::Worker(_) | ControlEvent::Roster(_) => "not_running",
        ControlEvent::Returned(_) => "returned",
        ControlEvent::Sent { .. } => "not_sent",
        ControlEvent::Lease { .. } => "lease_expired",
        ControlEvent::Swept(_) => "swept",
        ControlEvent::Tick => "overdue",
        ControlEvent::Written { .. } => "conflict",
        ControlEvent::Submit { .. }
        | ControlEvent::Cancel(_)
        | ControlEvent::Drain(_)
        | ControlEvent::Prices(_)
        | ControlEvent::Decides(_)
        | ControlEvent::Claimed { .. } => "other",
    }
}
