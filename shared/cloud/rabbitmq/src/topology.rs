//! The farm's exchanges and queues, as `docs/rabbitmq.md` draws them. Declaring them again changes nothing.

use crate::link::{CallError, Link};
use crate::names::{Names, command_key, marker_key};
use crate::options::RabbitOptions;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};
use mouthpiece_domain::ids::WorkerId;
use std::time::Duration;

/// A worker's queue takes so many commands that nobody was handed yet; a worker has a handful of slots.
const COMMANDS: i64 = 256;
/// Events that wait for a coordinator.
const EVENTS: i64 = 65_536;
/// Commands that came back and wait for a coordinator.
const RETURNED: i64 = 65_536;
/// What could not be read is kept for people, the newest.
const UNREAD: i64 = 10_000;
/// Events have nowhere to come back to. Brokers from 4.0 on give up after 20 deliveries unless they are told a limit, and no
/// limit at all is not said in the same way to all versions: so one that is never reached.
const NO_LIMIT: i64 = 1_000_000_000;

/// A queue's arguments.
struct Arguments(FieldTable);

impl Arguments {
    /// A replicated queue on disk: what it confirmed survives a broker's crash.
    fn quorum() -> Self {
        Self(FieldTable::default()).text("x-queue-type", "quorum")
    }

    fn text(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.into(), AMQPValue::LongString(value.into()));
        self
    }

    fn number(mut self, name: &str, value: i64) -> Self {
        self.0.insert(name.into(), AMQPValue::LongLongInt(value));
        self
    }

    fn span(self, name: &str, value: Duration) -> Self {
        self.number(name, i64::try_from(value.as_millis()).unwrap_or(i64::MAX))
    }

    fn flag(mut self, name: &str) -> Self {
        self.0.insert(name.into(), AMQPValue::Boolean(true));
        self
    }

    /// At most `length` messages, then no more are taken: dead letters are only kept safely by queues that refuse.
    fn bounded(self, length: i64) -> Self {
        self.number("x-max-length", length).text("x-overflow", "reject-publish")
    }

    /// What is rejected, expired or delivered too often goes there, and is kept until it has arrived.
    fn dead_letters(self, exchange: &str) -> Self {
        self.text("x-dead-letter-exchange", exchange).text("x-dead-letter-strategy", "at-least-once")
    }
}

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() }
}

/// Declares what all workers share.
pub(crate) async fn declare_shared(link: &Link, channel: &Channel, names: &Names) -> Result<(), CallError> {
    let exchanges = [
        (names.commands(), ExchangeKind::Direct),
        (names.events(), ExchangeKind::Topic),
        (names.removals(), ExchangeKind::Topic),
        (names.returned(), ExchangeKind::Topic),
        (names.unread(), ExchangeKind::Topic),
    ];
    for (name, kind) in exchanges {
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        link.call(channel.exchange_declare(name.into(), kind, options, FieldTable::default())).await?;
    }
    let forever = |length| Arguments::quorum().bounded(length).number("x-delivery-limit", NO_LIMIT);
    let unread = Arguments::quorum().number("x-max-length", UNREAD).number("x-delivery-limit", NO_LIMIT);
    let queues = [
        (names.unread(), unread),
        (names.events(), forever(EVENTS).dead_letters(&names.unread())),
        (names.returned(), forever(RETURNED).dead_letters(&names.unread())),
    ];
    for (name, Arguments(arguments)) in queues {
        link.call(channel.queue_declare(name.as_str().into(), durable(), arguments)).await?;
        bind(link, channel, &name, &name, "#").await?;
    }
    Ok(())
}

/// Declares one worker's queue; that alone does not make it reachable.
pub(crate) async fn declare_worker(
    link: &Link,
    channel: &Channel,
    names: &Names,
    options: &RabbitOptions,
    worker: WorkerId,
) -> Result<(), CallError> {
    let Arguments(arguments) = Arguments::quorum()
        .bounded(COMMANDS)
        .dead_letters(&names.returned())
        .flag("x-single-active-consumer")
        // Deliveries after the first one.
        .number("x-delivery-limit", i64::from(options.deliveries.saturating_sub(1)))
        // No expiry of the queue itself: it takes along what is inside, and nothing that a sender does puts it off.
        .span("x-message-ttl", options.unclaimed);
    link.call(channel.queue_declare(names.worker(worker).into(), durable(), arguments)).await?;
    Ok(())
}

/// Makes one worker's queue reachable.
pub(crate) async fn bind_worker(
    link: &Link,
    channel: &Channel,
    names: &Names,
    worker: WorkerId,
) -> Result<(), CallError> {
    let queue = names.worker(worker);
    bind(link, channel, &queue, &names.removals(), &marker_key(worker)).await?;
    bind(link, channel, &queue, &names.commands(), &command_key(worker)).await
}

/// A queue of this connection's own, which goes with its consumer.
pub(crate) async fn declare_private(
    link: &Link,
    channel: &Channel,
    name: &str,
    exchange: &str,
    key: &str,
) -> Result<(), CallError> {
    let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    link.call(channel.queue_declare(name.into(), options, FieldTable::default())).await?;
    bind(link, channel, name, exchange, key).await
}

async fn bind(link: &Link, channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), CallError> {
    let options = QueueBindOptions::default();
    link.call(channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default())).await
}

/// How many messages wait in a queue; `None` when there is none of that name.
pub(crate) async fn length(link: &Link, queue: &str) -> Result<Option<u32>, CallError> {
    // On a channel of its own: the broker closes it when there is no such queue.
    let channel = link.channel().await?;
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    match link.call(channel.queue_declare(queue.into(), options, FieldTable::default())).await {
        Ok(found) => Ok(Some(found.message_count())),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
