//! What every bus must do.

use super::sample::{command, event};
use super::{at_once, comes};
use crate::bus::{Bus, BusError, BusInbox, Delivery};
use mouthpiece_domain::fleet::{WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use std::collections::BTreeMap;
use std::sync::Arc;

type Subject = Arc<dyn Bus>;

const WORKER: WorkerId = WorkerId(1);

/// Runs the suite.
pub async fn bus<A: Bus + 'static>(fresh: impl AsyncFn() -> Arc<A>) {
    let fresh = async || fresh().await as Subject;
    each!(fresh:
        commands_come_in_order, queues_are_each_workers_own, without_a_queue_nothing_is_taken,
        no_more_is_handed_out_than_may_be_unanswered, a_dropped_delivery_comes_again, a_dropped_inbox_loses_nothing,
        what_is_acknowledged_does_not_come_again, a_second_receiver_takes_over, waiting_may_be_cancelled,
        what_is_delivered_in_vain_comes_back, a_removed_queue_gives_back_what_was_in_it, a_removed_queue_may_be_opened_again,
        events_come_in_order, each_event_goes_to_one_receiver, events_are_kept_until_acknowledged,
        events_wait_for_a_receiver, it_can_be_used,
    );
}

async fn next<M>(inbox: &mut Box<dyn BusInbox<M>>, why: &str) -> Delivery<M> {
    match comes(why, inbox.next()).await {
        Some(delivery) => delivery,
        None => panic!("rule broken: {why} (the inbox was closed)"),
    }
}

/// Takes and acknowledges `count` messages.
async fn drain<M>(inbox: &mut Box<dyn BusInbox<M>>, count: usize, why: &str) -> Vec<M> {
    let mut bodies = Vec::new();
    for _ in 0..count {
        let Delivery { body, receipt, .. } = next(inbox, why).await;
        receipt.ack().await.unwrap();
        bodies.push(body);
    }
    bodies
}

async fn send(bus: &Subject, numbers: impl IntoIterator<Item = u128>) {
    for n in numbers {
        rule!(bus.send(WORKER, &command(n)).await, Ok(()), "a command is taken");
    }
}

fn commands(numbers: impl IntoIterator<Item = u128>) -> Vec<WorkerCommand> {
    numbers.into_iter().map(command).collect()
}

async fn commands_come_in_order(bus: Subject) {
    let mut inbox = bus.commands(WORKER, 1).await.unwrap();
    send(&bus, 0..100).await;
    let found = drain(&mut inbox, 100, "every command is delivered").await;
    rule!(found, commands(0..100), "commands come as they were sent, in order");
    send(&bus, [100]).await;
    rule!(bus.send(WORKER, &WorkerCommand::Drain).await, Ok(()), "a command is taken");
    let first = next(&mut inbox, "every command is delivered").await;
    rule!(first.again, false, "a command that was never delivered does not come again");
    first.ack().await.unwrap();
    rule!(
        next(&mut inbox, "every command is delivered").await.body,
        WorkerCommand::Drain,
        "every kind of command is carried"
    );
}

async fn queues_are_each_workers_own(bus: Subject) {
    let mut one = bus.commands(WORKER, 4).await.unwrap();
    let mut two = bus.commands(WorkerId(2), 4).await.unwrap();
    send(&bus, [1]).await;
    bus.send(WorkerId(2), &command(2)).await.unwrap();
    rule!(drain(&mut one, 1, "a command reaches its worker").await, commands([1]), "a command goes to its worker");
    rule!(drain(&mut two, 1, "a command reaches its worker").await, commands([2]), "a command goes to its worker");
    rule!(at_once(one.next()).await.is_none(), true, "a command goes to no other worker");
}

async fn without_a_queue_nothing_is_taken(bus: Subject) {
    rule!(bus.send(WORKER, &command(1)).await, Err(BusError::Unroutable(WORKER)), "who never listened is not routable");
    drop(bus.commands(WORKER, 1).await.unwrap());
    send(&bus, [1]).await;
    let mut inbox = bus.commands(WORKER, 1).await.unwrap();
    rule!(drain(&mut inbox, 1, "a queue outlives its receiver").await, commands([1]), "a queue outlives its receiver");
    bus.remove(WORKER).await.unwrap();
    rule!(bus.send(WORKER, &command(2)).await, Err(BusError::Unroutable(WORKER)), "a removed queue takes nothing");
    rule!(bus.remove(WORKER).await, Ok(()), "removing is safe to repeat");
}

