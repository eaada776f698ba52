//! A broker that is killed, hangs, or stands behind a line that drops what it accepts.

use super::{BOUND, WORKER, comes, event, fresh, next, number, open, shared, stop, unavailable, until};
use mouthpiece_ports::bus::{Bus, BusError};
use mouthpiece_rabbitmq::RabbitBus;
use mouthpiece_servers::{Harm, HarmfulProxy, RabbitServer};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Sends until it is told that the broker has it.
async fn insist(bus: &RabbitBus, n: u128) {
    comes(async {
        while let Err(error) = bus.send(WORKER, &stop(n)).await {
            assert!(matches!(error, BusError::Unavailable(_)), "{error}");
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_that_is_killed_loses_nothing_that_it_confirmed() {
    let mut server = RabbitServer::start().await.unwrap();
    let mut options = fresh(&server);
    options.patience = Duration::from_secs(5);
    let bus = Arc::new(open(options.clone()).await);
    let mut inbox = bus.commands(WORKER, 4).await.unwrap();
    let mut events = bus.events().await.unwrap();
    let queue = format!("{}.commands.{WORKER}", options.prefix);
    until(async || server.is_listed_on_disk(&queue).unwrap()).await;
    for n in 0..50 {
        bus.send(WORKER, &stop(n)).await.unwrap();
        bus.emit(&event(n)).await.unwrap();
    }
    let mut missing: BTreeSet<u128> = (10..50).collect();
    for n in 0..10 {
        let delivery = next(&mut inbox).await;
        assert_eq!(delivery.body, stop(n));
        delivery.ack().await.unwrap();
    }
    // Some are in hand, some wait here, most wait there; and somebody sends at this very moment.
    let held = next(&mut inbox).await;
    let sender = {
        let bus = Arc::clone(&bus);
        tokio::spawn(async move {
            let mut confirmed = Vec::new();
            for n in 100.. {
                match bus.send(WORKER, &stop(n)).await {
                    Ok(()) => confirmed.push(n),
                    Err(BusError::Full) => {}
                    Err(_) => return confirmed,
                }
            }
            confirmed
        })
    };
    sleep(Duration::from_millis(50)).await;
    server.kill();
    missing.extend(comes(sender).await.unwrap());
    let error = bus.check().await.unwrap_err();
    assert!(matches!(error, BusError::Unavailable(_)), "{error}");
    server.start_again().await.unwrap();
    until(async || bus.check().await.is_ok()).await;
    assert!(held.ack().await.is_err(), "the connection that it came by is gone");
    // The inboxes are the ones from before. What was acknowledged just before the end may come again.
    while !missing.is_empty() {
        let delivery = timeout(BOUND, inbox.next()).await;
        let delivery = delivery.unwrap_or_else(|_| panic!("confirmed and lost: {missing:?}")).unwrap();
        let n = number(&delivery.body);
        delivery.ack().await.unwrap();
        missing.remove(&n);
    }
    insist(&bus, 9999).await;
    while number(&next(&mut inbox).await.body) != 9999 {}
    let mut events_missing: BTreeSet<_> = (0..50).map(event).map(|e| format!("{e:?}")).collect();
    while !events_missing.is_empty() {
        let delivery = next(&mut events).await;
        events_missing.remove(&format!("{:?}", delivery.body));
        delivery.ack().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_that_hangs_costs_no_more_than_the_bound() {
    let server = RabbitServer::start().await.unwrap();
    let mut options = fresh(&server);
    options.patience = Duration::from_millis(500);
    let bus = open(options.clone()).await;
    until(async || bus.check().await.is_ok()).await;
    let mut inbox = bus.commands(WORKER, 4).await.unwrap();
    let mut events = bus.events().await.unwrap();
    insist(&bus, 1).await;
    let held = next(&mut inbox).await;
    server.pause();
    // Each returns by itself; the test's own bound is far beyond theirs.
    assert!(matches!(comes(bus.send(WORKER, &stop(2))).await, Err(BusError::Unavailable(_))));
    let begun = Instant::now();
    let error = comes(bus.check()).await.unwrap_err();
    assert!(unavailable(&error).contains("did not answer") || unavailable(&error).contains("broker"), "{error}");
    // It knew already: it did not ask the broker again.
    assert!(begun.elapsed() < options.patience, "the check waited for a broker that is known to hang");
    assert!(matches!(comes(bus.emit(&event(1))).await, Err(BusError::Unavailable(_))));
    assert!(comes(bus.remove(WORKER)).await.is_err());
    let opened = comes(bus.commands(WORKER, 1)).await;
    assert!(opened.is_err());
    drop(held);
    server.resume();
    until(async || bus.check().await.is_ok()).await;
    insist(&bus, 3).await;
    let mut wanted = BTreeSet::from([1, 3]); // what failed may have been taken all the same
    while !wanted.is_empty() {
        let delivery = next(&mut inbox).await;
        wanted.remove(&number(&delivery.body));
        let _ = delivery.ack().await;
    }
    until(async || bus.emit(&event(2)).await.is_ok()).await;
    while next(&mut events).await.body != event(2) {}
    until(async || bus.remove(WORKER).await.is_ok()).await;
    assert!(comes(inbox.next()).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_that_was_down_at_the_start_is_found() {
    let mut server = RabbitServer::start().await.unwrap();
    let options = fresh(&server);
    server.kill();
    let bus = open(options).await;
    assert!(unavailable(&bus.check().await.unwrap_err()).contains("cannot be reached"));
    server.start_again().await.unwrap();
    until(async || bus.check().await.is_ok()).await;
    let mut inbox = bus.commands(WORKER, 1).await.unwrap();
    insist(&bus, 1).await;
    assert_eq!(next(&mut inbox).await.body, stop(1));
}

/// A queue that was removed while its receiver had no connection: the receiver is told when it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_receiver_that_was_away_learns_that_its_queue_is_gone() {
    let server = RabbitServer::start().await.unwrap();
    let options = fresh(&server);
    let (worker, coordinator) = (open(options.clone()).await, open(options.clone()).await);
    let mut inbox = worker.commands(WORKER, 1).await.unwrap();
    insist(&coordinator, 1).await;
    std::mem::forget(next(&mut inbox).await);
    // Cuts the worker's connection and the coordinator's; the coordinator may be there first or not.
    server.control(&["close_all_connections", "a test"]).await.unwrap();
    until(async || coordinator.remove(WORKER).await.is_ok()).await;
    assert!(comes(inbox.next()).await.is_none());
    let mut returned = coordinator.returned().await.unwrap();
    assert_eq!(next(&mut returned).await.body, stop(1));
    // The application stops and starts on a node that stays up: as an operator or an upgrade does it.
    server.control(&["stop_app"]).await.unwrap();
    assert!(coordinator.check().await.is_err());
    server.control(&["start_app"]).await.unwrap();
    until(async || coordinator.check().await.is_ok()).await;
}

/// A load balancer that accepts and drops, a wall that swallows everything: the bus says so and finds its way back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_line_that_harms_connections_is_survived() {
    let server = shared().await;
    let proxy = HarmfulProxy::start(format!("127.0.0.1:{}", server.port())).await.unwrap();
    let mut options = fresh(&server);
    options.url = format!("amqp://guest:guest@127.0.0.1:{}/%2f", proxy.port());
    options.patience = Duration::from_secs(1);
    options.connect_patience = Duration::from_secs(2);
    let bus = open(options.clone()).await;
    let mut inbox = bus.commands(WORKER, 4).await.unwrap();
    for (n, harm) in [Harm::AcceptThenClose, Harm::AcceptThenSilence, Harm::Stall, Harm::Cut].into_iter().enumerate() {
        let n = n as u128;
        proxy.set(harm);
        // With nobody sending, too, it is noticed.
        until(async || bus.check().await.is_err()).await;
        assert!(matches!(comes(bus.send(WORKER, &stop(100 + n))).await, Err(BusError::Unavailable(_))));
        proxy.set(Harm::Pass);
        until(async || bus.check().await.is_ok()).await;
        insist(&bus, n).await;
        loop {
            let delivery = next(&mut inbox).await;
            let found = number(&delivery.body);
            let _ = delivery.ack().await;
            if found == n {
                break;
            }
        }
    }
}
