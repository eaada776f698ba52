//! What is written to the records, and under which condition.
//!
//! Memory is a view, the record store decides: every write names the version that it expects, and the store applies it only
//! if that still holds. What a write does and under which condition is stated once, by [`apply`]. [`ReferenceLedger`] is
//! that rule over tables in memory: simulations keep their records in it, and the contract suite compares every record
//! store with it on random batches.

mod reference;
mod rule;

pub use reference::{MachineTime, ReferenceLedger, TokenUse, UsageAmount};
pub(crate) use rule::advance;
pub use rule::{UsageDelivery, apply, newly_booked, newly_counted};

use crate::fleet::{Capability, Hold};
use crate::ids::{KeyId, SessionId, WorkerId};
use crate::session::{Fence, FrameProgress, Phase, Session, SessionEnd, SlotIndex};
use crate::time::Wall;
use std::time::Duration;

/// The caller's promise that a repeated request is the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller; keys of different callers never meet.
    pub key: KeyId,
    /// The `Idempotency-Key` header, 1 to 255 visible characters.
    pub token: String,
    /// SHA-256 of what was asked for, 64 hexadecimal digits.
    pub fingerprint: String,
}

/// One conditional change of the records. The conditions are told here in words; [`LedgerWrite::fits`] decides.
#[derive(Debug, Clone, PartialEq)]
pub enum LedgerWrite {
    /// A new session, in phase requested with the first fence. With an idempotency token that was used before, nothing is
    /// written and the answer is [`WriteOutcome::Repeated`].
    Create {
        /// The record.
        session: Box<Session>,
        /// The caller's token.
        idempotency: Option<Idempotency>,
    },
    /// requested -> assigned. Condition: `fence = hold.fence AND phase = requested`.
    Assign {
        /// What and where.
        hold: Hold,
        /// Calendar time, by the clock of the coordinator that decided it.
        at: Wall,
    },
    /// Back to requested with a higher fence, no place, no progress. Condition: `fence = hold.fence AND phase < ended AND
    /// (phase = requested OR place = hold's worker and slot)`: a brain that does not know who won a fence requeues nobody
    /// else's placement.
    Requeue {
        /// The placement that is given up; the new fence is `hold.fence.next()`.
        hold: Hold,
        /// Not by agreement: it counts among the record's losses.
        lost: bool,
        /// Calendar time, by the clock of the coordinator that decided it.
        at: Wall,
    },
    /// A running session goes on at another place, under the next fence: running -> running, with no progress there yet.
    /// Condition: `fence = from.fence AND phase = running AND place = from's worker and slot`.
    Move {
        /// The placement that it leaves.
        from: Hold,
        /// Where it goes on.
        to: (WorkerId, SlotIndex),
        /// Calendar time, by the clock of the coordinator that decided it.
        at: Wall,
    },
    /// What a worker delivered and sent in all before a session was moved away from it, told after that. Condition: `fence =
    /// hold.fence.next() AND moved_from = hold.worker`, whatever its phase. What is new is booked in the hour of `at`.
    HandedOver {
        /// The placement that it had there.
        hold: Hold,
        /// Delivered in all under that fence.
        delivered: Duration,
        /// Bytes sent in all under that fence.
        sent_bytes: u64,
        /// Calendar time, by the clock of the coordinator that decided it.
        at: Wall,
    },
    /// A later phase, or more progress in the same. Condition: `fence = fence AND phase <= new phase AND phase > requested
    /// AND new phase < ended`. Progress and usage never shrink.
    Advance {
        /// What and where.
        hold: Hold,
        /// The phase, assigned to draining.
        phase: Phase,
        /// Frames made.
        progress: FrameProgress,
        /// Delivered in all under this fence; what is new is booked in the hour of `at`.
        delivered: Duration,
        /// Calendar time, by the clock of the coordinator that decided it.
        at: Wall,
    },
    /// The end. Condition: `fence = fence AND phase < ended`.
    End {
        /// The session that this is about.
        session: SessionId,
        /// Its fence.
        fence: Fence,
        /// Reason, detail and output.
        end: Box<SessionEnd>,
        /// Frames made, where the end came from a worker.
        progress: Option<FrameProgress>,
        /// Delivered in all under this fence and by whom, where the end came from a worker.
        delivered: Option<(WorkerId, SlotIndex, Duration)>,
        /// Calendar time, by the clock of the coordinator that decided it.
        at: Wall,
    },
    /// Bytes that a session's viewers were sent. Condition: `fence = hold.fence AND worker = hold.worker`, whatever its phase:
    /// what was sent last is told after the end. What is new is booked in the hour of `at`.
    Egress {
        /// What and where.
        hold: Hold,
        /// In all under this fence.
        sent_bytes: u64,
        /// Calendar time, by the clock of the coordinator that decided it.
        at: Wall,
    },
    /// How long a worker has been up. Cumulative: what is new since the last such write is booked in the hour of `at`.
    /// Always applied; a smaller value changes nothing. What a worker was up at its first such write it needed to start.
    Machine {
        /// The worker that this is about.
        worker: WorkerId,
        /// What it is.
        capability: Box<Capability>,
        /// Up in all.
        uptime: Duration,
        /// Slots taken in all.
        busy: Duration,
        /// Calendar time, by the clock of the coordinator that decided it.
        at: Wall,
    },
}

impl LedgerWrite {
    /// The session that is written, if it is one.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Create { session, .. } => Some(session.id),
            Self::Assign { hold, .. }
            | Self::Requeue { hold, .. }
            | Self::Move { from: hold, .. }
            | Self::HandedOver { hold, .. }
            | Self::Advance { hold, .. }
            | Self::Egress { hold, .. } => Some(hold.session),
            Self::End { session, .. } => Some(*session),
            Self::Machine { .. } => None,
        }
    }
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteOutcome {
    /// It is durable.
    Applied,
    /// Its condition did not hold. The record as it stands, if there is one.
    Stale(Option<Box<Session>>),
    /// The idempotency token was used before.
    Repeated {
        /// The session that was made then.
        session: Box<Session>,
        /// The request was the same; false means that the token was reused for something else.
        same: bool,
    },
}
