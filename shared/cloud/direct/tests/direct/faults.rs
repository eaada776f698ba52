//! What is lost, and who is told.

use crate::net::{BOUND, Pair, WORKER, comes, eventually, hold, impatient, pair, patient};
use crate::proxy::{Proxy, free};
use mouthpiece_direct::{DialSettings, DirectEvent, ListenerSettings, Liveness};
use mouthpiece_domain::live::{LineInput, LineOutput, LiveAnswer, LiveAsk, LiveQuestion};
use mouthpiece_ports::bus::BusError;
use mouthpiece_ports::lines::{LineError, Lines};
use mouthpiece_ports::questions::QuestionBus;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn ask(n: u128) -> LiveAsk {
    LiveAsk { hold: hold(n), what: LiveQuestion::Status }
}

fn keep() -> LineInput {
    LineInput::KeepAlive { event: None }
}

/// A network with something between, which coordinators take for the worker's address.
async fn with_proxy(liveness: Liveness) -> (Pair, Proxy) {
    let between = free().await;
    let address = Some(between.local_addr().unwrap().to_string());
    let bind = free().await.local_addr().unwrap();
    let listening = ListenerSettings { bind, address, liveness, ..Default::default() };
    let pair = pair(listening, DialSettings { liveness, ..Default::default() });
    (pair, Proxy::start(between, bind))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_that_dies_ends_its_lines_and_leaves_questions_unanswered() {
    let mut pair = pair(Default::default(), Default::default());
    let mut calls = pair.worker().calls(WORKER).await.unwrap();
    let mut questions = pair.worker().questions(WORKER).await.unwrap();
    let (mut line, called) = pair.line(&mut calls, 1).await;
    called.down.send(LineOutput::Kept { event: None }).await.unwrap();
    let coordinator = Arc::clone(&pair.coordinator);
    let asking = tokio::spawn(async move { coordinator.ask(WORKER, &ask(1), BOUND).await });
    let asked = comes("a question comes", questions.next()).await.unwrap();

    drop(pair.worker.take());

    assert_eq!(comes("the question has an end", asking).await.unwrap(), Err(BusError::Unanswered(WORKER)));
    // What was said before may or may not come; the end does.
    comes("the line ends", async { while line.down.recv().await.is_some() {} }).await;
    comes("and takes nothing more", line.up.closed()).await;
    pair.at_coordinator.comes(DirectEvent::Lost).await;
    // Questions in hand when a worker dies have nobody to be answered to.
    asked.reply.give(LiveAnswer::Done).await;
    assert!(
        matches!(pair.coordinator.open(&hold(2)).await, Err(LineError::Unavailable(why)) if why.contains("cannot be reached"))
    );
    assert!(matches!(pair.coordinator.ask(WORKER, &ask(2), BOUND).await, Err(BusError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_that_falls_silent_is_noticed_by_both_sides() {
    let (pair, proxy) = with_proxy(impatient()).await;
    let mut calls = pair.worker().calls(WORKER).await.unwrap();
    let mut questions = pair.worker().questions(WORKER).await.unwrap();
    let (mut line, mut called) = pair.line(&mut calls, 1).await;
    line.up.send(keep()).await.unwrap();
    assert_eq!(comes("the way is open", called.up.recv()).await, Some(keep()));
    let coordinator = Arc::clone(&pair.coordinator);
    let asking = tokio::spawn(async move { coordinator.ask(WORKER, &ask(1), BOUND * 10).await });
    let asked = comes("a question comes", questions.next()).await.unwrap();

    proxy.fall_silent();

    assert_eq!(comes("the caller's end ends", line.down.recv()).await, None);
    comes("and takes nothing more", line.up.closed()).await;
    assert_eq!(comes("the session's end ends", called.up.recv()).await, None);
    comes("and takes nothing more", called.down.closed()).await;
    let found = comes("the question has an end long before patience", asking).await.unwrap();
    assert_eq!(found, Err(BusError::Unanswered(WORKER)));
    drop(asked);
    eventually("both are counted", || {
        pair.at_coordinator.count(DirectEvent::Lost) == 2 && pair.at_worker.count(DirectEvent::Lost) == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_has_nothing_to_say_is_not_silent() {
    let liveness = patient();
    let (pair, _proxy) = with_proxy(liveness).await;
    let mut calls = pair.worker().calls(WORKER).await.unwrap();
    let (mut line, mut called) = pair.line(&mut calls, 1).await;
    let begun = Instant::now();
    eventually("more than a silence has passed", || begun.elapsed() > liveness.silence * 2).await;
    line.up.send(keep()).await.unwrap();
    assert_eq!(comes("the line is up", called.up.recv()).await, Some(keep()));
    called.down.send(LineOutput::Kept { event: None }).await.unwrap();
    assert_eq!(comes("the line is up", line.down.recv()).await, Some(LineOutput::Kept { event: None }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_held_up_is_not_silent_either() {
    let liveness = patient();
    let listening = ListenerSettings { liveness, ..Default::default() };
    let pair = pair(listening, DialSettings { liveness, ..Default::default() });
    let mut calls = pair.worker().calls(WORKER).await.unwrap();
    let (line, mut called) = pair.line(&mut calls, 1).await;
    // More than fits on the way while the session does not listen.
    const SAID: usize = 300;
    let speech =
        |n: usize| LineInput::Speak { event: Some(n.to_string()), rate: 24_000, samples: vec![n as i16; 20_000] };
    let saying = tokio::spawn(async move {
        for n in 0..SAID {
            line.up.send(speech(n)).await.unwrap();
        }
        line
    });
    let begun = Instant::now();
    eventually("more than a silence has passed", || begun.elapsed() > liveness.silence * 2).await;
    assert!(!saying.is_finished(), "the caller waits");
    for n in 0..SAID {
        assert_eq!(comes("all is heard", called.up.recv()).await, Some(speech(n)));
    }
    drop(comes("all is said", saying).await.unwrap());
    assert_eq!(comes("then comes the end", called.up.recv()).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_question_after_a_lost_connection_is_asked_over_a_new_one() {
    let pair = pair(Default::default(), DialSettings { idle: Duration::ZERO, ..Default::default() });
    let mut questions = pair.worker().questions(WORKER).await.unwrap();
    for n in 0..3 {
        let coordinator = Arc::clone(&pair.coordinator);
        let asking = tokio::spawn(async move { coordinator.ask(WORKER, &ask(n), BOUND).await });
        let asked = comes("a question comes", questions.next()).await.unwrap();
        assert_eq!(asked.ask, ask(n));
        asked.reply.give(LiveAnswer::Done).await;
        assert_eq!(comes("an answer comes", asking).await.unwrap(), Ok(LiveAnswer::Done));
    }
    assert_eq!(pair.at_worker.all(), [], "connections that are given up say farewell");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_question_is_never_late() {
    let pair = pair(Default::default(), Default::default());
    let mut questions = pair.worker().questions(WORKER).await.unwrap();
    let found = pair.coordinator.ask(WORKER, &ask(1), Duration::from_millis(50)).await;
    assert_eq!(found, Err(BusError::Unanswered(WORKER)));
    let coordinator = Arc::clone(&pair.coordinator);
    let asking = tokio::spawn(async move { coordinator.ask(WORKER, &ask(2), BOUND).await });
    let asked = comes("a question comes", questions.next()).await.unwrap();
    assert_eq!(asked.ask, ask(2), "nobody waits for the first one any more");
    asked.reply.give(LiveAnswer::Done).await;
    assert_eq!(comes("an answer comes", asking).await.unwrap(), Ok(LiveAnswer::Done));
}
