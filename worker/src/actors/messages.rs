//! What the actors tell each other.

use crate::board::Board;
use crate::failure::WorkerFailure;
use actix::Message;
use mouthpiece_domain::fleet::{Assignment, Command, Hold};
use mouthpiece_domain::time::Mono;
use mouthpiece_ports::bus::Delivery;
use std::sync::Arc;
use std::time::Duration;

/// To the agent: a command came.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Commanded(pub Delivery<Command>);

/// To the agent: no command will ever come again.
#[derive(Message)]
#[rtype(result = "()")]
pub struct BusClosed;

/// To the agent: take nothing new; leave when all slots are free, at the latest after `grace`.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Drain {
    /// How long sessions may go on.
    pub grace: Duration,
}

/// To the agent: the worker cannot go on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Broken(pub WorkerFailure);

/// To the agent: a slot runs something from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Occupied {
    /// What, where.
    pub hold: Hold,
    /// How far it is.
    pub board: Arc<Board>,
    /// Since when.
    pub since: Mono,
}

/// To the agent: what was sent to a slot is not (or no longer) there.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Freed {
    /// What, where.
    pub hold: Hold,
    /// How long it held the slot; zero if it was never taken up.
    pub held: Duration,
}

/// To a slot: run this, once the pool agrees.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Take {
    /// What.
    pub assignment: Box<Assignment>,
    /// Acknowledged when the lease is stored.
    pub delivery: Delivery<Command>,
}

/// To a slot: if this is what runs, stop it and say no more of it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Halt(pub Hold);

/// To a slot: the worker leaves. Answered when what ran is stopped, the lease given back, and the coordinators told.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Yield {
    /// Say that the session is handed over; else nothing is said of it.
    pub hand_over: bool,
}

/// To the engine's actor: nothing will be drawn any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Close;
