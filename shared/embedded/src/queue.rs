//! One queue in memory: bounded, in order, at least once.

use async_trait::async_trait;
use mouthpiece_ports::bus::{BusError, BusInbox, Delivery, DeliveryReceipt};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// What a queue is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// It holds at most so many messages, those that were handed out included.
    pub(crate) capacity: usize,
    /// One receiver at a time; others wait for their turn. Else they compete.
    pub(crate) exclusive: bool,
}

/// A queue whose messages come back when they are not acknowledged.
pub(crate) struct Queue<M> {
    terms: Terms,
    state: Mutex<State<M>>,
    /// Rung at everything that can let a receiver go on.
    news: Notify,
    /// Where a message goes that was delivered in vain too often or whose queue is closed, and how often is too often.
    /// Without it a message is delivered until it is acknowledged, and is gone with its queue.
    sink: Option<(Arc<Queue<M>>, u32)>,
}

struct State<M> {
    /// What waits, by number: whatever comes back takes its old place.
    waiting: BTreeMap<u64, Message<M>>,
    /// What was handed out, and to whom.
    out: HashMap<u64, (Receiver, Message<M>)>,
    /// Who receives, in order of arrival.
    receivers: VecDeque<Receiver>,
    /// The next number of a message or receiver.
    next: u64,
    closed: bool,
}

type Receiver = u64;

struct Message<M> {
    body: M,
    delivered: u32,
}

/// What a receiver finds.
enum Found<M> {
    Message { number: u64, body: M, again: bool },
    Nothing,
    Closed,
}

impl<M: Clone + Send + Sync + 'static> Queue<M> {
    pub(crate) fn new(terms: Terms, sink: Option<(Arc<Self>, u32)>) -> Arc<Self> {
        let state =
            State { waiting: BTreeMap::new(), out: HashMap::new(), receivers: VecDeque::new(), next: 0, closed: false };
        Arc::new(Self { terms, state: Mutex::new(state), news: Notify::new(), sink })
    }

    /// Every change under the lock is complete before anything can panic.
    fn state(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether a message more is taken.
    pub(crate) fn has_room(&self) -> bool {
        self.state().len() < self.terms.capacity
    }

    pub(crate) fn push(&self, body: M) -> Result<(), BusError> {
        self.insert(body, self.terms.capacity)
    }

    fn insert(&self, body: M, capacity: usize) -> Result<(), BusError> {
        let mut state = self.state();
        if state.closed {
            return Err(closed());
        }
        if state.len() >= capacity {
            return Err(BusError::Full);
        }
        let number = state.number();
        state.waiting.insert(number, Message { body, delivered: 0 });
        drop(state);
        self.news.notify_waiters();
        Ok(())
    }

    /// A receiver to whom at most `unanswered` messages are handed out without an answer.
    pub(crate) fn inbox(self: &Arc<Self>, unanswered: usize) -> Box<dyn BusInbox<M>> {
        let mut state = self.state();
        let receiver = state.number();
        state.receivers.push_back(receiver);
        drop(state);
        Box::new(MemoryInbox { queue: Arc::clone(self), receiver, unanswered })
    }

    /// Ends the queue: its receivers are told, what it held goes to the sink in order, answers come too late.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let mut left = std::mem::take(&mut state.waiting);
        left.extend(state.out.drain().map(|(number, (_, message))| (number, message)));
        drop(state);
        self.news.notify_waiters();
        self.sink(left.into_values());
    }

    fn sink(&self, messages: impl Iterator<Item = Message<M>>) {
        let Some((sink, _)) = &self.sink else { return };
        for message in messages {
            // Nothing that was taken is dropped for want of room: whoever fills this queue asks the sink for room first.
            if let Err(e) = sink.insert(message.body, usize::MAX) {
                tracing::debug!("a message did not come back: {e}");
            }
        }
    }

    fn take(&self, receiver: Receiver, unanswered: usize) -> Found<M> {
        let mut state = self.state();
        if state.closed {
            return Found::Closed;
        }
        let others_turn = self.terms.exclusive && state.receivers.front() != Some(&receiver);
        if others_turn || state.out.values().filter(|(r, _)| *r == receiver).count() >= unanswered {
            return Found::Nothing;
        }
        let Some((number, mut message)) = state.waiting.pop_first() else { return Found::Nothing };
        message.delivered = message.delivered.saturating_add(1);
        let (body, again) = (message.body.clone(), message.delivered > 1);
        state.out.insert(number, (receiver, message));
        Found::Message { number, body, again }
    }

    fn acknowledge(&self, receiver: Receiver, number: u64) -> Result<(), BusError> {
        let mut state = self.state();
        if state.out.get(&number).is_none_or(|(r, _)| *r != receiver) {
            return Err(BusError::Unavailable("the delivery was taken back: its receiver or its queue is gone".into()));
        }
        state.out.remove(&number);
        drop(state);
        self.news.notify_waiters();
        Ok(())
    }

    /// Takes back what a receiver was handed and did not acknowledge: one message or all.
    fn take_back(&self, receiver: Receiver, only: Option<u64>) {
        let mut state = self.state();
        let theirs =
            |(number, (r, _)): &(&u64, &(Receiver, Message<M>))| *r == receiver && only.is_none_or(|n| n == **number);
        let mut numbers: Vec<u64> = state.out.iter().filter(theirs).map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        let limit = self.sink.as_ref().map_or(u32::MAX, |(_, limit)| *limit);
        let mut in_vain = Vec::new();
        for number in numbers {
            let Some((_, message)) = state.out.remove(&number) else { continue };
            if message.delivered >= limit {
                in_vain.push(message);
            } else {
                state.waiting.insert(number, message);
            }
        }
        if only.is_none() {
            state.receivers.retain(|r| *r != receiver);
        }
        drop(state);
        self.news.notify_waiters();
        self.sink(in_vain.into_iter());
    }
}

