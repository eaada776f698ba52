//! The bus: commands to workers, events to coordinators.
//!
//! At least once, in order from one sender to one receiver. What is not acknowledged is delivered again, and a command that
//! cannot be delivered comes back. Receivers tell duplicates by fence and phase.

use async_trait::async_trait;
use mouthpiece_domain::fleet::{WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use thiserror::Error;

/// Why a message was not taken.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum BusError {
    /// No such worker listens.
    #[error("worker {0} has no queue: it never started or is gone")]
    Unroutable(WorkerId),
    /// The receiver's queue is full.
    #[error("the queue is full")]
    Full,
    /// A question got no answer in time, or whoever should have answered is gone. Whether it was heard is not known.
    #[error("worker {0} did not answer")]
    Unanswered(WorkerId),
    /// It answered something else than what was asked: it is of another version, or out of order.
    #[error("worker {0} answered something else than what was asked")]
    Misunderstood(WorkerId),
    /// The broker cannot be reached.
    #[error("the broker cannot be used just now: {0}")]
    Unavailable(String),
}

/// A message in hand. Dropping it without a word is a rejection: it will be delivered again.
#[must_use = "a delivery that is dropped is delivered again"]
pub struct Delivery<M> {
    /// The message.
    pub body: M,
    /// How to answer for it.
    pub receipt: Box<dyn DeliveryReceipt>,
    /// It was delivered before and not acknowledged. A broker that sends ahead says so, too, of what was on its way to a
    /// receiver that was dropped; it never fails to say so of what was handed out.
    pub again: bool,
}

impl<M> Delivery<M> {
    /// It is dealt with; it will not come again.
    ///
    /// # Errors
    /// [`BusError::Unavailable`]: it may come again.
    pub async fn ack(self) -> Result<(), BusError> {
        self.receipt.ack().await
    }
}

/// An answer for one delivery.
#[async_trait]
pub trait DeliveryReceipt: Send + Sync {
    /// It is dealt with.
    async fn ack(self: Box<Self>) -> Result<(), BusError>;
}

/// A queue's receiving end. What it holds unacknowledged is delivered to the next receiver when it is dropped.
#[async_trait]
pub trait BusInbox<M>: Send {
    /// The next message; `None` when the bus was closed or the queue removed. Safe to cancel: nothing is lost.
    async fn next(&mut self) -> Option<Delivery<M>>;
}

/// Commands to workers, events to coordinators.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Puts a command into a worker's queue; returns when the queue has it safely.
    async fn send(&self, worker: WorkerId, command: &WorkerCommand) -> Result<(), BusError>;

    /// Opens (and makes) a worker's queue. At most `unanswered` commands are handed out without an answer. One receiver at a
    /// time: a second one takes over when the first is dropped.
    async fn commands(&self, worker: WorkerId, unanswered: u16) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError>;

    /// Removes a worker's queue; what was in it comes back through [`Bus::returned`].
    async fn remove(&self, worker: WorkerId) -> Result<(), BusError>;

    /// Tells the coordinators; returns when the queue has it safely.
    async fn emit(&self, event: &WorkerEvent) -> Result<(), BusError>;

    /// Receives events. Several receivers compete: each event goes to one of them.
    async fn events(&self) -> Result<Box<dyn BusInbox<WorkerEvent>>, BusError>;

    /// Receives commands that were never acknowledged: their queue was removed, or they were delivered in vain too often.
    async fn returned(&self) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError>;

    /// Fails when messages cannot be sent.
    async fn check(&self) -> Result<(), BusError>;
}
