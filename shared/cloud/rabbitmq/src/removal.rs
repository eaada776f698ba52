//! Removing a worker's queue so that nothing in it is lost.
//!
//! Brokers drop what is in a queue that is deleted. So it is emptied first, in steps that may be broken off anywhere and begun
//! again: what is still inside then comes back by its age.
//!
//! 1. One connection has the queue's lock, against whoever would open it in the meantime.
//! 2. It is unbound: nothing more is sent to it.
//! 3. A marker goes through it. Receivers that see it, in the queue or beside it, let go, and we are the one active consumer.
//! 4. What comes is copied to the returned commands, confirmed, and acknowledged.
//! 5. The marker is rejected. It takes the dead letters' way, behind all that was on that way already; once it has arrived and
//!    nothing is left, the queue is deleted.

use crate::inbox::MARKER;
use crate::link::{CallError, Link, Outgoing, Published};
use crate::names::{Names, command_key, marker_key};
use crate::topology::{declare_private, length};
use crate::worker_lock::WorkerLock;
use futures_util::StreamExt as _;
use lapin::Consumer;
use lapin::message::Delivery as Arrived;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::bus::BusError;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Another marker follows when the last one did not come back: a receiver may have come in between.
const ROUND: Duration = Duration::from_millis(250);
/// A marker is of no use any more after that.
const MARKER_AGE: Duration = Duration::from_secs(5);
/// Commands copied at a time.
const COPIED: u16 = 64;

/// Empties a worker's queue and deletes it; without a queue there is nothing to do. The caller bounds the time.
pub(crate) async fn remove(link: &Link, names: &Names, worker: WorkerId, lock: &WorkerLock) -> Result<(), BusError> {
    let failed = |error: CallError| link.failure(&error);
    let queue = names.worker(worker);
    if length(link, &queue).await.map_err(failed)?.is_none() {
        return Ok(());
    }
    let unbound = lock.channel().queue_unbind(
        queue.as_str().into(),
        names.commands().into(),
        command_key(worker).into(),
        FieldTable::default(),
    );
    link.call(unbound).await.map_err(failed)?;

    let channel = link.channel().await.map_err(failed)?;
    let private = names.private().map_err(|_| BusError::Unavailable("the system has no randomness".into()))?;
    declare_private(link, &channel, &private, &names.returned(), &marker_key(worker)).await.map_err(failed)?;
    let unasked = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut arrivals = channel.consume(link, &private, unasked).await.map_err(failed)?;
    link.call(channel.basic_qos(COPIED, BasicQosOptions::default())).await.map_err(failed)?;
    let mut left = channel.consume(link, &queue, BasicConsumeOptions::default()).await.map_err(failed)?;

    for round in 0u64.. {
        let marker = format!("{private} {round}");
        let sent = link.publish(Outgoing {
            exchange: names.removals(),
            key: marker_key(worker),
            body: marker.as_bytes(),
            kind: MARKER,
            expiration: Some(MARKER_AGE),
        });
        // When the queue is full, it refuses the marker, but those who receive from it are told all the same.
        sent.await.map_err(failed)?;
        let through = empty(link, names, worker, (&mut left, &mut arrivals), &marker).await?;
        if through && length(link, &queue).await.map_err(failed)? == Some(0) {
            break;
        }
    }
    link.call(lock.channel().queue_delete(queue.as_str().into(), QueueDeleteOptions::default()))
        .await
        .map_err(failed)?;
    Ok(())
}

/// Copies what comes until the marker has gone through, or for a round.
async fn empty(
    link: &Link,
    names: &Names,
    worker: WorkerId,
    (left, arrivals): (&mut Consumer, &mut Consumer),
    marker: &str,
) -> Result<bool, BusError> {
    let lost = || BusError::Unavailable("the connection was lost while a queue was emptied: try again".into());
    let until = Instant::now() + ROUND;
    loop {
        tokio::select! {
            arrived = arrivals.next() => {
                let arrived = arrived.and_then(Result::ok).ok_or_else(lost)?;
                if arrived.data == marker.as_bytes() {
                    return Ok(true);
                }
            }
            found = left.next() => {
                let found = found.and_then(Result::ok).ok_or_else(lost)?;
                give_back(link, names, worker, found).await?;
            }
            () = sleep_until(until) => return Ok(false),
        }
    }
}

async fn give_back(link: &Link, names: &Names, worker: WorkerId, found: Arrived) -> Result<(), BusError> {
    let failed = |error: CallError| link.failure(&error);
    if found.properties.kind().as_ref().is_some_and(|kind| kind.to_string() == MARKER) {
        link.call(found.acker.reject(BasicRejectOptions { requeue: false })).await.map_err(failed)?;
        return Ok(());
    }
    let copied = link.publish(Outgoing {
        exchange: names.returned(),
        key: command_key(worker),
        body: &found.data,
        kind: "command",
        expiration: None,
    });
    match copied.await.map_err(failed)? {
        Published::Taken => {}
        Published::Refused => return Err(BusError::Full),
        Published::Unroutable => {
            link.end();
            return Err(BusError::Unavailable("the queue of returned commands is gone and is made again".into()));
        }
    }
    // Lost between the two, it comes back twice; receivers tell duplicates.
    link.call(found.acker.ack(BasicAckOptions::default())).await.map_err(failed)?;
    Ok(())
}
