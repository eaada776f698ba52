//! What is bounded, and what happens at the bound.

use crate::net::{BOUND, WORKER, comes, eventually, hold, pair};
use mouthpiece_direct::{DirectEvent, LARGEST, ListenerSettings};
use mouthpiece_domain::ids::ViewerId;
use mouthpiece_domain::live::{LineInput, LineOutput, LiveAsk, LiveQuestion, OfferToWatch};
use mouthpiece_ports::bus::BusError;
use mouthpiece_ports::lines::{LineError, Lines, WAITING};
use mouthpiece_ports::questions::QuestionBus;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// Messages of 100 kB that the way holds: both channels, one in hand on each side, and what fits into the buffers of sockets.
const ON_THE_WAY: usize = 2 * WAITING + 2 + 8;

fn ask(n: u128) -> LiveAsk {
    LiveAsk { hold: hold(n), what: LiveQuestion::Status }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_much_is_said_only_so_much_is_on_the_way() {
    const SAID: usize = 400;
    let pair = pair(Default::default(), Default::default());
    let mut calls = pair.worker().calls(WORKER).await.unwrap();
    let (line, called) = pair.line(&mut calls, 1).await;
    let (mut down, mut up, to_caller, to_session) = (line.down, called.up, called.down, line.up);
    let (ups, downs) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let said = Arc::clone(&ups);
    tokio::spawn(async move {
        for _ in 0..SAID {
            to_session.send(LineInput::Speak { event: None, rate: 24_000, samples: vec![7; 50_000] }).await.unwrap();
            said.fetch_add(1, Ordering::SeqCst);
        }
    });
    let said = Arc::clone(&downs);
    tokio::spawn(async move {
        for _ in 0..SAID {
            to_caller.send(LineOutput::Over { reason: "x".repeat(100_000) }).await.unwrap();
            said.fetch_add(1, Ordering::SeqCst);
        }
    });
    // The channels on both sides fill up by themselves.
    eventually("the way fills up", || {
        ups.load(Ordering::SeqCst) >= 2 * WAITING && downs.load(Ordering::SeqCst) >= 2 * WAITING
    })
    .await;
    for taken in 0..SAID {
        for said in [&ups, &downs] {
            let said = said.load(Ordering::SeqCst);
            assert!(said <= taken + ON_THE_WAY, "{said} were said when {taken} were taken");
        }
        assert!(comes("speech is heard", up.recv()).await.is_some());
        assert!(comes("events are heard", down.recv()).await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lines_that_nobody_takes_up_are_bounded() {
    let pair = pair(Default::default(), Default::default());
    let mut calls = pair.worker().calls(WORKER).await.unwrap();
    let mut lines = Vec::new();
    let full = loop {
        match comes("an answer", pair.coordinator.open(&hold(lines.len() as u128))).await {
            Ok(line) => lines.push(line),
            Err(error) => break error,
        }
    };
    assert_eq!((full, lines.len()), (LineError::Full, 64));
    assert_eq!(comes("a line rings", calls.next()).await.unwrap().hold, hold(0));
    assert!(pair.coordinator.open(&hold(99)).await.is_ok(), "there is room again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn questions_that_nobody_takes_are_bounded() {
    let pair = pair(Default::default(), Default::default());
    let questions = pair.worker().questions(WORKER).await.unwrap();
    let full = Arc::<AtomicUsize>::default();
    let askers: Vec<_> = (0..300)
        .map(|n| {
            let (coordinator, full) = (Arc::clone(&pair.coordinator), Arc::clone(&full));
            tokio::spawn(async move {
                let found = coordinator.ask(WORKER, &ask(n), BOUND).await;
                full.fetch_add(usize::from(found == Err(BusError::Full)), Ordering::SeqCst);
                found
            })
        })
        .collect();
    eventually("those beyond the bound are told", || full.load(Ordering::SeqCst) == 300 - 256).await;
    drop(questions);
    for asker in askers {
        let found = comes("all have an end", asker).await.unwrap();
        assert!(matches!(found, Err(BusError::Full | BusError::Unanswered(WORKER))), "{found:?}");
    }
    assert_eq!(full.load(Ordering::SeqCst), 300 - 256);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_question_that_is_too_large_harms_no_other() {
    let pair = pair(Default::default(), Default::default());
    let mut questions = pair.worker().questions(WORKER).await.unwrap();
    let coordinator = Arc::clone(&pair.coordinator);
    let other = tokio::spawn(async move { coordinator.ask(WORKER, &ask(1), BOUND).await });
    let asked = comes("a question comes", questions.next()).await.unwrap();
    let offer = OfferToWatch { viewer: ViewerId(1), sdp: "x".repeat(LARGEST) };
    let large = LiveAsk { hold: hold(1), what: LiveQuestion::Offer(offer) };
    let found = pair.coordinator.ask(WORKER, &large, BOUND).await;
    assert!(matches!(found, Err(BusError::Unavailable(why)) if why.contains("at most")));
    asked.reply.give(mouthpiece_domain::live::LiveAnswer::Done).await;
    assert!(comes("the other one is answered", other).await.unwrap().is_ok());
    assert_eq!(pair.at_coordinator.all(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_are_bounded() {
    let pair = pair(ListenerSettings { connections: 2, ..Default::default() }, Default::default());
    let _calls = pair.worker().calls(WORKER).await.unwrap();
    let one = pair.coordinator.open(&hold(1)).await.unwrap();
    let _two = pair.coordinator.open(&hold(2)).await.unwrap();
    assert!(matches!(pair.coordinator.open(&hold(3)).await, Err(LineError::Unavailable(_))));
    pair.at_worker.comes(DirectEvent::Crowded).await;
    drop(one);
    comes("there is room again", async {
        while pair.coordinator.open(&hold(4)).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn strangers_are_few_and_do_not_stay() {
    let settings = ListenerSettings { strangers: 2, patience: Duration::from_millis(300), ..Default::default() };
    let pair = pair(settings, Default::default());
    let _calls = pair.worker().calls(WORKER).await.unwrap();
    let address = pair.book.everybody.lock().unwrap().clone().unwrap();
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(&address).await.unwrap());
    }
    for mut stream in silent {
        let ended = comes("whoever says nothing is hung up on", stream.read(&mut [0; 8])).await;
        assert_eq!(ended.unwrap_or(0), 0);
    }
    eventually("each is counted", || {
        let seen = &pair.at_worker;
        seen.count(DirectEvent::Crowded) + seen.count(DirectEvent::Stranger) == 4
    })
    .await;
    assert!(pair.at_worker.count(DirectEvent::Stranger) >= 2);
    assert!(comes("then there is room", pair.coordinator.open(&hold(1))).await.is_ok());
}