async fn no_more_is_handed_out_than_may_be_unanswered(bus: Subject) {
    let mut inbox = bus.commands(WORKER, 2).await.unwrap();
    send(&bus, 1..=5).await;
    let first = next(&mut inbox, "what waits is delivered").await;
    let second = next(&mut inbox, "up to `unanswered` are handed out").await;
    rule!(at_once(inbox.next()).await.is_none(), true, "no more than `unanswered` are handed out without an answer");
    second.ack().await.unwrap();
    let third = next(&mut inbox, "an answer makes room for the next").await;
    rule!(third.body, command(3), "an answer makes room for the next");
    rule!(at_once(inbox.next()).await.is_none(), true, "one answer makes room for one");
    first.ack().await.unwrap();
    third.ack().await.unwrap();
    let rest = drain(&mut inbox, 2, "answers make room").await;
    rule!(rest, commands([4, 5]), "the bound loses nothing");
}

async fn a_dropped_delivery_comes_again(bus: Subject) {
    let mut inbox = bus.commands(WORKER, 1).await.unwrap();
    send(&bus, [1, 2]).await;
    let first = next(&mut inbox, "what waits is delivered").await;
    rule!((first.again, &first.body), (false, &command(1)), "the first delivery is the first");
    drop(first);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let delivery = next(&mut inbox, "a dropped delivery comes again").await;
        seen.push((delivery.body.clone(), delivery.again));
        delivery.ack().await.unwrap();
    }
    rule!(seen.contains(&(command(1), true)), true, "a dropped delivery comes again and says so: {seen:?}");
    rule!(seen.contains(&(command(2), false)), true, "what was not delivered yet does not say so: {seen:?}");
}

async fn a_dropped_inbox_loses_nothing(bus: Subject) {
    let mut inbox = bus.commands(WORKER, 3).await.unwrap();
    send(&bus, 1..=4).await;
    let answered = next(&mut inbox, "what waits is delivered").await;
    let kept = next(&mut inbox, "what waits is delivered").await;
    let dropped = next(&mut inbox, "what waits is delivered").await;
    answered.ack().await.unwrap();
    drop(dropped);
    // The receiver is gone while somebody still holds one of its deliveries.
    drop(inbox);
    let mut inbox = bus.commands(WORKER, 3).await.unwrap();
    let mut seen = BTreeMap::new();
    for _ in 0..3 {
        let delivery = next(&mut inbox, "what a dropped receiver held unacknowledged goes to the next").await;
        let WorkerCommand::Assign(assignment) = &delivery.body else { panic!("not what was sent") };
        seen.insert(assignment.hold.session.0, delivery.again);
        delivery.ack().await.unwrap();
    }
    // What was not handed out may have been on its way to the one that was dropped; then a bus may mark it, too.
    let on_its_way = seen.remove(&4);
    rule!(on_its_way.is_some(), true, "what was not handed out goes to the next");
    let wanted = BTreeMap::from([(2, true), (3, true)]);
    rule!(seen, wanted, "what a dropped receiver held unacknowledged goes to the next, marked as delivered before");
    let _ = kept.ack().await; // late: refused or without effect
    rule!(at_once(inbox.next()).await.is_none(), true, "a late answer brings nothing back");
    send(&bus, [5]).await;
    let next = drain(&mut inbox, 1, "a late answer disturbs nothing").await;
    rule!(next, commands([5]), "a late answer takes nothing of another receiver");
}

async fn what_is_acknowledged_does_not_come_again(bus: Subject) {
    let mut inbox = bus.commands(WORKER, 1).await.unwrap();
    send(&bus, 1..=3).await;
    drain(&mut inbox, 2, "every command is delivered").await;
    drop(inbox);
    let mut inbox = bus.commands(WORKER, 1).await.unwrap();
    let rest = next(&mut inbox, "what waits is delivered").await;
    rule!(rest.body, command(3), "what is acknowledged does not come again, what waits comes");
    rest.ack().await.unwrap();
    bus.remove(WORKER).await.unwrap();
    let mut returned = bus.returned().await.unwrap();
    rule!(at_once(returned.next()).await.is_none(), true, "what is acknowledged does not come back");
}

