//! Questions to the workers that run live sessions, and their answers.
//!
//! At most once, and never late: unlike a command, a question is worth nothing when nobody waits for its answer any more.

use crate::bus::BusError;
use async_trait::async_trait;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{AnswerPart, Declined, LiveAnswer, LiveAsk, TypedQuestion};
use std::time::Duration;

/// A question in hand. Dropping it tells the asker that there will be no answer.
pub struct AskedQuestion {
    /// What is asked.
    pub ask: LiveAsk,
    /// Where the answer goes.
    pub reply: Box<dyn QuestionReply>,
}

/// Takes one answer.
#[async_trait]
pub trait QuestionReply: Send {
    /// Gives it. An asker that waits no longer is no fault.
    async fn give(self: Box<Self>, answer: LiveAnswer);
}

/// A worker's questions.
#[async_trait]
pub trait QuestionInbox: Send {
    /// The next one; `None` when the bus was closed or the worker's queue removed. Safe to cancel: nothing is lost.
    async fn next(&mut self) -> Option<AskedQuestion>;
}

/// Questions to workers and their answers.
#[async_trait]
pub trait QuestionBus: Send + Sync {
    /// Asks a worker and waits for the answer, at most `patience`. At most once: a question is never delivered again, and one
    /// that nobody waits for any more need not be delivered at all.
    ///
    /// Fails with [`BusError::Unroutable`] when no such worker takes questions, [`BusError::Full`] when too many wait there,
    /// [`BusError::Unanswered`].
    async fn ask(&self, worker: WorkerId, ask: &LiveAsk, patience: Duration) -> Result<LiveAnswer, BusError>;

    /// Receives what a worker is asked. One receiver at a time: a second one takes over. When it is dropped, the worker
    /// takes no questions.
    async fn questions(&self, worker: WorkerId) -> Result<Box<dyn QuestionInbox>, BusError>;
}

/// Asks the worker that a hold names, and waits for the answer, at most `patience`. Inside is what the worker says: the
/// answer, or why there is none.
///
/// # Errors
/// As [`QuestionBus::ask`]; [`BusError::Misunderstood`] when the answer is one to another question.
pub async fn ask_worker<Q: TypedQuestion>(
    bus: &dyn QuestionBus,
    hold: Hold,
    question: Q,
    patience: Duration,
) -> Result<Result<Q::Answer, Declined>, BusError> {
    let ask = LiveAsk { hold, what: question.into() };
    match bus.ask(hold.worker, &ask, patience).await? {
        LiveAnswer::Declined(declined) => Ok(Err(declined)),
        answer => Q::Answer::read(answer).map(Ok).ok_or(BusError::Misunderstood(hold.worker)),
    }
}
