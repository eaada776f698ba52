//! What the actors say to each other.

use super::errand::ErrandOrder;
use crate::farm::FarmError;
use actix::Message;
use mouthpiece_domain::control::{ControlEvent, FarmView, SessionChange, SubmitAnswer};
use mouthpiece_domain::fleet::{DepartedWorker, Heartbeat};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite};
use mouthpiece_domain::session::Session;
use std::time::Instant;
use tokio::sync::oneshot;

/// To control: a caller wants a session.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Submit {
    /// The record as it shall be written.
    pub(super) session: Box<Session>,
    /// The caller's token.
    pub(super) idempotency: Option<Idempotency>,
    /// How many sessions the caller may have open.
    pub(super) max_open: u32,
    /// Where the answer goes, once the session is on record or refused.
    pub(super) answer: oneshot::Sender<Result<SubmitAnswer, FarmError>>,
}

/// To control: a session is no longer wanted. Answered when the brain has decided what to do about it.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Cancel(pub(super) SessionId);

/// To control: drain a worker. Answered with what runs there; `None` when it is not known.
#[derive(Message)]
#[rtype(result = "Option<Vec<SessionId>>")]
pub(super) struct Drain(pub(super) WorkerId);

/// To control: how is the farm?
#[derive(Message)]
#[rtype(result = "FarmView")]
pub(super) struct View;

/// To control: how is this session? `None` when the brain does not hold it.
#[derive(Message)]
#[rtype(result = "Option<SessionChange>")]
pub(super) struct Lookup(pub(super) SessionId);

/// To control: these things happened, in this order. Whoever must be sure that they were dealt with waits for the answer.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct ControlHappened(pub(super) Vec<ControlEvent>);

/// To control: what the workers in the pool said last, for [`ControlEvent::Roster`].
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Roster(pub(super) Vec<Heartbeat>);

/// To control: the pool was asked at that time whether this coordinator decides on the fleet.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Decides {
    /// When it was asked: the right is counted from then on.
    pub(super) asked: Instant,
    /// What it said.
    pub(super) granted: bool,
}

/// To control: take nothing new, and say when all that is under way has come to rest.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Quiesce(pub(super) oneshot::Sender<()>);

/// To the ledger: write these, in this order. What became of them comes back as [`ControlHappened`].
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct WriteBatch(pub(super) Vec<LedgerWrite>);

/// To control, which asks the ledger: say when all that is to be written by now was; false when some of it was given up.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct WhenWritten(pub(super) oneshot::Sender<bool>);

/// To dispatch: carry these out; orders for one worker in this order. What became of them comes back as [`ControlHappened`].
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct OrdersFor(pub(super) Vec<ErrandOrder>);

/// To dispatch: read all open sessions. They come back as [`ControlHappened`].
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Sweep;

/// To dispatch, from its own tasks: the orders taken for this worker are carried out.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct LaneDone(pub(super) WorkerId);

/// To dispatch: receive nothing more.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct StopListening;

/// To the fleet: so many workers are wanted.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Desire(pub(super) u32);

/// To the fleet: this worker has left; its machine can be given back.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Retire(pub(super) DepartedWorker);
