//! The bus's bounds and its end.

use mouthpiece_domain::fleet::{Hold, WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::live::{LiveAnswer, LiveAsk, LiveQuestion};
use mouthpiece_domain::session::{Fence, SlotIndex};
use mouthpiece_embedded::{MemoryBus, MemoryLines};
use mouthpiece_ports::bus::{Bus, BusError};
use mouthpiece_ports::lines::{LineError, Lines};
use mouthpiece_ports::questions::QuestionBus;
use std::sync::Arc;
use std::time::Duration;

const WORKER: WorkerId = WorkerId(1);

fn hold(n: u128) -> Hold {
    Hold { session: SessionId(n), fence: Fence::FIRST, worker: WORKER, slot: SlotIndex(0) }
}

fn stop(n: u128) -> WorkerCommand {
    WorkerCommand::Stop(hold(n))
}

fn ask(n: u128) -> LiveAsk {
    LiveAsk { hold: hold(n), what: LiveQuestion::Status }
}

/// Sends until the queue is full.
async fn fill(bus: &MemoryBus) -> u128 {
    for n in 0.. {
        match bus.send(WORKER, &stop(n)).await {
            Ok(()) => assert!(n < 1_000_000, "the queue has no bound"),
            Err(BusError::Full) => return n,
            Err(e) => panic!("{e}"),
        }
    }
    0
}

#[tokio::test]
async fn a_full_queue_says_so_and_goes_on_when_there_is_room() {
    let bus = MemoryBus::new();
    let mut inbox = bus.commands(WORKER, 8).await.unwrap();
    let sent = fill(&bus).await;
    assert_eq!(sent, 256);
    // What is handed out without an answer may come back, so it counts.
    let held = inbox.next().await.unwrap();
    assert_eq!(bus.send(WORKER, &stop(sent)).await, Err(BusError::Full));
    held.ack().await.unwrap();
    assert_eq!(bus.send(WORKER, &stop(sent)).await, Ok(()));
    assert_eq!(bus.send(WORKER, &stop(sent + 1)).await, Err(BusError::Full));
    for n in 1..=sent {
        let delivery = inbox.next().await.unwrap();
        assert_eq!(delivery.body, stop(n), "nothing was lost and nothing that was refused is there");
        delivery.ack().await.unwrap();
    }
    let other = WorkerId(2);
    let _other = bus.commands(other, 1).await.unwrap();
    assert_eq!(bus.send(other, &WorkerCommand::Drain).await, Ok(()), "another worker's queue is its own");
}

/// In one process nothing is on its way: what was not handed out does not say that it was.
#[tokio::test]
async fn only_what_was_handed_out_comes_again() {
    let bus = MemoryBus::new();
    let mut inbox = bus.commands(WORKER, 3).await.unwrap();
    for n in 1..=3 {
        bus.send(WORKER, &stop(n)).await.unwrap();
    }
    inbox.next().await.unwrap().ack().await.unwrap();
    let held = inbox.next().await.unwrap();
    drop(inbox);
    let mut inbox = bus.commands(WORKER, 3).await.unwrap();
    for (n, again) in [(2, true), (3, false)] {
        let delivery = inbox.next().await.unwrap();
        assert_eq!((&delivery.body, delivery.again), (&stop(n), again));
        delivery.ack().await.unwrap();
    }
    assert!(held.ack().await.is_err());
}

#[tokio::test]
async fn events_are_bounded_too() {
    let bus = MemoryBus::new();
    let event = WorkerEvent::Goodbye { worker: WORKER, ended: Vec::new() };
    let mut taken = 0;
    while bus.emit(&event).await.is_ok() {
        taken += 1;
        assert!(taken < 1_000_000, "the queue has no bound");
    }
    assert_eq!(bus.emit(&event).await, Err(BusError::Full));
    let mut inbox = bus.events().await.unwrap();
    inbox.next().await.unwrap().ack().await.unwrap();
    assert_eq!(bus.emit(&event).await, Ok(()));
}

#[tokio::test]
async fn nothing_that_comes_back_is_dropped_for_want_of_room() {
    let bus = MemoryBus::new();
    let mut came_back = 0;
    loop {
        drop(bus.commands(WORKER, 1).await.unwrap());
        let sent = fill(&bus).await;
        if sent == 0 {
            break;
        }
        bus.remove(WORKER).await.unwrap();
        came_back += sent;
        assert!(came_back < 1_000_000, "commands are taken though nobody fetches what came back");
    }
    let mut returned = bus.returned().await.unwrap();
    for _ in 0..came_back {
        returned.next().await.unwrap().ack().await.unwrap();
    }
    assert_eq!(bus.send(WORKER, &WorkerCommand::Drain).await, Ok(()), "there is room again");
}

#[tokio::test]
async fn receivers_of_a_closed_bus_are_told() {
    for dropped in [false, true] {
        let bus = MemoryBus::new();
        let mut commands = bus.commands(WORKER, 1).await.unwrap();
        let mut waiting = bus.commands(WORKER, 1).await.unwrap();
        let mut events = bus.events().await.unwrap();
        let mut returned = bus.returned().await.unwrap();
        let mut questions = bus.questions(WORKER).await.unwrap();
        bus.send(WORKER, &WorkerCommand::Drain).await.unwrap();
        let held = commands.next().await.unwrap();
        let waiter = tokio::spawn(async move { waiting.next().await.is_none() });
        if dropped {
            drop(bus);
        } else {
            bus.close();
            bus.close();
            assert!(matches!(bus.send(WORKER, &WorkerCommand::Drain).await, Err(BusError::Unavailable(_))));
            assert!(matches!(
                bus.emit(&WorkerEvent::Goodbye { worker: WORKER, ended: Vec::new() }).await,
                Err(BusError::Unavailable(_))
            ));
            assert!(matches!(bus.commands(WORKER, 1).await.err(), Some(BusError::Unavailable(_))));
            assert!(matches!(bus.ask(WORKER, &ask(1), Duration::MAX).await, Err(BusError::Unavailable(_))));
            assert!(matches!(bus.questions(WORKER).await.err(), Some(BusError::Unavailable(_))));
            assert!(matches!(bus.check().await, Err(BusError::Unavailable(_))));
        }
        assert!(waiter.await.unwrap());
        assert!(commands.next().await.is_none());
        assert!(events.next().await.is_none());
        assert!(returned.next().await.is_none());
        assert!(questions.next().await.is_none());
        assert!(matches!(held.ack().await, Err(BusError::Unavailable(_))));
    }
}

#[tokio::test]
async fn questions_that_wait_are_bounded() {
    let bus = Arc::new(MemoryBus::new());
    let mut questions = bus.questions(WORKER).await.unwrap();
    let mut askers = Vec::new();
    for n in 0..256 {
        let bus = Arc::clone(&bus);
        askers.push(tokio::spawn(async move { bus.ask(WORKER, &ask(n), Duration::from_secs(30)).await }));
        tokio::task::yield_now().await; // it has asked, and waits
    }
    assert_eq!(bus.ask(WORKER, &ask(256), Duration::from_secs(30)).await, Err(BusError::Full));
    let other = WorkerId(2);
    assert_eq!(bus.ask(other, &ask(1), Duration::from_secs(30)).await, Err(BusError::Unroutable(other)));
    questions.next().await.unwrap().reply.give(LiveAnswer::Done).await;
    assert_eq!(askers.remove(0).await.unwrap(), Ok(LiveAnswer::Done));
    // What nobody waits for any more is not delivered; the last one is.
    for asker in askers.drain(..254) {
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
    }
    let asked = questions.next().await.unwrap();
    assert_eq!(asked.ask, ask(255));
    asked.reply.give(LiveAnswer::Done).await;
    assert_eq!(askers.remove(0).await.unwrap(), Ok(LiveAnswer::Done));
}

#[tokio::test]
async fn lines_that_nobody_takes_up_are_bounded() {
    let lines = MemoryLines::new();
    let mut calls = lines.calls(WORKER).await.unwrap();
    let mut opened = Vec::new();
    let refused = loop {
        match lines.open(&hold(opened.len() as u128)).await {
            Ok(line) => opened.push(line),
            Err(error) => break error,
        }
        assert!(opened.len() < 100_000, "lines that wait have no bound");
    };
    assert_eq!((refused, opened.len()), (LineError::Full, 64));
    assert_eq!(calls.next().await.unwrap().hold, hold(0));
    assert!(lines.open(&hold(64)).await.is_ok());
}
