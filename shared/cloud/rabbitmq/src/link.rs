//! One connection to the broker: its channels, and whether it is in doubt.

use crate::error::{Trouble, explain, said, soft};
use crate::options::Address;
use crate::socket::SocketCut;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions};
use lapin::protocol::AMQPSoftError;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, Consumer, Error};
use mouthpiece_ports::bus::BusError;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, timeout};

/// A connection. When it is dropped it is closed, politely for a second.
pub(crate) struct Link {
    address: Arc<Address>,
    patience: Duration,
    connection: Arc<Connection>,
    cut: SocketCut,
    /// Channels with confirms on which nothing is under way. One message at a time is published on each, so that what the
    /// broker returns belongs to that message.
    idle: Mutex<Vec<Channel>>,
    permits: Semaphore,
    probe: tokio::sync::Mutex<Channel>,
    heard: Mutex<Instant>,
    doubted: AtomicBool,
    /// Rung when the link is in doubt.
    doubt: Notify,
    broken: watch::Sender<bool>,
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum CallError {
    /// Nothing came back in time: whether the broker heard it is not known.
    Late,
    /// The broker or the connection said no.
    Broker(Error),
}

impl CallError {
    /// No such queue or exchange. Brokers say "not found" of a queue that is not available yet, too, in other words.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Broker(error) => {
                soft(error) == Some(AMQPSoftError::NOTFOUND) && said(error).contains("NOT_FOUND - no ")
            }
            Self::Late => false,
        }
    }

    /// Another connection has it.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self, Self::Broker(error) if soft(error) == Some(AMQPSoftError::RESOURCELOCKED))
    }
}

/// What the broker did with a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// Its queues have it on disk.
    Taken,
    /// No queue is bound for it.
    Unroutable,
    /// A queue is full.
    Refused,
}

/// A message on its way out.
pub(crate) struct Outgoing<'a> {
    pub(crate) exchange: String,
    pub(crate) key: String,
    pub(crate) body: &'a [u8],
    /// What it is, so that it can be told without being read.
    pub(crate) kind: &'static str,
    /// It is of no use any more after that.
    pub(crate) expiration: Option<Duration>,
}

impl Link {
    /// A link over a connection that was just made.
    pub(crate) async fn new(
        address: Arc<Address>,
        (connection, cut): (Connection, SocketCut),
        patience: Duration,
        in_flight: u16,
    ) -> Result<Self, Trouble> {
        let probe = match timeout(patience, connection.create_channel()).await {
            Ok(Ok(probe)) => probe,
            failed => {
                cut.cut();
                return Err(failed.map_or_else(
                    |_| late(&address, patience),
                    |failed| failed.map_or_else(|e| explain(&address, &e), |_| late(&address, patience)),
                ));
            }
        };
        Ok(Self {
            address,
            patience,
            connection: Arc::new(connection),
            cut,
            idle: Mutex::default(),
            permits: Semaphore::new(usize::from(in_flight)),
            probe: tokio::sync::Mutex::new(probe),
            heard: Mutex::new(Instant::now()),
            doubted: AtomicBool::new(false),
            doubt: Notify::new(),
            broken: watch::Sender::new(false),
        })
    }

    /// One call to the broker, within its limit.
    pub(crate) async fn call<T>(&self, what: impl Future<Output = lapin::Result<T>>) -> Result<T, CallError> {
        match timeout(self.patience, what).await {
            Ok(Ok(answer)) => {
                self.hear();
                Ok(answer)
            }
            Ok(Err(error)) => Err(CallError::Broker(error)),
            Err(_) => {
                self.suspect();
                Err(CallError::Late)
            }
        }
    }

    /// A new channel.
    pub(crate) async fn channel(&self) -> Result<OwnedChannel, CallError> {
        let channel = self.call(self.connection.create_channel()).await?;
        Ok(OwnedChannel { channel, consumers: Mutex::default(), patience: self.patience })
    }

    /// Publishes a message and waits until the broker has it safely.
    pub(crate) async fn publish(&self, message: Outgoing<'_>) -> Result<Published, CallError> {
        self.call(async {
            // Never closed. Given up with the call when it does not come in time.
            let _permit = self.permits.acquire().await;
            // A channel whose call is given up is not used again: it is closed as it is dropped.
            let channel = match self.take_idle() {
                Some(channel) => channel,
                None => {
                    let channel = self.connection.create_channel().await?;
                    channel.confirm_select(ConfirmSelectOptions::default()).await?;
                    channel
                }
            };
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let mut properties = BasicProperties::default()
                .with_content_type("application/json".into())
                .with_delivery_mode(2) // to disk
                .with_type(message.kind.into());
            if let Some(expiration) = message.expiration {
                properties = properties.with_expiration(expiration.as_millis().to_string().into());
            }
            let confirm = channel
                .basic_publish(message.exchange.into(), message.key.into(), options, message.body, properties)
                .await?
                .await?;
            lock(&self.idle).push(channel);
            Ok(match confirm {
                Confirmation::Ack(None) | Confirmation::NotRequested => Published::Taken,
                Confirmation::Ack(Some(_)) => Published::Unroutable,
                Confirmation::Nack(_) => Published::Refused,
            })
        })
        .await
    }

