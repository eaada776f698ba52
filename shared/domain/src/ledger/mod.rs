//! What is written to the records, and under which condition.
//!
//! Memory is a view, the record store decides: every write names the version that it expects, and the store applies it only
//! if that still holds. What a write does and under which condition is stated once, by [`apply`]. [`ReferenceLedger`] is
//! that rule over tables in memory: simulations keep their records in it, and the contract suite compares every record
//! store with it on random batches.

mod reference;
mod rule;

pub use reference::{MachineTime, ReferenceLedger, TokenUse};
pub(crate) use rule::advance;
pub use rule::{Delivery, apply, newly_booked};

use crate::fleet::{Capability, Hold};
use crate::ids::{KeyId, SessionId, WorkerId};
use crate::session::{End, Fence, Phase, Progress, Session, Slot};
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

/// One conditional change of the records. The conditions are told here in words; [`Write::fits`] decides.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// A new session, in phase requested with the first fence. With an idempotency token that was used before, nothing is
    /// written and the answer is [`Written::Repeated`].
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
        /// When.
        at: Wall,
    },
    /// Back to requested with a higher fence, no place, no progress. Condition: `fence = hold.fence AND phase < ended AND
    /// (phase = requested OR place = hold's worker and slot)`: a brain that does not know who won a fence requeues nobody
    /// else's placement.
    Requeue {
        /// The placement that is given up; the new fence is `hold.fence.next()`.
        hold: Hold,
        /// When.
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
        progress: Progress,
        /// Delivered in all under this fence; what is new is booked in the hour of `at`.
        delivered: Duration,
        /// When.
        at: Wall,
    },
    /// The end. Condition: `fence = fence AND phase < ended`.
    End {
        /// Which.
        session: SessionId,
        /// Its fence.
        fence: Fence,
        /// How.
        end: Box<End>,
        /// Frames made, where the end came from a worker.
        progress: Option<Progress>,
        /// Delivered in all under this fence and by whom, where the end came from a worker.
        delivered: Option<(WorkerId, Slot, Duration)>,
        /// When.
        at: Wall,
    },
    /// How long a worker has been up. Cumulative: what is new since the last such write is booked in the hour of `at`.
    /// Always applied; a smaller value changes nothing.
    Machine {
        /// Who.
        worker: WorkerId,
        /// What it is.
        capability: Box<Capability>,
        /// Up in all.
        uptime: Duration,
        /// Slots taken in all.
        busy: Duration,
        /// When.
        at: Wall,
    },
}

impl Write {
    /// The session that is written, if it is one.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Create { session, .. } => Some(session.id),
            Self::Assign { hold, .. } | Self::Requeue { hold, .. } | Self::Advance { hold, .. } => Some(hold.session),
            Self::End { session, .. } => Some(*session),
            Self::Machine { .. } => None,
        }
    }
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
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
