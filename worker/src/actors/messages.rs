//! What the actors tell each other.

use crate::board::ProgressBoard;
use crate::failure::WorkerFailure;
use crate::stop::SessionDuty;
use actix::Message;
use mouthpiece_domain::fleet::{Assignment, Hold, SessionReport, WorkerCommand};
use mouthpiece_domain::time::Mono;
use mouthpiece_ports::bus::Delivery;
use std::sync::Arc;
use std::time::Duration;

/// To the agent: a command came.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CommandCame(pub Delivery<WorkerCommand>);

/// To the agent: no command will ever come again.
#[derive(Message)]
#[rtype(result = "()")]
pub struct BusClosed;

/// To the agent: take nothing new; leave when all slots are free, at the latest after `grace`.
#[derive(Message)]
#[rtype(result = "()")]
pub struct DrainWorker {
    /// How long sessions may go on.
    pub grace: Duration,
}

/// To the agent: the worker cannot go on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct WorkerBroken(pub WorkerFailure);

/// To the agent: a slot runs something from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SlotOccupied {
    /// What, where.
    pub hold: Hold,
    /// How far it is.
    pub board: Arc<ProgressBoard>,
    /// Since when.
    pub since: Mono,
    /// What it is there for.
    pub duty: SessionDuty,
}

/// To the agent: what a slot runs is there for this from now on, or, while it waits to be moved here, has become ready.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SlotDutyChanged {
    /// What, where.
    pub hold: Hold,
    /// What it is there for.
    pub duty: SessionDuty,
}

/// To the agent: what was sent to a slot is not (or no longer) there.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SlotFreed {
    /// What, where.
    pub hold: Hold,
    /// How long it held the slot; zero if it was never taken up.
    pub held: Duration,
    /// Its last report, if it came to its end there.
    pub end: Option<Box<SessionReport>>,
}

/// To a slot: run this, or be ready for it, once the pool agrees. What waits there under the same hold is run from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct TakeAssignment {
    /// The session and all that its run needs.
    pub assignment: Box<Assignment>,
    /// Whether it is run, or waits to be moved here.
    pub duty: SessionDuty,
    /// Acknowledged when the lease is stored.
    pub delivery: Delivery<WorkerCommand>,
}

/// To a slot: if this is what runs, stop it and say no more of it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct HaltSession(pub Hold);

/// To a slot: if this waits there to be moved here, it will not be.
#[derive(Message)]
#[rtype(result = "()")]
pub struct LetGoOfSession(pub Hold);

/// To a slot: if this is what runs, it was moved elsewhere: show it until its viewers have gone there, too.
#[derive(Message)]
#[rtype(result = "()")]
pub struct HandOverSession(pub Hold);

/// To the agent: the engine's condition has changed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct EngineChanged;

/// To the agent: what runs in a slot cannot go on for want of an engine. It keeps its lease until more is said.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SessionAbandoned(pub Hold);

/// To a slot: if this is what is there, say that another worker is to run it, and let go of it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct HandBackSession(pub Hold);

/// To a slot: the worker leaves. Answered when what ran is stopped, the lease given back, and the coordinators told: with the last
/// report of what came to its end there.
#[derive(Message)]
#[rtype(result = "Option<Box<SessionReport>>")]
pub struct YieldSlot {
    /// Say that the session is handed over; else nothing is said of it.
    pub hand_over: bool,
}

/// To the engine's actor: nothing will be drawn any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CloseEngine;