async fn a_second_receiver_takes_over(bus: Subject) {
    let mut first = bus.commands(WORKER, 1).await.unwrap();
    // A bus may let the second one wait here, or in `next`.
    let mut opening = bus.commands(WORKER, 1);
    let mut second = at_once(&mut opening).await.map(Result::unwrap);
    send(&bus, 1..=3).await;
    let mut held = None;
    for n in 1..=2 {
        if let Some(second) = &mut second {
            rule!(at_once(second.next()).await.is_none(), true, "there is one receiver at a time: the first");
        }
        let mine = next(&mut first, "the first receiver is served while it is there").await;
        rule!((&mine.body, mine.again), (&command(n), false), "the first receiver is served while it is there");
        if n == 1 {
            mine.ack().await.unwrap();
        } else {
            // Dropped before its receiver it might go behind what waits.
            held = Some(mine);
        }
    }
    drop(first);
    drop(held);
    let mut second = match second {
        Some(second) => second,
        None => comes("a second receiver takes over when the first is dropped", opening).await.unwrap(),
    };
    let found = drain(&mut second, 2, "a second receiver takes over when the first is dropped").await;
    rule!(found, commands([2, 3]), "the second receiver gets what the first left, in order");
}

async fn waiting_may_be_cancelled(bus: Subject) {
    let mut inbox = bus.commands(WORKER, 1).await.unwrap();
    rule!(at_once(inbox.next()).await.is_none(), true, "an empty queue makes its receiver wait");
    let sender = {
        let bus = Arc::clone(&bus);
        tokio::spawn(async move {
            for n in 0..200 {
                send(&bus, [n]).await;
                tokio::task::yield_now().await;
            }
        })
    };
    let mut found = Vec::new();
    comes("nothing is lost by giving up waiting", async {
        while found.len() < 200 {
            if let Some(delivery) = at_once(inbox.next()).await {
                let delivery = delivery.unwrap();
                rule!(delivery.again, false, "giving up waiting is no delivery");
                found.push(delivery.body.clone());
                delivery.ack().await.unwrap();
            } else {
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    sender.await.unwrap();
    rule!(found, commands(0..200), "giving up waiting loses nothing and changes no order");
}

async fn what_is_delivered_in_vain_comes_back(bus: Subject) {
    let mut inbox = bus.commands(WORKER, 1).await.unwrap();
    let mut returned = bus.returned().await.unwrap();
    send(&bus, [1]).await;
    let mut deliveries = 0;
    let back = comes("a command that is delivered in vain too often comes back", async {
        loop {
            tokio::select! {
                back = returned.next() => break back.unwrap(),
                delivery = inbox.next() => {
                    let delivery = delivery.unwrap();
                    rule!(delivery.again, deliveries > 0, "a repeated delivery says so");
                    deliveries += 1;
                    rule!(deliveries < 1000, true, "a command is not delivered in vain for ever");
                    drop(delivery);
                }
            }
        }
    })
    .await;
    rule!(deliveries > 1, true, "a command is tried more than once before it comes back");
    rule!(back.body, command(1), "the command that comes back is the one that was sent");
    back.ack().await.unwrap();
    rule!(at_once(inbox.next()).await.is_none(), true, "what came back is not delivered any more");
    send(&bus, [2]).await;
    let next = drain(&mut inbox, 1, "a queue goes on after a command came back").await;
    rule!(next, commands([2]), "a queue goes on after a command came back");
}

async fn a_removed_queue_gives_back_what_was_in_it(bus: Subject) {
    let mut inbox = bus.commands(WORKER, 2).await.unwrap();
    let mut returned = bus.returned().await.unwrap();
    send(&bus, 1..=5).await;
    let answered = next(&mut inbox, "what waits is delivered").await;
    let held = next(&mut inbox, "what waits is delivered").await;
    answered.ack().await.unwrap();
    rule!(bus.remove(WORKER).await, Ok(()), "a queue is removed");
    let over = comes("the receiver of a removed queue is told", inbox.next()).await;
    rule!(over.is_none(), true, "the receiver of a removed queue is told, whatever was in it");
    drop(held);
    drop(inbox);
    let mut back: Vec<u128> = drain(&mut returned, 4, "all that was in a removed queue comes back")
        .await
        .into_iter()
        .map(|command| if let WorkerCommand::Assign(a) = command { a.hold.session.0 } else { 0 })
        .collect();
    back.sort_unstable();
    rule!(back, [2, 3, 4, 5], "all that was in a removed queue comes back, what is acknowledged does not");
    rule!(at_once(returned.next()).await.is_none(), true, "what was in a removed queue comes back once");
}

async fn a_removed_queue_may_be_opened_again(bus: Subject) {
    let mut old = bus.commands(WORKER, 1).await.unwrap();
    send(&bus, [1]).await;
    bus.remove(WORKER).await.unwrap();
    let mut new = bus.commands(WORKER, 1).await.unwrap();
    send(&bus, [2]).await;
    let found = drain(&mut new, 1, "a queue that is opened again works").await;
    rule!(found, commands([2]), "a queue that is opened again is empty");
    let over = comes("the receiver of a removed queue is told", old.next()).await;
    rule!(over.is_none(), true, "the receiver of a removed queue is not served by its successor");
    let mut returned = bus.returned().await.unwrap();
    let back = drain(&mut returned, 1, "what comes back waits for its receiver").await;
    rule!(back, commands([1]), "what comes back waits for its receiver");
}

async fn emit(bus: &Subject, numbers: impl IntoIterator<Item = u128>) {
    for n in numbers {
        rule!(bus.emit(&event(n)).await, Ok(()), "an event is taken");
    }
}

fn number(said: &WorkerEvent) -> u128 {
    if let WorkerEvent::Goodbye { worker, .. } = said { worker.0 } else { u128::MAX }
}

async fn events_come_in_order(bus: Subject) {
    let mut inbox = bus.events().await.unwrap();
    emit(&bus, 0..300).await;
    let found: Vec<_> = drain(&mut inbox, 300, "every event is delivered").await.iter().map(number).collect();
    rule!(found, (0..300).collect::<Vec<_>>(), "events come in order from one sender to one receiver");
}

async fn events_wait_for_a_receiver(bus: Subject) {
    // The queue of events is made with the first receiver at the latest; what comes later waits for the next one.
    drop(bus.events().await.unwrap());
    emit(&bus, 1..=3).await;
    let mut inbox = bus.events().await.unwrap();
    let found: Vec<_> = drain(&mut inbox, 3, "events wait for a receiver").await.iter().map(number).collect();
    rule!(found, [1, 2, 3], "events wait for a receiver");
}

async fn each_event_goes_to_one_receiver(bus: Subject) {
    const EVENTS: u128 = 400;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut receivers = Vec::new();
    for _ in 0..3 {
        let (mut inbox, tell) = (bus.events().await.unwrap(), tell.clone());
        receivers.push(tokio::spawn(async move {
            while let Some(delivery) = inbox.next().await {
                let n = number(&delivery.body);
                delivery.ack().await.unwrap();
                let _ = tell.send(n);
            }
        }));
    }
    emit(&bus, 0..EVENTS).await;
    let mut seen: BTreeMap<u128, u32> = BTreeMap::new();
    for _ in 0..EVENTS {
        let n = comes("every event goes to one of several receivers", told.recv()).await.unwrap();
        *seen.entry(n).or_default() += 1;
    }
    for receiver in receivers {
        receiver.abort();
        let _ = receiver.await;
    }
    rule!(seen, (0..EVENTS).map(|n| (n, 1)).collect(), "each event goes to one receiver, once");
    rule!(told.try_recv().is_err(), true, "each event goes to one receiver, once");
}

async fn events_are_kept_until_acknowledged(bus: Subject) {
    let mut one = bus.events().await.unwrap();
    emit(&bus, [1]).await;
    // Much more often than a command is tried: an event has nowhere to come back to.
    for n in 0..50 {
        let delivery = next(&mut one, "an event is delivered until it is acknowledged").await;
        rule!((number(&delivery.body), delivery.again), (1, n > 0), "a dropped event comes again and says so");
    }
    let held = next(&mut one, "an event is delivered until it is acknowledged").await;
    let mut two = bus.events().await.unwrap();
    drop(one);
    let taken = next(&mut two, "what a dropped receiver held goes to another").await;
    rule!((number(&taken.body), taken.again), (1, true), "what a dropped receiver held goes to another");
    taken.ack().await.unwrap();
    drop(held);
    rule!(at_once(two.next()).await.is_none(), true, "what is acknowledged does not come again");
}

async fn it_can_be_used(bus: Subject) {
    rule!(bus.check().await, Ok(()), "a bus that works passes its check");
}
