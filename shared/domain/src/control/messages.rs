//! What comes into the brain and what goes out.

use crate::fleet::{Command, Heartbeat, Hold, WorkerEvent};
use crate::ids::{SessionId, WorkerId};
use crate::ledger::{Idempotency, Write, Written};
use crate::session::Session;
use std::time::Duration;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A caller wants a session. Answered by exactly one [`Effect::Answer`].
    Submit {
        /// The record as it shall be written: requested, first fence.
        session: Box<Session>,
        /// The caller's token.
        idempotency: Option<Idempotency>,
        /// How many sessions the caller may have open at a time.
        max_open: u32,
    },
    /// A caller (or the page) wants no more of a session.
    Cancel(SessionId),
    /// A worker reported.
    Worker(WorkerEvent),
    /// What the workers in the pool said last; empty when the pool cannot be asked. The first of these begins the work:
    /// no deadline is looked at before the workers are known. To be sent every few seconds, because of several brains
    /// each hears only a part of the heartbeats.
    Roster(Vec<Heartbeat>),
    /// A command came back: never acknowledged by its worker.
    Returned(Command),
    /// An operator wants a worker drained.
    Drain(WorkerId),
    /// What became of a write.
    Written {
        /// The write, as it was asked for.
        write: Write,
        /// `None`: the store could not be reached; nothing is known.
        outcome: Option<Written>,
    },
    /// What became of a [`Effect::Claim`].
    Claimed {
        /// Which.
        hold: Hold,
        /// The pool gave the slot; `false` also when it could not be asked.
        granted: bool,
    },
    /// What became of a [`Effect::Send`] with an assignment.
    Sent {
        /// Which.
        hold: Hold,
        /// The queue has it.
        accepted: bool,
    },
    /// What the pool says of a lease that looked expired.
    Lease {
        /// Which.
        hold: Hold,
        /// How long it still lasts; `None` when it is gone.
        remaining: Option<Duration>,
    },
    /// All open sessions in the records, asked for by [`Effect::Sweep`]. It always comes, however long it takes.
    Swept(Vec<Session>),
    /// Time passed: whatever is due is done. Send it when [`super::Control::due`] comes.
    Tick,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write this; the outcome comes back as [`Event::Written`]. Writes of one session are carried out in order.
    Write(Write),
    /// Claim a slot in the pool for the lease's length; comes back as [`Event::Claimed`].
    Claim {
        /// What and where.
        hold: Hold,
        /// For how long.
        expiry: Duration,
    },
    /// Give a claimed slot back. Nothing comes back.
    Release(Hold),
    /// Tell a worker. Assignments come back as [`Event::Sent`]; other commands do not.
    Send {
        /// Whom.
        worker: WorkerId,
        /// What.
        command: Command,
    },
    /// Ask the pool how long a lease still lasts; comes back as [`Event::Lease`].
    CheckLease(Hold),
    /// Read all open sessions; comes back as [`Event::Swept`]. Never asked for while one is under way.
    Sweep,
    /// A worker has left: the pool forgets it and all holds on it, and what lies in its queue comes back as
    /// [`Event::Returned`].
    Forget(WorkerId),
    /// A worker has left: its machine can be given back. Nothing comes back.
    Retire(WorkerId),
    /// Answer a [`Event::Submit`].
    Answer {
        /// Which.
        session: SessionId,
        /// The answer.
        answer: Answer,
    },
    /// A session changed: tell whoever watches.
    Changed(Box<Change>),
    /// A worker appeared, changed or went: tell whoever watches.
    WorkerChanged(WorkerId),
    /// So many workers are wanted, the warm pool included.
    Desired(u32),
}

/// The answer to a caller.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is recorded; from here on it reaches an end.
    Accepted(Box<Session>),
    /// The same request was made before: this is what it made.
    Repeated(Box<Session>),
    /// The idempotency token was used for another request.
    TokenReused,
    /// The caller has too many open sessions.
    OverQuota {
        /// Open now.
        open: u32,
        /// When to come back.
        retry_after: Duration,
    },
    /// The queue is full, or its deadline cannot be met.
    NoCapacity {
        /// When to come back.
        retry_after: Duration,
    },
    /// The record could not be written.
    StoreFailed,
}

/// A session's news, for whoever watches.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The session as the brain sees it now.
    pub session: Session,
    /// Its place in the queue, counted from 1, while it waits.
    pub queue_position: Option<u32>,
}
