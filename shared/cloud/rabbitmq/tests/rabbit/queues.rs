//! What the broker keeps beyond the port's contract.

use super::{BOUND, WORKER, comes, event, fresh, next, number, open, shared, stop, unavailable, until};
use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::bus::{Bus, BusError};
use mouthpiece_rabbitmq::RabbitOptions;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A way around the bus.
async fn channel(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

/// How many messages wait in a queue; `None` without a queue.
async fn length(url: &str, queue: &str) -> Option<u32> {
    let (_connection, channel) = channel(url).await;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), passive, FieldTable::default()).await.ok().map(|found| found.message_count())
}

fn queue_of(options: &RabbitOptions, worker: WorkerId) -> String {
    format!("{}.commands.{worker}", options.prefix)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn farms_on_one_broker_do_not_hear_each_other() {
    let server = shared().await;
    let (one, two) = (open(fresh(&server)).await, open(fresh(&server)).await);
    let mut mine = one.commands(WORKER, 4).await.unwrap();
    let mut events = one.events().await.unwrap();
    assert_eq!(two.send(WORKER, &stop(1)).await, Err(BusError::Unroutable(WORKER)));
    two.emit(&event(1)).await.unwrap();
    one.send(WORKER, &stop(2)).await.unwrap();
    one.emit(&event(2)).await.unwrap();
    assert_eq!(next(&mut mine).await.body, stop(2));
    assert_eq!(next(&mut events).await.body, event(2));
}

/// Two processes, as far as the broker can tell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_removed_under_another_process_s_receiver() {
    let server = shared().await;
    let options = fresh(&server);
    let (coordinator, worker) = (open(options.clone()).await, open(options.clone()).await);
    let mut inbox = worker.commands(WORKER, 2).await.unwrap();
    for n in 0..100 {
        coordinator.send(WORKER, &stop(n)).await.unwrap();
    }
    let held = next(&mut inbox).await;
    // Somebody waits for the worker's next command meanwhile, as workers do.
    let waiting = tokio::spawn(async move {
        let mut more = 0;
        while let Some(delivery) = inbox.next().await {
            std::mem::forget(delivery); // never answered
            more += 1;
        }
        more
    });
    assert_eq!(coordinator.remove(WORKER).await, Ok(()));
    assert!(comes(waiting).await.unwrap() <= 2);
    assert!(held.ack().await.is_err());
    assert_eq!(length(&options.url, &queue_of(&options, WORKER)).await, None);
    let mut returned = coordinator.returned().await.unwrap();
    let mut back = Vec::new();
    for _ in 0..100 {
        let delivery = next(&mut returned).await;
        back.push(number(&delivery.body));
        delivery.ack().await.unwrap();
    }
    back.sort_unstable();
    assert_eq!(back, (0..100).collect::<Vec<_>>(), "each came back, and once");
}

