//! What control's events and effects say to the metrics.

use crate::metrics::{Metrics, WorkerCounts};
use mouthpiece_domain::control::{Answer, Control as Brain, Effect, Event};
use mouthpiece_domain::fleet::{Refusal, WorkerEvent};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{Write, Written};
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
    pub(super) fn before(&mut self, event: &Event) -> ObservedEvent {
        let mut ended = None;
        match event {
            Event::Submit { session, .. } if self.asked.len() < TIMED => {
                self.asked.insert(session.id, Instant::now());
            }
            Event::Written { write, outcome: Some(Written::Applied) } => match write {
                Write::Assign { hold, .. } => {
                    if let Some(asked) = self.asked.remove(&hold.session) {
                        self.metrics.observe_assign(asked.elapsed());
                    }
                }
                Write::End { session, .. } => {
                    self.asked.remove(session);
                    ended = Some(*session);
                }
                _ => {}
            },
            Event::Written { write: Write::Create { session, .. }, .. } => {
                self.asked.remove(&session.id);
            }
            _ => {}
        }
        ObservedEvent { cause: cause(event), ended }
    }

    /// What the brain made of it.
    pub(super) fn effect(&mut self, seen: &ObservedEvent, effect: &Effect) {
        match effect {
            Effect::Write(Write::Requeue { hold, .. }) => {
                self.metrics.requeued(seen.cause);
                tracing::info!(session_id = %hold.session, cause = seen.cause, "a session is placed again");
            }
            Effect::Answer { session, answer } if !matches!(answer, Answer::Accepted(_)) => {
                self.asked.remove(session);
            }
            Effect::Changed(change) if change.session.phase == Phase::Ended => {
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
    }
}

/// Why a session would be placed again because of this event.
fn cause(event: &Event) -> &'static str {
    match event {
        Event::Worker(WorkerEvent::Refused { why, .. }) => match why {
            Refusal::SlotTaken => "slot_taken",
            Refusal::Draining => "draining",
            Refusal::LeaseLost => "lease_lost",
            Refusal::Leaving => "leaving",
        },
        Event::Worker(WorkerEvent::Goodbye { .. }) => "goodbye",
        Event::Worker(_) | Event::Roster(_) => "not_running",
        Event::Returned(_) => "returned",
        Event::Sent { .. } => "not_sent",
        Event::Lease { .. } => "lease_expired",
        Event::Swept(_) => "swept",
        Event::Tick => "overdue",
        Event::Written { .. } => "conflict",
        Event::Submit { .. } | Event::Cancel(_) | Event::Drain(_) | Event::Claimed { .. } => "other",
    }
}
