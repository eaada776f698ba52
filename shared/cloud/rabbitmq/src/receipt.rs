//! Answers for deliveries, as long as the subscription stands that they came by.
//!
//! Acknowledgements that come together go together: a queue on a broker writes each frame of them to its log, and a thousand
//! heartbeats a second are more of those than of anything else.

use async_trait::async_trait;
use futures_util::future::join_all;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::types::DeliveryTag;
use lapin::{Acker, Channel};
use mouthpiece_ports::bus::{BusError, DeliveryReceipt};
use std::collections::BTreeSet;
use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Whether a subscription still stands (afterwards the broker has taken back what was not acknowledged), and what is on its way to the
/// broker.
pub(crate) struct Standing {
    stands: AtomicBool,
    runtime: Handle,
    patience: Duration,
    channel: Channel,
    answers: Mutex<Answers>,
}

#[derive(Default)]
struct Answers {
    /// Deliveries that the broker was not given an answer for.
    open: BTreeSet<DeliveryTag>,
    /// Acknowledged, and the broker is to be told.
    waiting: Vec<(DeliveryTag, oneshot::Sender<bool>)>,
    /// A task tells it.
    telling: bool,
}

impl Standing {
    /// Of a subscription that was just made on this channel; within a runtime.
    pub(crate) fn new(patience: Duration, channel: Channel) -> Arc<Self> {
        let (stands, answers) = (AtomicBool::new(true), Mutex::default());
        Arc::new(Self { stands, runtime: Handle::current(), patience, channel, answers })
    }

    pub(crate) fn end(&self) {
        self.stands.store(false, Ordering::SeqCst);
    }

    /// A delivery has come. Deliveries are noted in the order in which they come, before any later one is answered.
    pub(crate) fn came(&self, tag: DeliveryTag) {
        self.answers().open.insert(tag);
    }

    /// The broker was answered in another way than by an acknowledgement.
    pub(crate) fn answered(&self, tag: DeliveryTag) {
        self.answers().open.remove(&tag);
    }

    fn stands(&self) -> bool {
        self.stands.load(Ordering::SeqCst)
    }

    /// A panic elsewhere leaves single entries whole.
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acknowledges a delivery; whether the broker was told.
    async fn acknowledge(self: &Arc<Self>, tag: DeliveryTag) -> bool {
        let (tell, told) = oneshot::channel();
        let begins = {
            let mut answers = self.answers();
            answers.waiting.push((tag, tell));
            !std::mem::replace(&mut answers.telling, true)
        };
        if begins {
            let this = Arc::clone(self);
            self.runtime.spawn(async move { this.tell_all().await });
        }
        matches!(timeout(self.patience, told).await, Ok(Ok(true)))
    }

    /// Tells the broker until nothing waits.
    async fn tell_all(&self) {
        loop {
            // Whoever acknowledges several at a time comes first.
            tokio::task::yield_now().await;
            let (batch, frames) = {
                let mut answers = self.answers();
                let batch = take(&mut answers.waiting);
                if batch.is_empty() {
                    answers.telling = false;
                    return;
                }
                for (tag, _) in &batch {
                    answers.open.remove(tag);
                }
                let frames = frames(batch.iter().map(|(tag, _)| *tag).collect(), answers.open.first().copied());
                (batch, frames)
            };
            let sending = frames.into_iter().map(|(tag, multiple)| {
                let sent = self.channel.basic_ack(tag, BasicAckOptions { multiple });
                async move { matches!(timeout(self.patience, sent).await, Ok(Ok(()))) }
            });
            let sent = join_all(sending).await.into_iter().all(|sent| sent);
            for (_, tell) in batch {
                // Whoever waited may have given up.
                let _ = tell.send(sent);
            }
        }
    }
}

/// The fewest frames that acknowledge these deliveries and no others: one for all that came before the first open one, and
/// one for each that came after it. With each, whether it stands for those before it too.
fn frames(mut tags: Vec<DeliveryTag>, first_open: Option<DeliveryTag>) -> Vec<(DeliveryTag, bool)> {
    tags.sort_unstable();
    let before = first_open.map_or(tags.len(), |open| tags.partition_point(|tag| *tag < open));
    let (together, alone) = tags.split_at(before);
    let together = together.last().map(|last| (*last, together.len() > 1));
    together.into_iter().chain(alone.iter().map(|tag| (*tag, false))).collect()
}

/// A delivery without an answer yet.
pub(crate) struct Unanswered {
    /// Taken by the answer.
    acker: Option<Acker>,
    tag: DeliveryTag,
    standing: Arc<Standing>,
}

impl Unanswered {
    /// Of a delivery that was noted as one that came.
    pub(crate) fn new(acker: Acker, tag: DeliveryTag, standing: Arc<Standing>) -> Self {
        Self { acker: Some(acker), tag, standing }
    }
}

#[async_trait]
impl DeliveryReceipt for Unanswered {
    async fn ack(mut self: Box<Self>) -> Result<(), BusError> {
        let stood = self.standing.stands() && self.acker.take().is_some();
        if stood && self.standing.acknowledge(self.tag).await && self.standing.stands() {
            return Ok(());
        }
        Err(BusError::Unavailable("the delivery was taken back: its receiver, queue or connection is gone".into()))
    }
}

impl Drop for Unanswered {
    /// Without an answer the message goes back.
    fn drop(&mut self) {
        if let Some(acker) = self.acker.take().filter(|_| self.standing.stands()) {
            let (standing, tag) = (Arc::clone(&self.standing), self.tag);
            self.standing.runtime.spawn(async move {
                let back = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                // When it fails, the channel is gone, and the broker has taken it back.
                let _ = timeout(standing.patience, acker.nack(back)).await;
                standing.answered(tag);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_acknowledged_together_goes_in_few_frames() {
        assert_eq!(frames(vec![3, 1, 2], None), [(3, true)]);
        assert_eq!(frames(vec![7], None), [(7, false)]);
        assert_eq!(frames(vec![5, 1, 2, 6], Some(3)), [(2, true), (5, false), (6, false)]);
        assert_eq!(frames(vec![4, 5], Some(3)), [(4, false), (5, false)]);
        assert_eq!(frames(Vec::new(), Some(3)), []);
    }

    proptest::proptest! {
        /// The broker, which takes a frame for several as an answer for all up to it, ends up with exactly these answered.
        #[test]
        fn only_these_are_acknowledged(order in proptest::collection::vec(0u64..40, 1..60)) {
            let mut open: BTreeSet<DeliveryTag> = (0..40).collect();
            let mut of_broker = open.clone();
            for batch in order.chunks(4) {
                let tags: Vec<_> = batch.iter().copied().filter(|tag| open.remove(tag)).collect();
                for (tag, multiple) in frames(tags, open.first().copied()) {
                    proptest::prop_assert!(of_broker.contains(&tag), "the broker does not know {tag}");
                    of_broker.retain(|t| if multiple { *t > tag } else { *t != tag });
                }
                proptest::prop_assert_eq!(&of_broker, &open);
            }
        }
    }
}