    fn take_idle(&self) -> Option<Channel> {
        let mut idle = lock(&self.idle);
        while let Some(channel) = idle.pop() {
            if channel.status().connected() {
                return Some(channel);
            }
        }
        None
    }

    /// Fails unless the broker answers now.
    pub(crate) async fn prove(&self) -> Result<(), Trouble> {
        if self.connection.status().blocked() {
            return Err(Trouble::passing(format!(
                "the broker at {} takes no messages: it is low on memory or disk",
                self.address.place()
            )));
        }
        let asked = self.call(async {
            let probe = self.probe.lock().await;
            probe.basic_qos(1, BasicQosOptions::default()).await
        });
        asked.await.map_err(|error| self.trouble(&error))
    }

    /// As a caller of the port is told.
    pub(crate) fn failure(&self, error: &CallError) -> BusError {
        BusError::Unavailable(self.trouble(error).text)
    }

    pub(crate) fn trouble(&self, error: &CallError) -> Trouble {
        match error {
            CallError::Late => late(&self.address, self.patience),
            CallError::Broker(error) => explain(&self.address, error),
        }
    }

    /// Something was heard of the broker.
    pub(crate) fn hear(&self) {
        *lock(&self.heard) = Instant::now();
        self.doubted.store(false, Ordering::Relaxed);
    }

    fn suspect(&self) {
        self.doubted.store(true, Ordering::Relaxed);
        self.doubt.notify_one();
    }

    /// When something was heard last.
    pub(crate) fn heard(&self) -> Instant {
        *lock(&self.heard)
    }

    /// A call was not answered in time, and nothing was heard since.
    pub(crate) fn in_doubt(&self) -> bool {
        self.doubted.load(Ordering::Relaxed)
    }

    /// What a caller is told while the link is in doubt.
    pub(crate) fn doubtful(&self) -> Trouble {
        late(&self.address, self.patience)
    }

    /// Waits until the link is in doubt.
    pub(crate) async fn until_doubt(&self) {
        self.doubt.notified().await;
    }

    /// The broker told us to publish nothing.
    pub(crate) fn blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// The library believes in the connection.
    pub(crate) fn connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// What happens to the connection.
    pub(crate) fn events(&self) -> impl futures_util::Stream<Item = lapin::Event> + Send + 'static {
        self.connection.events_listener()
    }

    /// Ends the link at once, without waiting for the broker: another one is made, and everything is declared again.
    pub(crate) fn end(&self) {
        self.broken.send_replace(true);
        self.cut.cut();
    }

    /// Waits until the link has ended.
    pub(crate) async fn until_ended(&self) {
        let mut broken = self.broken.subscribe();
        // The sender lives as long as the link.
        let _ = broken.wait_for(|broken| *broken).await;
    }
}

/// A channel that is closed when it is dropped, also in the middle of a call: the library keeps one open whose subscription
/// was asked for and given up, and what the broker sends to that would lie there.
///
/// Its subscriptions live until it is closed. The library cancels one that is dropped before, in a task of its own, and when
/// that comes upon a channel that is just being closed it gives up the whole connection.
pub(crate) struct OwnedChannel {
    channel: Channel,
    consumers: Mutex<Vec<Consumer>>,
    patience: Duration,
}

impl OwnedChannel {
    /// Subscribes to a queue under a name that the broker makes, until the channel is dropped.
    pub(crate) async fn consume(
        &self,
        link: &Link,
        queue: &str,
        options: BasicConsumeOptions,
    ) -> Result<Consumer, CallError> {
        let asked = self.channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        let consumer = link.call(asked).await?;
        lock(&self.consumers).push(consumer.clone());
        Ok(consumer)
    }
}

impl Deref for OwnedChannel {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.channel
    }
}

impl Drop for OwnedChannel {
    fn drop(&mut self) {
        if !self.channel.status().connected() {
            return;
        }
        // Without a runtime the connection ends, and the channel with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (channel, patience) = (self.channel.clone(), self.patience);
            let consumers = std::mem::take(&mut *lock(&self.consumers));
            runtime.spawn(async move {
                let _ = timeout(patience, channel.close(200, "OK".into())).await;
                drop(consumers);
            });
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let (connection, cut) = (Arc::clone(&self.connection), self.cut.clone());
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !*self.broken.borrow() => {
                runtime.spawn(async move {
                    let _ = timeout(Duration::from_secs(1), connection.close(200, "OK".into())).await;
                    cut.cut();
                });
            }
            _ => cut.cut(),
        }
    }
}

fn late(address: &Address, patience: Duration) -> Trouble {
    Trouble::passing(format!(
        "the broker at {} did not answer within {patience:?}; whether it heard is not known",
        address.place()
    ))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
