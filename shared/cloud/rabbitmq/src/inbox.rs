//! A queue's receiving end, which survives connections: it subscribes again by itself.

use crate::keeper::State;
use crate::link::{CallError, Link, OwnedChannel};
use crate::names::{Names, marker_key};
use crate::topology::declare_private;
use async_trait::async_trait;
use futures_util::StreamExt as _;
use lapin::Consumer;
use lapin::message::Delivery as Arrived;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::bus::{BusError, BusInbox, Delivery};
use mouthpiece_ports::retry::jittered;
use mouthpiece_ports::wire::{WireMessage, decode};
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::receipt::{Standing, Unanswered};

/// Between two attempts to subscribe.
const PAUSES: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(2), again: None };

/// What a removal's marker says it is.
pub(crate) const MARKER: &str = "removal";

/// What is received, and how.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) queue: String,
    /// At most so many are handed out without an answer.
    pub(crate) unanswered: u16,
    /// The worker whose queue it is: it may be removed.
    pub(crate) worker: Option<WorkerId>,
}

/// What is needed to subscribe, again and again.
pub(crate) struct Receiver<M> {
    pub(crate) state: watch::Receiver<State>,
    pub(crate) names: Arc<Names>,
    pub(crate) source: Source,
    pub(crate) patience: Duration,
    pub(crate) buffer: Arc<Buffer<M>>,
}

/// What has arrived and was not handed out yet: as much as the broker sends without an answer.
pub(crate) struct Buffer<M> {
    inner: Mutex<Inner<M>>,
    news: Notify,
}

struct Inner<M> {
    waiting: VecDeque<Delivery<M>>,
    over: bool,
}

impl<M> Default for Buffer<M> {
    fn default() -> Self {
        Self { inner: Mutex::new(Inner { waiting: VecDeque::new(), over: false }), news: Notify::new() }
    }
}

impl<M> Buffer<M> {
    fn inner(&self) -> MutexGuard<'_, Inner<M>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, delivery: Delivery<M>) {
        self.inner().waiting.push_back(delivery);
        self.news.notify_waiters();
    }

    /// What was received by a subscription that is gone comes again by another one.
    fn clear(&self) {
        let gone = std::mem::take(&mut self.inner().waiting);
        drop(gone);
    }

    fn end(&self) {
        self.inner().over = true;
        self.clear();
        self.news.notify_waiters();
    }
}

/// The port's side of it.
struct QueueInbox<M> {
    buffer: Arc<Buffer<M>>,
    driver: JoinHandle<()>,
}

#[async_trait]
impl<M: Send + 'static> BusInbox<M> for QueueInbox<M> {
    async fn next(&mut self) -> Option<Delivery<M>> {
        loop {
            // Registered before looking, so that what comes in between is not missed.
            let mut news = pin!(self.buffer.news.notified());
            news.as_mut().enable();
            {
                let mut inner = self.buffer.inner();
                if inner.over {
                    return None;
                }
                if let Some(delivery) = inner.waiting.pop_front() {
                    return Some(delivery);
                }
            }
            news.await;
        }
    }
}

impl<M> Drop for QueueInbox<M> {
    /// The subscription's channel is closed with it, and the broker takes back what was not acknowledged.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A subscription on one channel.
struct Subscription {
    channel: OwnedChannel,
    messages: Consumer,
    /// Tells that the queue is being removed, whatever is unanswered.
    removals: Option<Consumer>,
    standing: Arc<Standing>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.standing.end();
    }
}

/// Why receiving from a subscription ended.
enum Ended {
    /// The queue is being removed.
    Removed,
    /// The channel or the connection is gone.
    Lost,
}

