//! The bus within one process.

use crate::asks::Mailboxes;
use crate::queue::{Queue, Terms, closed};
use async_trait::async_trait;
use mouthpiece_domain::fleet::{WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{LiveAnswer, LiveAsk};
use mouthpiece_ports::bus::{Bus, BusError, BusInbox};
use mouthpiece_ports::questions::{QuestionBus, QuestionInbox};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A worker's queue holds so many commands; a worker has a handful of slots.
const COMMANDS: usize = 256;
/// Events that no coordinator has acknowledged.
const EVENTS: usize = 65_536;
/// When so many commands came back and nobody fetched them, no more are taken.
const RETURNED: usize = 4096;
/// A command delivered so often without an answer comes back.
const DELIVERIES: u32 = 5;
/// Handed out to one receiver of events, or of returned commands, without an answer.
const UNANSWERED: usize = 1024;

/// Commands to workers and events to coordinators, in memory. Lost with the process, as its workers are; the sweep of the
/// records after a start makes up for that.
///
/// A worker's queue holds 256 commands; 65,536 events may wait. A command delivered five times without an answer comes back.
pub struct MemoryBus {
    commands: Mutex<Commands>,
    events: Arc<Queue<WorkerEvent>>,
    returned: Arc<Queue<WorkerCommand>>,
    mailboxes: Mailboxes,
}

#[derive(Default)]
struct Commands {
    queues: HashMap<WorkerId, Arc<Queue<WorkerCommand>>>,
    closed: bool,
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryBus {
    /// A bus without any worker's queue.
    pub fn new() -> Self {
        Self {
            commands: Mutex::default(),
            events: Queue::new(Terms { capacity: EVENTS, exclusive: false }, None),
            returned: Queue::new(Terms { capacity: RETURNED, exclusive: false }, None),
            mailboxes: Mailboxes::default(),
        }
    }

    /// Closes the bus: every receiver's next message is `None`, and nothing more is taken.
    pub fn close(&self) {
        let mut commands = self.workers();
        commands.closed = true;
        self.events.close();
        self.returned.close();
        for queue in commands.queues.values() {
            queue.close();
        }
        commands.queues.clear();
        self.mailboxes.close();
    }

    fn workers(&self) -> MutexGuard<'_, Commands> {
        self.commands.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for MemoryBus {
    fn drop(&mut self) {
        self.close();
    }
}

#[async_trait]
impl Bus for MemoryBus {
    async fn send(&self, worker: WorkerId, command: &WorkerCommand) -> Result<(), BusError> {
        self.check().await?;
        let queue = self.workers().queues.get(&worker).cloned().ok_or(BusError::Unroutable(worker))?;
        // What comes back is bounded by what is taken: nothing that was taken is ever dropped.
        if !self.returned.has_room() {
            return Err(BusError::Full);
        }
        match queue.push(command.clone()) {
            // It was removed a moment ago.
            Err(BusError::Unavailable(_)) => Err(BusError::Unroutable(worker)),
            done => done,
        }
    }

    async fn commands(&self, worker: WorkerId, unanswered: u16) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError> {
        let mut commands = self.workers();
        if commands.closed {
            return Err(closed());
        }
        let make = || {
            Queue::new(Terms { capacity: COMMANDS, exclusive: true }, Some((Arc::clone(&self.returned), DELIVERIES)))
        };
        Ok(commands.queues.entry(worker).or_insert_with(make).inbox(usize::from(unanswered.max(1))))
    }

    async fn remove(&self, worker: WorkerId) -> Result<(), BusError> {
        let queue = self.workers().queues.remove(&worker);
        if let Some(queue) = queue {
            queue.close();
        }
        self.mailboxes.remove(worker);
        Ok(())
    }

    async fn emit(&self, event: &WorkerEvent) -> Result<(), BusError> {
        self.events.push(event.clone())
    }

    async fn events(&self) -> Result<Box<dyn BusInbox<WorkerEvent>>, BusError> {
        Ok(self.events.inbox(UNANSWERED))
    }

    async fn returned(&self) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError> {
        Ok(self.returned.inbox(UNANSWERED))
    }

    async fn check(&self) -> Result<(), BusError> {
        if self.workers().closed { Err(closed()) } else { Ok(()) }
    }
}

#[async_trait]
impl QuestionBus for MemoryBus {
    async fn ask(&self, worker: WorkerId, ask: &LiveAsk, patience: Duration) -> Result<LiveAnswer, BusError> {
        self.check().await?;
        self.mailboxes.ask(worker, ask.clone(), patience).await
    }

    async fn questions(&self, worker: WorkerId) -> Result<Box<dyn QuestionInbox>, BusError> {
        self.check().await?;
        Ok(self.mailboxes.open(worker))
    }
}