/// Nothing that was confirmed is lost while a queue is opened, removed and sent to at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn opening_removing_and_sending_at_once_lose_nothing() {
    const ROUNDS: u128 = 15;
    let server = shared().await;
    let options = fresh(&server);
    let coordinator = Arc::new(open(options.clone()).await);
    let worker = Arc::new(open(options.clone()).await);
    let stopped = Arc::new(AtomicBool::new(false));
    let (found, mut all_found) = tokio::sync::mpsc::unbounded_channel();

    let sender = {
        let bus = Arc::clone(&coordinator);
        tokio::spawn(async move {
            let mut taken = Vec::new();
            for n in 0..(ROUNDS * 20) {
                match bus.send(WORKER, &stop(n)).await {
                    Ok(()) => taken.push(n),
                    Err(BusError::Unroutable(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
                    Err(error) => panic!("{error}"),
                }
            }
            taken
        })
    };
    let receiver = {
        let (bus, found, stopped) = (Arc::clone(&worker), found.clone(), Arc::clone(&stopped));
        tokio::spawn(async move {
            while !stopped.load(Ordering::SeqCst) {
                // Its own removal ends it, and it comes again.
                let mut inbox = match bus.commands(WORKER, 3).await {
                    Ok(inbox) => inbox,
                    Err(BusError::Unavailable(_)) => continue,
                    Err(error) => panic!("{error}"),
                };
                while let Some(delivery) = inbox.next().await {
                    let n = number(&delivery.body);
                    if !n.is_multiple_of(3) && delivery.ack().await.is_ok() {
                        let _ = found.send(n);
                    }
                }
            }
        })
    };
    let returned = {
        let bus = Arc::clone(&coordinator);
        tokio::spawn(async move {
            let mut inbox = bus.returned().await.unwrap();
            while let Some(delivery) = inbox.next().await {
                let n = number(&delivery.body);
                delivery.ack().await.unwrap();
                let _ = found.send(n);
            }
        })
    };
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(30)).await;
        match coordinator.remove(WORKER).await {
            Ok(()) | Err(BusError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let mut missing: std::collections::BTreeSet<u128> = comes(sender).await.unwrap().into_iter().collect();
    assert!(!missing.is_empty());
    // The receiver ends with its queue; once it is gone, the last removal finds all that is left.
    stopped.store(true, Ordering::SeqCst);
    until(async || {
        let removed = coordinator.remove(WORKER).await;
        removed.is_ok() && receiver.is_finished()
    })
    .await;
    coordinator.remove(WORKER).await.unwrap();
    while !missing.is_empty() {
        let n = tokio::time::timeout(BOUND, all_found.recv()).await;
        let n = n.unwrap_or_else(|_| panic!("confirmed and lost: {missing:?}")).unwrap();
        missing.remove(&n);
    }
    returned.abort();
}

/// Nobody removes it: the worker never comes back, or whoever was removing it died in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_removes_comes_back_by_its_age() {
    let server = shared().await;
    let mut options = fresh(&server);
    options.unclaimed = Duration::from_millis(500);
    let bus = open(options).await;
    drop(bus.commands(WORKER, 1).await.unwrap());
    for n in 0..10 {
        bus.send(WORKER, &stop(n)).await.unwrap();
    }
    let mut returned = bus.returned().await.unwrap();
    for n in 0..10 {
        let delivery = next(&mut returned).await;
        assert_eq!(delivery.body, stop(n));
        delivery.ack().await.unwrap();
    }
    // Also where some come later than others: the broker looks at the queue's head only.
    for n in 10..60 {
        bus.send(WORKER, &stop(n)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for n in 10..60 {
        let delivery = next(&mut returned).await;
        assert_eq!(delivery.body, stop(n));
        delivery.ack().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_says_so_and_goes_on_when_there_is_room() {
    let server = shared().await;
    let bus = open(fresh(&server)).await;
    drop(bus.commands(WORKER, 1).await.unwrap());
    let mut taken = 0;
    loop {
        match bus.send(WORKER, &stop(taken)).await {
            Ok(()) => taken += 1,
            Err(BusError::Full) => break,
            Err(error) => panic!("{error}"),
        }
        assert!(taken < 10_000, "the queue has no bound");
    }
    let mut inbox = bus.commands(WORKER, 50).await.unwrap();
    for n in 0..taken {
        let delivery = next(&mut inbox).await;
        assert_eq!(delivery.body, stop(n));
        delivery.ack().await.unwrap();
    }
    until(async || bus.send(WORKER, &stop(taken)).await == Ok(())).await;
}

/// What cannot be read is put aside for people: it stops nobody and is not lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_put_aside() {
    let server = shared().await;
    let options = fresh(&server);
    let bus = open(options.clone()).await;
    let mut events = bus.events().await.unwrap();
    let mut inbox = bus.commands(WORKER, 1).await.unwrap();
    let mut returned = bus.returned().await.unwrap();
    let (_connection, channel) = channel(&options.url).await;
    let newer = br#"{"v":2,"body":"something_new"}"#;
    for (exchange, key) in [("events", "new".into()), ("commands", WORKER.to_string())] {
        let exchange = format!("{}.{exchange}", options.prefix);
        let (plain, none) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent = channel.basic_publish(exchange.into(), key.into(), plain, newer, none);
        sent.await.unwrap().await.unwrap();
    }
    let unread = format!("{}.unread", options.prefix);
    until(async || length(&options.url, &unread).await == Some(2)).await;
    bus.emit(&event(1)).await.unwrap();
    bus.send(WORKER, &stop(1)).await.unwrap();
    assert_eq!(next(&mut events).await.body, event(1));
    assert_eq!(next(&mut inbox).await.body, stop(1));
    drop(inbox);
    bus.remove(WORKER).await.unwrap();
    assert_eq!(next(&mut returned).await.body, stop(1), "what can be read comes back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_of_a_closed_bus_are_told() {
    let server = shared().await;
    for dropped in [false, true] {
        let options = fresh(&server);
        let bus = open(options.clone()).await;
        let mut commands = bus.commands(WORKER, 1).await.unwrap();
        let mut waiting = bus.commands(WORKER, 1).await.unwrap();
        let mut events = bus.events().await.unwrap();
        let mut returned = bus.returned().await.unwrap();
        bus.send(WORKER, &stop(1)).await.unwrap();
        let held = next(&mut commands).await;
        let waiter = tokio::spawn(async move { waiting.next().await.is_none() });
        if dropped {
            drop(bus);
        } else {
            bus.close();
            bus.close();
            let closed = "it was closed";
            assert_eq!(unavailable(&bus.send(WORKER, &stop(2)).await.unwrap_err()), closed);
            assert_eq!(unavailable(&bus.emit(&event(1)).await.unwrap_err()), closed);
            assert_eq!(unavailable(&bus.commands(WORKER, 1).await.err().unwrap()), closed);
            assert_eq!(unavailable(&bus.check().await.unwrap_err()), closed);
        }
        assert!(comes(waiter).await.unwrap());
        assert!(comes(commands.next()).await.is_none());
        assert!(comes(events.next()).await.is_none());
        assert!(comes(returned.next()).await.is_none());
        assert!(matches!(held.ack().await, Err(BusError::Unavailable(_))));
        let again = open(options).await;
        let mut inbox = again.commands(WORKER, 1).await.unwrap();
        assert_eq!(next(&mut inbox).await.body, stop(1), "what was not acknowledged goes to the next process");
    }
}

/// Given up in the middle, a call leaves the bus as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_may_be_given_up() {
    let server = shared().await;
    let bus = open(fresh(&server)).await;
    let mut inbox = bus.commands(WORKER, 200).await.unwrap();
    for n in 0..200u128 {
        // Dropped after so many polls, wherever it is then.
        let command = stop(n);
        let mut sending = Box::pin(bus.send(WORKER, &command));
        for _ in 0..(n % 7) {
            if futures_util::poll!(&mut sending).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    bus.send(WORKER, &stop(1000)).await.unwrap();
    let mut last = None;
    while last != Some(1000) {
        let delivery = next(&mut inbox).await;
        last = Some(number(&delivery.body));
        delivery.ack().await.unwrap();
    }
    for n in 0..10 {
        let removed = bus.remove(WORKER);
        let given_up = tokio::time::timeout(Duration::from_millis(n * 3), removed).await.is_err();
        assert!(given_up || n > 0);
        drop(bus.commands(WORKER, 1).await.unwrap());
    }
    assert_eq!(bus.remove(WORKER).await, Ok(()));
    assert_eq!(bus.check().await, Ok(()));
}
