//! QuestionInbox within one process: a bounded mailbox a worker, an answer channel a question.

use async_trait::async_trait;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{LiveAnswer, LiveAsk};
use mouthpiece_ports::bus::BusError;
use mouthpiece_ports::questions::{AskedQuestion, QuestionInbox, QuestionReply};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// QuestionInbox that wait for one worker.
const WAITING: usize = 256;

/// A question on its way, and where its answer goes.
type Letter = (LiveAsk, oneshot::Sender<LiveAnswer>);

/// Who takes questions.
#[derive(Default)]
pub(crate) struct Mailboxes(Mutex<HashMap<WorkerId, mpsc::Sender<Letter>>>);

impl Mailboxes {
    /// Opens a worker's mailbox in place of the one that it had.
    pub(crate) fn open(&self, worker: WorkerId) -> Box<dyn QuestionInbox> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.with(|boxes| {
            boxes.retain(|_, sender| !sender.is_closed());
            boxes.insert(worker, sender);
        });
        Box::new(Mailbox(receiver))
    }

    /// A worker's mailbox is no more.
    pub(crate) fn remove(&self, worker: WorkerId) {
        self.with(|boxes| boxes.remove(&worker));
    }

    /// No mailbox is any more.
    pub(crate) fn close(&self) {
        self.with(HashMap::clear);
    }

    pub(crate) async fn ask(&self, worker: WorkerId, ask: LiveAsk, patience: Duration) -> Result<LiveAnswer, BusError> {
        let mailbox = self.with(|boxes| boxes.get(&worker).cloned()).ok_or(BusError::Unroutable(worker))?;
        let (reply, told) = oneshot::channel();
        mailbox.try_send((ask, reply)).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => BusError::Full,
            mpsc::error::TrySendError::Closed(_) => BusError::Unroutable(worker),
        })?;
        match timeout(patience, told).await {
            Ok(Ok(told)) => Ok(told),
            _ => Err(BusError::Unanswered(worker)),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<WorkerId, mpsc::Sender<Letter>>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Mailbox(mpsc::Receiver<Letter>);

#[async_trait]
impl QuestionInbox for Mailbox {
    async fn next(&mut self) -> Option<AskedQuestion> {
        loop {
            let (ask, reply) = self.0.recv().await?;
            // A worker that was slow shall not be made slower by what nobody waits for any more.
            if !reply.is_closed() {
                return Some(AskedQuestion { ask, reply: Box::new(Once(reply)) });
            }
        }
    }
}

struct Once(oneshot::Sender<LiveAnswer>);

#[async_trait]
impl QuestionReply for Once {
    async fn give(self: Box<Self>, told: LiveAnswer) {
        let _ = self.0.send(told); // whoever asked may wait no longer
    }
}
