//! What a network costs, beside the same within a process: `cargo test -p mouthpiece-direct --test direct -- --ignored --nocapture`.

use crate::net::{BOUND, WORKER, hold, pair};
use mouthpiece_domain::live::{LineInput, LiveAnswer, LiveAsk, LiveQuestion};
use mouthpiece_embedded::{MemoryBus, MemoryLines};
use mouthpiece_ports::lines::Lines;
use mouthpiece_ports::questions::QuestionBus;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const ROUNDS: usize = 2000;

fn show(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |share: f64| took[(took.len() as f64 * share) as usize].as_micros();
    println!("{what}: p50 {} us, p99 {} us", at(0.5), at(0.99));
}

async fn questions(what: &str, asks: &dyn QuestionBus, takes: &dyn QuestionBus) {
    let mut questions = takes.questions(WORKER).await.unwrap();
    tokio::spawn(async move {
        while let Some(asked) = questions.next().await {
            asked.reply.give(LiveAnswer::Done).await;
        }
    });
    let ask = LiveAsk { hold: hold(1), what: LiveQuestion::Interrupt };
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        asks.ask(WORKER, &ask, BOUND).await.unwrap();
        took.push(begun.elapsed());
    }
    show(&format!("a question and its answer, {what}"), took);
}

async fn speech(what: &str, opens: &dyn Lines, takes: &dyn Lines) {
    let mut calls = takes.calls(WORKER).await.unwrap();
    let hold = hold(1);
    let (line, called) = tokio::join!(opens.open(&hold), calls.next());
    let (line, mut called) = (line.unwrap(), called.unwrap());
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        // 20 ms at 24 kHz, one chunk at a time with a pause between, as speech comes.
        let begun = Instant::now();
        line.up.send(LineInput::Speak { event: None, rate: 24_000, samples: vec![7; 480] }).await.unwrap();
        called.up.recv().await.unwrap();
        took.push(begun.elapsed());
        sleep(Duration::from_micros(200)).await;
    }
    show(&format!("20 ms of speech one way, {what}"), took);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn latency_beside_the_same_within_a_process() {
    let (bus, lines) = (MemoryBus::new(), MemoryLines::new());
    let pair = pair(Default::default(), Default::default());
    questions("within the process", &bus, &bus).await;
    questions("over the loopback", pair.coordinator.as_ref(), pair.worker()).await;
    speech("within the process", &lines, &lines).await;
    speech("over the loopback", pair.coordinator.as_ref(), pair.worker()).await;
    let mut calls = pair.worker().calls(WORKER).await.unwrap();
    let mut took = Vec::new();
    for n in 0..200 {
        let (hold, begun) = (hold(n), Instant::now());
        let (line, called) = tokio::join!(pair.coordinator.open(&hold), calls.next());
        took.push(begun.elapsed());
        drop((line.unwrap(), called.unwrap()));
    }
    show("opening a line over the loopback", took);
}
