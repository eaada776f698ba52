//! One open session as the brain holds it.

use crate::fleet::Hold;
use crate::ledger::{LedgerWrite, advance};
use crate::session::{FrameProgress, Phase, Session, SessionEnd, SlotIndex};
use crate::time::{Mono, Wall};
use std::time::Duration;

/// What the brain waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimedStep {
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

impl TimedStep {
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

/// So many bytes are written down together: some half a minute of a stream.
const WRITTEN_TOGETHER: u64 = 4_000_000;

/// A count that is written down now and then.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SentBytes {
    reported: u64,
    written: u64,
}

impl SentBytes {
    /// What is to be written, if it is worth it.
    pub(super) fn reported(&mut self, total: u64) -> Option<u64> {
        self.reported = self.reported.max(total);
        if self.reported - self.written < WRITTEN_TOGETHER { None } else { self.rest() }
    }

    /// What was not written yet.
    pub(super) fn rest(&mut self) -> Option<u64> {
        let news = self.reported > self.written;
        self.written = self.reported;
        news.then_some(self.reported)
    }
}

/// One open session.
#[derive(Debug)]
pub(super) struct OpenSession {
    /// The record as far as the brain knows.
    pub(super) session: Session,
    pub(super) step: TimedStep,
    /// Its turn in the queue; kept when it is requeued.
    pub(super) turn: u64,
    /// Since when this brain knows it to be on record, once it is.
    pub(super) on_record: Mono,
    /// Since when it waits in the queue.
    pub(super) waiting: Mono,
    /// Since when it has its slot.
    pub(super) placed: Mono,
    /// When the current step has lasted too long.
    pub(super) deadline: Option<Mono>,
    /// Delivered under this fence, as far as was reported.
    pub(super) delivered: Duration,
    /// Bytes sent to viewers under this fence: as far as was reported, and as far as was written.
    pub(super) sent: SentBytes,
    /// How this brain wants it to end, whatever its fence is by then.
    pub(super) ending: Option<SessionEnd>,
    /// A write whose fate is unknown, to be tried again at the deadline.
    pub(super) again: Option<Box<LedgerWrite>>,
    /// The place in the queue that watchers were told.
    pub(super) told_position: Option<u32>,
    /// This brain placed it where it is.
    pub(super) placed_here: bool,
    /// Moves that did not come about, since the last that did, and when the next may be tried.
    pub(super) moves_failed: u32,
    pub(super) move_after: Mono,
}

impl OpenSession {
    pub(super) fn new(session: Session, step: TimedStep, turn: u64, now: Mono) -> Self {
        Self {
            session,
            step,
            turn,
            on_record: now,
            waiting: now,
            placed: now,
            deadline: None,
            delivered: Duration::ZERO,
            sent: SentBytes::default(),
            ending: None,
            again: None,
            told_position: None,
            placed_here: false,
            moves_failed: 0,
            move_after: now,
        }
    }

    /// Under another fence nothing was delivered or sent yet.
    pub(super) fn counts_anew(&mut self) {
        self.session.delivered_before += std::mem::take(&mut self.delivered);
        self.sent = SentBytes::default();
    }

    /// Where the record says it runs.
    pub(super) fn recorded_hold(&self) -> Option<Hold> {
        let (worker, slot): (_, SlotIndex) = self.session.place.filter(|_| self.session.phase.holds_slot())?;
        Some(Hold { session: self.session.id, fence: self.session.fence, worker, slot })
    }

    /// A write of it is under way whose outcome will tell how it stands.
    pub(super) fn writing(&self) -> bool {
        matches!(
            self.step,
            TimedStep::Creating | TimedStep::Assigning(_) | TimedStep::Requeueing | TimedStep::Ending(_)
        )
    }

    /// When it will have had its slots for as long as it may: what was delivered before it came here counts.
    pub(super) fn must_be_over(&self) -> Mono {
        self.placed + self.session.max_duration.saturating_sub(self.session.delivered_before)
    }

    /// When it must be looked at.
    pub(super) fn wake(&self) -> Option<Mono> {
        let longest = self.step.may_know().map(|_| self.must_be_over());
        match (self.deadline, longest) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Takes in what a worker reported at `at`, as the records will; false when that is old news.
    pub(super) fn progressed(&mut self, phase: Phase, progress: FrameProgress, delivered: Duration, at: Wall) -> bool {
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
