//! The bus within one process.

use async_trait::async_trait;
use mouthpiece_domain::fleet::{Command, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::bus::{Bus, BusError, Delivery, Inbox, Receipt};
use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// A worker's queue holds so many commands; a worker has a handful of slots.
const COMMANDS: usize = 256;
/// Events that no coordinator has taken yet.
const EVENTS: usize = 65_536;
/// Commands that came back and were not fetched; the oldest are dropped beyond that, their leases run out by themselves.
const RETURNED: usize = 4096;
/// A command delivered so often without an answer comes back.
const DELIVERIES: u32 = 5;

/// Commands to workers and events to coordinators, in memory and in order. Lost with the process, as its workers are.
#[derive(Clone)]
pub struct MemoryBus {
    commands: Arc<Mutex<HashMap<WorkerId, Arc<Queue<Command>>>>>,
    events: Arc<Queue<WorkerEvent>>,
    returned: Arc<Queue<Command>>,
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryBus {
    /// A bus without queues of workers.
    pub fn new() -> Self {
        let returned = Queue::new(RETURNED, None);
        Self { commands: Arc::default(), events: Queue::new(EVENTS, None), returned }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<WorkerId, Arc<Queue<Command>>>> {
        self.commands.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// One queue: what waits, and what is handed out without an answer.
struct Queue<M> {
    state: Mutex<State<M>>,
    /// Woken when a message waits, or when one was answered.
    news: Notify,
    bound: usize,
    /// Where messages go that were delivered in vain too often; without it they stay.
    dead: Option<Arc<Queue<M>>>,
}

struct State<M> {
    /// In the order of their numbers.
    waiting: VecDeque<Message<M>>,
    unanswered: usize,
    next: u64,
    closed: bool,
}

struct Message<M> {
    number: u64,
    delivered: u32,
    body: M,
}

impl<M: Clone + Send + 'static> Queue<M> {
    fn new(bound: usize, dead: Option<Arc<Self>>) -> Arc<Self> {
        let state = State { waiting: VecDeque::new(), unanswered: 0, next: 0, closed: false };
        Arc::new(Self { state: Mutex::new(state), news: Notify::new(), bound, dead })
    }

    fn state(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn push(&self, body: M) -> Result<(), BusError> {
        let mut state = self.state();
        if state.waiting.len() + state.unanswered >= self.bound {
            return Err(BusError::Full);
        }
        let number = state.next;
        state.next += 1;
        state.waiting.push_back(Message { number, delivered: 0, body });
        drop(state);
        self.news.notify_waiters();
        Ok(())
    }

    /// Takes a message back that was delivered in vain.
    fn back(&self, message: Message<M>) {
        let mut state = self.state();
        state.unanswered -= 1;
        if state.closed || message.delivered >= DELIVERIES {
            drop(state);
            self.bury(message.body);
        } else {
            let at = state.waiting.partition_point(|m| m.number < message.number);
            state.waiting.insert(at, message);
            drop(state);
        }
        self.news.notify_waiters();
    }

    fn bury(&self, body: M) {
        if let Some(dead) = &self.dead {
            if dead.push(body).is_err() {
                tracing::warn!("too many commands came back unfetched: one is dropped, its lease runs out by itself");
            }
        }
    }

    fn answered(&self) {
        self.state().unanswered -= 1;
        self.news.notify_waiters();
    }

    /// Closes the queue; what waits is buried.
    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(|m| self.bury(m.body));
        self.news.notify_waiters();
    }

    fn inbox(self: &Arc<Self>, most: usize) -> Box<dyn Inbox<M>>
    where
        M: Sync,
    {
        Box::new(MemoryInbox { queue: Arc::clone(self), most, mine: Arc::new(Mutex::new(0)) })
    }
}

struct MemoryInbox<M> {
    queue: Arc<Queue<M>>,
    /// So many may be handed out by this receiver without an answer.
    most: usize,
    mine: Arc<Mutex<usize>>,
}

impl<M: Clone + Send + Sync + 'static> MemoryInbox<M> {
    fn take(&self) -> Result<Option<Delivery<M>>, ()> {
        let mut mine = lock(&self.mine);
        let mut state = self.queue.state();
        if state.closed {
            return Err(());
        }
        if *mine >= self.most {
            return Ok(None);
        }
        let Some(mut message) = state.waiting.pop_front() else { return Ok(None) };
        *mine += 1;
        state.unanswered += 1;
        drop(state);
        message.delivered += 1;
        let (body, again) = (message.body.clone(), message.delivered > 1);
        let receipt =
            MemoryReceipt { queue: Arc::clone(&self.queue), message: Some(message), mine: Arc::clone(&self.mine) };
        Ok(Some(Delivery { body, receipt: Box::new(receipt), again }))
    }
}

#[async_trait]
impl<M: Clone + Send + Sync + 'static> Inbox<M> for MemoryInbox<M> {
    async fn next(&mut self) -> Option<Delivery<M>> {
        loop {
            // Registered before looking, so that what comes in between is not missed.
            let mut news = pin!(self.queue.news.notified());
            news.as_mut().enable();
            match self.take() {
                Err(()) => return None,
                Ok(Some(delivery)) => return Some(delivery),
                Ok(None) => news.await,
            }
        }
    }
}

/// One delivery's answer; dropped without one, the message goes back.
struct MemoryReceipt<M: Clone + Send + 'static> {
    queue: Arc<Queue<M>>,
    message: Option<Message<M>>,
    mine: Arc<Mutex<usize>>,
}

#[async_trait]
impl<M: Clone + Send + Sync + 'static> Receipt for MemoryReceipt<M> {
    async fn ack(mut self: Box<Self>) -> Result<(), BusError> {
        if self.message.take().is_some() {
            *lock(&self.mine) -= 1;
            self.queue.answered();
        }
        Ok(())
    }
}

impl<M: Clone + Send + 'static> Drop for MemoryReceipt<M> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            *lock(&self.mine) -= 1;
            self.queue.back(message);
        }
    }
}

fn lock(count: &Mutex<usize>) -> MutexGuard<'_, usize> {
    count.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[async_trait]
impl Bus for MemoryBus {
    async fn send(&self, worker: WorkerId, command: &Command) -> Result<(), BusError> {
        let queue = self.queues().get(&worker).cloned().ok_or(BusError::Unroutable(worker))?;
        queue.push(command.clone())
    }

    async fn commands(&self, worker: WorkerId, unanswered: u16) -> Result<Box<dyn Inbox<Command>>, BusError> {
        let mut queues = self.queues();
        let queue = queues.entry(worker).or_insert_with(|| Queue::new(COMMANDS, Some(Arc::clone(&self.returned))));
        Ok(queue.inbox(usize::from(unanswered.max(1))))
    }

    async fn remove(&self, worker: WorkerId) -> Result<(), BusError> {
        let queue = self.queues().remove(&worker);
        if let Some(queue) = queue {
            queue.close();
        }
        Ok(())
    }

    async fn emit(&self, event: &WorkerEvent) -> Result<(), BusError> {
        self.events.push(event.clone())
    }

    async fn events(&self) -> Result<Box<dyn Inbox<WorkerEvent>>, BusError> {
        Ok(self.events.inbox(1024))
    }

    async fn returned(&self) -> Result<Box<dyn Inbox<Command>>, BusError> {
        Ok(self.returned.inbox(64))
    }

    async fn check(&self) -> Result<(), BusError> {
        Ok(())
    }
}
