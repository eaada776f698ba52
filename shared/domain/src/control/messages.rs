//! What comes into the brain and what goes out.

use crate::fleet::{DepartedWorker, Heartbeat, Hold, WorkerCommand, WorkerEvent};
use crate::ids::{SessionId, WorkerId};
use crate::ledger::{Idempotency, LedgerWrite, WriteOutcome};
use crate::session::Session;
use std::collections::BTreeMap;
use std::time::Duration;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum ControlEvent {
    /// A caller wants a session. Answered by exactly one [`ControlEffect::Answer`].
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
    Returned(WorkerCommand),
    /// An operator wants a worker drained.
    Drain(WorkerId),
    /// What became of a write.
    Written {
        /// The write, as it was asked for.
        write: LedgerWrite,
        /// `None`: the store could not be reached; nothing is known.
        outcome: Option<WriteOutcome>,
    },
    /// What became of a [`ControlEffect::Claim`].
    Claimed {
        /// The assignment: session, fence, worker and slot.
        hold: Hold,
        /// The pool gave the slot; `false` also when it could not be asked.
        granted: bool,
    },
    /// What became of a [`ControlEffect::Send`] with an assignment, to be run or only prepared.
    Sent {
        /// The assignment: session, fence, worker and slot.
        hold: Hold,
        /// The queue has it.
        accepted: bool,
    },
    /// What the pool says of a lease that looked expired.
    Lease {
        /// The assignment: session, fence, worker and slot.
        hold: Hold,
        /// How long it still lasts; `None` when it is gone.
        remaining: Option<Duration>,
    },
    /// All open sessions in the records, asked for by [`ControlEffect::Sweep`]. It always comes, however long it takes.
    Swept(Vec<Session>),
    /// What machines cost now, by instance type, in millionths of a US dollar an hour: all that is known of it. Needed only
    /// where there is a ceiling in dollars.
    Prices(BTreeMap<String, u64>),
    /// For so long from now this brain is the one of all that decides on the fleet. Nothing is asked of the fleet by a brain
    /// that was not told so, or whose time is over. To be sent well before that; `None`: another one decides.
    Decides(Option<Duration>),
    /// Time passed: whatever is due is done. Send it when [`super::Control::due`] comes.
    Tick,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum ControlEffect {
    /// Write this; the outcome comes back as [`ControlEvent::Written`]. Writes of one session are carried out in order.
    Write(LedgerWrite),
    /// Claim a slot in the pool for the lease's length; comes back as [`ControlEvent::Claimed`].
    Claim {
        /// What and where.
        hold: Hold,
        /// For how long.
        expiry: Duration,
    },
    /// Give a claimed slot back. Nothing comes back.
    Release(Hold),
    /// Tell a worker. Assignments, to be run or only prepared, come back as [`ControlEvent::Sent`]; other commands do not.
    Send {
        /// The worker that is commanded.
        worker: WorkerId,
        /// The command, delivered at least once.
        command: WorkerCommand,
    },
    /// Ask the pool how long a lease still lasts; comes back as [`ControlEvent::Lease`].
    CheckLease(Hold),
    /// Read all open sessions; comes back as [`ControlEvent::Swept`]. Never asked for while one is under way.
    Sweep,
    /// A worker has left: the pool forgets it and all holds on it, and what lies in its queue comes back as
    /// [`ControlEvent::Returned`].
    Forget(WorkerId),
    /// A worker was not heard of for minutes: what lies in its queue comes back as [`ControlEvent::Returned`], and the queue goes.
    /// Should it be alive after all, it hears of that and begins anew.
    Abandon(WorkerId),
    /// A worker has left: its machine can be given back. Nothing comes back.
    Retire(DepartedWorker),
    /// Answer a [`ControlEvent::Submit`].
    Answer {
        /// The session that this is about.
        session: SessionId,
        /// The answer.
        answer: SubmitAnswer,
    },
    /// A session changed: tell whoever watches.
    Changed(Box<SessionChange>),
    /// A worker appeared, changed or went: tell whoever watches.
    WorkerChanged(WorkerId),
    /// So many workers are wanted, the warm pool included. Said again now and then by the brain that decides on the fleet,
    /// so that what was lost or done by others is put right.
    Desired(u32),
}

/// The answer to a caller.
#[derive(Debug, Clone, PartialEq)]
pub enum SubmitAnswer {
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
pub struct SessionChange {
    /// The session as the brain sees it now.
    pub session: Session,
    /// Its place in the queue, counted from 1, while it waits.
    pub queue_position: Option<u32>,
}