impl<M: WireMessage + Send + 'static> Receiver<M> {
    /// Subscribes, and goes on by itself from then on.
    pub(crate) async fn open(self, link: Arc<Link>) -> Result<Box<dyn BusInbox<M>>, BusError> {
        let buffer = Arc::clone(&self.buffer);
        let subscription = match self.subscribe(&link).await {
            Ok(subscription) => subscription,
            Err(error) => return Err(link.failure(&error)),
        };
        let driver = tokio::spawn(self.run((link, subscription)));
        Ok(Box::new(QueueInbox { buffer, driver }))
    }

    async fn subscribe(&self, link: &Link) -> Result<Subscription, CallError> {
        let channel = link.channel().await?;
        let removals = match self.source.worker {
            None => None,
            Some(worker) => {
                let name = self.names.private().map_err(|_| CallError::Late)?;
                declare_private(link, &channel, &name, &self.names.removals(), &marker_key(worker)).await?;
                let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
                Some(channel.consume(link, &name, options).await?)
            }
        };
        link.call(channel.basic_qos(self.source.unanswered, BasicQosOptions::default())).await?;
        let messages = channel.consume(link, &self.source.queue, BasicConsumeOptions::default()).await?;
        Ok(Subscription { channel, messages, removals, standing: Standing::new(self.patience) })
    }

    async fn run(mut self, first: (Arc<Link>, Subscription)) {
        let mut current = Some(first);
        let mut tries = 0;
        loop {
            let (link, mut subscription) = match current.take() {
                Some(subscribed) => subscribed,
                None => {
                    let Some(link) = self.next_link().await else { break };
                    match self.subscribe(&link).await {
                        Ok(subscription) => (link, subscription),
                        // It was removed while we were away.
                        Err(error) if error.is_missing() && self.source.worker.is_some() => break,
                        Err(error) => {
                            let trouble = link.trouble(&error).text;
                            tracing::warn!(queue = %self.source.queue, %trouble, "not subscribed, trying again");
                            if error.is_missing() {
                                link.end(); // the next one declares it
                            }
                            sleep(jittered(PAUSES.pause(tries))).await;
                            tries = tries.saturating_add(1);
                            continue;
                        }
                    }
                }
            };
            tries = 0;
            let ended = self.receive(&link, &mut subscription).await;
            subscription.standing.end();
            self.buffer.clear();
            if let Ended::Removed = ended {
                // The broker takes back what is unanswered when the channel is closed, whoever still holds a delivery.
                let _ = link.call(subscription.channel.close(200, "OK".into())).await;
                break;
            }
            drop(subscription);
            sleep(jittered(PAUSES.pause(0))).await;
        }
        self.buffer.end();
    }

    /// Waits for a connection; `None` when the bus is closed.
    async fn next_link(&mut self) -> Option<Arc<Link>> {
        let state = self.state.wait_for(|state| !matches!(state, State::Down(_))).await.ok()?;
        match &*state {
            State::Up(link) => Some(Arc::clone(link)),
            State::Down(_) | State::Closed => None,
        }
    }

    async fn receive(&mut self, link: &Link, subscription: &mut Subscription) -> Ended {
        let Subscription { messages, removals, standing, .. } = subscription;
        loop {
            let arrived = tokio::select! {
                // An error is the connection's end, which is seen below, and no removal.
                Some(Ok(_)) = async { removals.as_mut()?.next().await } => return Ended::Removed,
                arrived = messages.next() => arrived,
                () = link.until_ended() => return Ended::Lost,
                _ = self.state.wait_for(|state| matches!(state, State::Closed)) => return Ended::Lost,
            };
            let Some(Ok(arrived)) = arrived else { return Ended::Lost };
            link.hear();
            if arrived.properties.kind().as_ref().is_some_and(|kind| kind.to_string() == MARKER) {
                let _ = link.call(arrived.acker.ack(BasicAckOptions::default())).await;
                if self.source.worker.is_some() {
                    return Ended::Removed;
                }
                continue; // a marker that did its work
            }
            self.take(link, arrived, standing).await;
        }
    }

    async fn take(&self, link: &Link, arrived: Arrived, standing: &Arc<Standing>) {
        let Arrived { data, acker, redelivered, .. } = arrived;
        match decode(&data) {
            Ok(body) => {
                let receipt = Box::new(Unanswered::new(acker, Arc::clone(standing)));
                self.buffer.push(Delivery { body, receipt, again: redelivered });
            }
            Err(error) => {
                // It goes where dead letters of this queue go; delivering it again would not make it readable.
                tracing::warn!(queue = %self.source.queue, %error, "a message cannot be read and is put aside");
                let _ = link.call(acker.reject(BasicRejectOptions { requeue: false })).await;
            }
        }
    }
}
