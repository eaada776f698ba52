//! One open session as the brain holds it.

use crate::fleet::Hold;
use crate::ledger::{Write, advance};
use crate::session::{End, Phase, Progress, Session, Slot};
use crate::time::{Mono, Wall};
use std::time::Duration;

/// What the brain waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The record is being written; nobody was answered yet.
    Creating,
    /// Found in the records, waiting for a slot; its own coordinator may be about to place it.
    Foreign,
    /// Waits for a slot.
    Queued,
    /// A slot was chosen and is being claimed.
    Claiming(Hold),
    /// The slot is claimed, the assignment is being recorded.
    Assigning(Hold),
    /// Recorded; the worker is being told.
    Sending(Hold),
    /// The worker has it (or will have); its lease is watched.
    Running(Hold),
    /// It was not heard of for a lease's length; the pool is being asked.
    Checking(Hold),
    /// It is being put back into the queue.
    Requeueing,
    /// Its end is being recorded.
    Ending(Option<Hold>),
}

impl Step {
    /// The slot that is held or being taken.
    pub(super) fn hold(self) -> Option<Hold> {
        match self {
            Self::Claiming(h) | Self::Assigning(h) | Self::Sending(h) | Self::Running(h) | Self::Checking(h) => Some(h),
            Self::Ending(h) => h,
            Self::Creating | Self::Foreign | Self::Queued | Self::Requeueing => None,
        }
    }

    /// The slot, where the worker was or may have been told.
    pub(super) fn may_know(self) -> Option<Hold> {
        match self {
            Self::Sending(h) | Self::Running(h) | Self::Checking(h) => Some(h),
            _ => None,
        }
    }
}

/// One open session.
#[derive(Debug)]
pub(super) struct Held {
    /// The record as far as the brain knows.
    pub(super) session: Session,
    pub(super) step: Step,
    /// Its turn in the queue; kept when it is requeued.
    pub(super) turn: u64,
    /// Since when this brain knows it.
    pub(super) known: Mono,
    /// Since when it waits in the queue.
    pub(super) waiting: Mono,
    /// Since when it has its slot.
    pub(super) placed: Mono,
    /// When the current step has lasted too long.
    pub(super) deadline: Option<Mono>,
    /// Delivered under this fence, as far as was reported.
    pub(super) delivered: Duration,
    /// How this brain wants it to end, whatever its fence is by then.
    pub(super) ending: Option<End>,
    /// A write whose fate is unknown, to be tried again at the deadline.
    pub(super) again: Option<Box<Write>>,
    /// The place in the queue that watchers were told.
    pub(super) told_position: Option<u32>,
}

impl Held {
    pub(super) fn new(session: Session, step: Step, turn: u64, now: Mono) -> Self {
        Self {
            session,
            step,
            turn,
            known: now,
            waiting: now,
            placed: now,
            deadline: None,
            delivered: Duration::ZERO,
            ending: None,
            again: None,
            told_position: None,
        }
    }

    /// Where the record says it runs.
    pub(super) fn recorded_hold(&self) -> Option<Hold> {
        let (worker, slot): (_, Slot) = self.session.place.filter(|_| self.session.phase.holds_slot())?;
        Some(Hold { session: self.session.id, fence: self.session.fence, worker, slot })
    }

    /// A write of it is under way whose outcome will tell how it stands.
    pub(super) fn writing(&self) -> bool {
        matches!(self.step, Step::Creating | Step::Assigning(_) | Step::Requeueing | Step::Ending(_))
    }

    /// When it must be looked at.
    pub(super) fn wake(&self) -> Option<Mono> {
        let longest = self.step.may_know().map(|_| self.placed + self.session.max_duration);
        match (self.deadline, longest) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Takes in what a worker reported at `at`, as the records will; false when that is old news.
    pub(super) fn progressed(&mut self, phase: Phase, progress: Progress, delivered: Duration, at: Wall) -> bool {
        if phase < self.session.phase {
            return false;
        }
        let news =
            phase > self.session.phase || progress.done > self.session.progress.done || delivered > self.delivered;
        // Until its end is on record it is draining: nobody shall see an end without its reason.
        advance(&mut self.session, phase.min(Phase::Draining), progress, at);
        self.delivered = self.delivered.max(delivered);
        news
    }
}
