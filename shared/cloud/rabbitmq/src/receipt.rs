//! An answer for one delivery, as long as the subscription stands that it came by.

use async_trait::async_trait;
use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use mouthpiece_ports::bus::{BusError, DeliveryReceipt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// Whether a subscription still stands: afterwards the broker has taken back what was not acknowledged.
pub(crate) struct Standing {
    stands: AtomicBool,
    runtime: Handle,
    patience: Duration,
}

impl Standing {
    /// Of a subscription that was just made; within a runtime.
    pub(crate) fn new(patience: Duration) -> Arc<Self> {
        Arc::new(Self { stands: AtomicBool::new(true), runtime: Handle::current(), patience })
    }

    pub(crate) fn end(&self) {
        self.stands.store(false, Ordering::SeqCst);
    }

    fn stands(&self) -> bool {
        self.stands.load(Ordering::SeqCst)
    }
}

/// A delivery without an answer yet.
pub(crate) struct Unanswered {
    /// Taken by the answer.
    acker: Option<Acker>,
    standing: Arc<Standing>,
}

impl Unanswered {
    pub(crate) fn new(acker: Acker, standing: Arc<Standing>) -> Self {
        Self { acker: Some(acker), standing }
    }
}

#[async_trait]
impl DeliveryReceipt for Unanswered {
    async fn ack(mut self: Box<Self>) -> Result<(), BusError> {
        let taken_back =
            || BusError::Unavailable("the delivery was taken back: its receiver, queue or connection is gone".into());
        let acker = self.acker.take().filter(|_| self.standing.stands()).ok_or_else(taken_back)?;
        match timeout(self.standing.patience, acker.ack(BasicAckOptions::default())).await {
            Ok(Ok(true)) if self.standing.stands() => Ok(()),
            _ => Err(taken_back()),
        }
    }
}

impl Drop for Unanswered {
    /// Without an answer the message goes back.
    fn drop(&mut self) {
        if let Some(acker) = self.acker.take().filter(|_| self.standing.stands()) {
            let patience = self.standing.patience;
            self.standing.runtime.spawn(async move {
                let back = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                // When it fails, the channel is gone, and the broker has taken it back.
                let _ = timeout(patience, acker.nack(back)).await;
            });
        }
    }
}
