//! The farm as the brain sees it, for pages and metrics.

use super::Control;
use super::slots::KnownWorker;
use crate::fleet::Capability;
use crate::ids::{AvatarId, SessionId, WorkerId};
use crate::session::{FrameProgress, Phase, SessionKind, SlotIndex};
use crate::time::Now;
use crate::warm_pool::ScalingMode;
use std::time::Duration;

/// How a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// Nothing runs there.
    Idle,
    /// Something runs there.
    Busy,
    /// It takes nothing new.
    Draining,
    /// It was not heard of for longer than a lease.
    Lost,
}

/// What is in a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotView {
    /// Counted from 0 on its worker.
    pub slot: SlotIndex,
    /// The session in it.
    pub session: Option<SlotSession>,
}

/// A session in a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotSession {
    /// Its id.
    pub id: SessionId,
    /// What it does.
    pub kind: SessionKind,
    /// The avatar that is drawn.
    pub avatar: AvatarId,
    /// The phase that it is in.
    pub phase: Phase,
    /// Frames made.
    pub progress: FrameProgress,
    /// Since it got the slot.
    pub age: Duration,
}

/// One worker.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerView {
    /// Its id.
    pub id: WorkerId,
    /// What it offers.
    pub capability: Capability,
    /// How it is.
    pub state: WorkerState,
    /// By its own clock.
    pub up: Duration,
    /// Since its last report.
    pub seen_ago: Duration,
    /// Its slots in order.
    pub slots: Vec<SlotView>,
    /// Content hashes of the avatars that it holds.
    pub resident: Vec<String>,
}

/// The whole farm.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FarmView {
    /// Workers by id.
    pub workers: Vec<WorkerView>,
    /// Sessions that wait for a slot.
    pub queue_length: u32,
    /// How long the oldest of them has waited.
    pub oldest_wait: Option<Duration>,
    /// At most so many may wait.
    pub queue_limit: u32,
    /// Workers wanted, the warm pool included.
    pub desired_workers: u32,
    /// Who starts and stops them.
    pub scaling: ScalingMode,
}

/// How many of what, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FarmCounts {
    /// Open sessions by the rank of their phase (ended ones are not held).
    pub sessions: [u32; 5],
    /// Sessions that wait for a slot.
    pub queued: u32,
    /// Workers that are idle, busy, draining, lost.
    pub workers: [u32; 4],
    /// Slots of workers that take new sessions.
    pub slots: u32,
    /// Those of them that are taken.
    pub slots_taken: u32,
    /// Workers wanted.
    pub desired_workers: u32,
}

impl Control {
    /// The farm now.
    pub fn view(&self, now: Now) -> FarmView {
        let mut workers: Vec<WorkerView> = self.slots.iter().map(|(id, w)| self.worker_view(id, w, now)).collect();
        workers.sort_unstable_by_key(|w| w.id);
        FarmView {
            workers,
            queue_length: self.queue.len(),
            oldest_wait: self.oldest_wait(now),
            queue_limit: self.settings.queue_limit,
            desired_workers: self.scaling.wanted(),
            scaling: self.settings.scaling,
        }
    }

    /// How long the oldest waiting session has waited.
    pub fn oldest_wait(&self, now: Now) -> Option<Duration> {
        let oldest = self.queue.first().and_then(|id| self.sessions.get(&id));
        oldest.map(|held| now.mono - held.waiting)
    }

    /// Numbers for metrics.
    pub fn counts(&self) -> FarmCounts {
        let mut counts = FarmCounts {
            queued: self.queue.len(),
            slots: self.slots.offered(),
            slots_taken: self.slots.offered() - self.slots.free(),
            desired_workers: self.scaling.wanted(),
            ..FarmCounts::default()
        };
        for held in self.sessions.values() {
            if let Some(n) = counts.sessions.get_mut(usize::from(held.session.phase.rank())) {
                *n += 1;
            }
        }
        for (_, worker) in self.slots.iter() {
            counts.workers[state(worker) as usize] += 1;
        }
        counts
    }

    fn worker_view(&self, id: WorkerId, worker: &KnownWorker, now: Now) -> WorkerView {
        let slots = worker.slots().map(|(slot, session)| SlotView {
            slot,
            session: session.and_then(|s| self.sessions.get(&s)).map(|held| SlotSession {
                id: held.session.id,
                kind: held.session.kind,
                avatar: held.session.avatar,
                phase: held.session.phase,
                progress: held.session.progress,
                age: now.mono - held.placed,
            }),
        });
        WorkerView {
            id,
            capability: worker.capability.clone(),
            state: state(worker),
            up: worker.uptime,
            seen_ago: now.mono - worker.heard,
            slots: slots.collect(),
            resident: worker.resident.clone(),
        }
    }
}

fn state(worker: &KnownWorker) -> WorkerState {
    match worker {
        w if w.lost => WorkerState::Lost,
        w if w.draining => WorkerState::Draining,
        w if w.idle() => WorkerState::Idle,
        _ => WorkerState::Busy,
    }
}