impl<M> State<M> {
    fn len(&self) -> usize {
        self.waiting.len() + self.out.len()
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

pub(crate) fn closed() -> BusError {
    BusError::Unavailable("it was closed".into())
}

struct MemoryInbox<M: Clone + Send + Sync + 'static> {
    queue: Arc<Queue<M>>,
    receiver: Receiver,
    unanswered: usize,
}

#[async_trait]
impl<M: Clone + Send + Sync + 'static> BusInbox<M> for MemoryInbox<M> {
    async fn next(&mut self) -> Option<Delivery<M>> {
        loop {
            // Registered before looking, so that what comes in between is not missed.
            let mut news = pin!(self.queue.news.notified());
            news.as_mut().enable();
            match self.queue.take(self.receiver, self.unanswered) {
                Found::Message { number, body, again } => {
                    let receipt = Unanswered { queue: Arc::clone(&self.queue), receiver: self.receiver, number };
                    return Some(Delivery { body, receipt: Box::new(receipt), again });
                }
                Found::Closed => return None,
                Found::Nothing => news.await,
            }
        }
    }
}

impl<M: Clone + Send + Sync + 'static> Drop for MemoryInbox<M> {
    fn drop(&mut self) {
        self.queue.take_back(self.receiver, None);
    }
}

/// A delivery without an answer yet.
struct Unanswered<M: Clone + Send + Sync + 'static> {
    queue: Arc<Queue<M>>,
    receiver: Receiver,
    number: u64,
}

#[async_trait]
impl<M: Clone + Send + Sync + 'static> DeliveryReceipt for Unanswered<M> {
    async fn ack(self: Box<Self>) -> Result<(), BusError> {
        self.queue.acknowledge(self.receiver, self.number)
    }
}

impl<M: Clone + Send + Sync + 'static> Drop for Unanswered<M> {
    /// Without an answer the message goes back; after one there is nothing left to take.
    fn drop(&mut self) {
        self.queue.take_back(self.receiver, Some(self.number));
    }
}
