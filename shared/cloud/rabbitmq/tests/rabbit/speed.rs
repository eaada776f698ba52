//! How fast it is: `cargo test -p mouthpiece-rabbitmq --release -- --ignored --nocapture speed`.

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use super::{WORKER, event, fresh, next, open, stop};
use mouthpiece_ports::bus::Bus;
use mouthpiece_servers::RabbitServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Calls `one` so often, so many at a time; the line says the rate and how long one took.
async fn measure<F: Future<Output = ()> + Send>(
    what: &str,
    count: u32,
    at_once: u32,
    one: impl Fn(u32) -> F + Clone + Send + 'static,
) {
    let (begun, number) = (Instant::now(), Arc::new(AtomicU32::new(0)));
    let mut tasks = Vec::new();
    for _ in 0..at_once {
        let (one, number) = (one.clone(), Arc::clone(&number));
        tasks.push(async move {
            let mut spans = Vec::new();
            loop {
                let n = number.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return spans;
                }
                let begun = Instant::now();
                one(n).await;
                spans.push(begun.elapsed());
            }
        });
    }
    let mut spans: Vec<Duration> = futures_util::future::join_all(tasks).await.concat();
    let all = begun.elapsed();
    spans.sort_unstable();
    let at = |part: usize| spans[(spans.len() - 1) * part / 100].as_secs_f64() * 1e3;
    let rate = f64::from(count) / all.as_secs_f64();
    println!("{what}, {at_once} at once: {rate:.0}/s, p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn of_commands_and_events() {
    let server = RabbitServer::start().await.unwrap();
    let bus = Arc::new(open(fresh(&server)).await);
    // Somebody receives and acknowledges all the while.
    let mut inbox = bus.commands(WORKER, 200).await.unwrap();
    let receiver = tokio::spawn(async move {
        loop {
            next(&mut inbox).await.ack().await.unwrap();
        }
    });
    let mut events = bus.events().await.unwrap();
    let coordinator = tokio::spawn(async move {
        loop {
            next(&mut events).await.ack().await.unwrap();
        }
    });
    for at_once in [1, 64] {
        let sender = Arc::clone(&bus);
        measure("commands", 5000, at_once, move |n| {
            let bus = Arc::clone(&sender);
            async move { while bus.send(WORKER, &stop(u128::from(n))).await.is_err() {} }
        })
        .await;
        let sender = Arc::clone(&bus);
        measure("events", 5000, at_once, move |n| {
            let bus = Arc::clone(&sender);
            async move { bus.emit(&event(u128::from(n))).await.unwrap() }
        })
        .await;
    }
    receiver.abort();
    coordinator.abort();
    // From sending to having it in hand.
    let mut inbox = bus.commands(super::WorkerId(2), 1).await.unwrap();
    let mut spans = Vec::new();
    for n in 0..2000 {
        let begun = Instant::now();
        let command = stop(n);
        let (sent, delivery) = tokio::join!(bus.send(super::WorkerId(2), &command), next(&mut inbox));
        spans.push(begun.elapsed());
        sent.unwrap();
        delivery.ack().await.unwrap();
    }
    spans.sort_unstable();
    let at = |part: usize| spans[(spans.len() - 1) * part / 100].as_secs_f64() * 1e3;
    println!("sent to received: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
}
