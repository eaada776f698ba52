//! Calls a second against a private Redis on this machine: `cargo run --release -p mouthpiece-redis --example pool_speed`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement, run by hand")]

use mouthpiece_domain::fleet::{Capability, Heartbeat, Hold};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::session::{Fence, SlotIndex};
use mouthpiece_ports::pool::Pool as _;
use mouthpiece_redis::{RedisOptions, RedisPool};
use mouthpiece_servers::RedisServer;
use std::time::{Duration, Instant};

const WORKERS: u128 = 2000;
const AT_ONCE: u128 = 64;
const EXPIRY: Duration = Duration::from_secs(60);

fn heartbeat(worker: u128) -> Heartbeat {
    let capability = Capability {
        name: "ip-10-0-0-1".into(),
        engine: "musetalk/1".into(),
        instance_type: "g4dn.xlarge".into(),
        slots: 2,
        frames_per_second: 60,
        impaired: None,
        machine: None,
    };
    let resident = vec!["5e".repeat(32), "6f".repeat(32)];
    let (uptime, busy) = (Duration::from_secs(500), Duration::from_secs(400));
    Heartbeat {
        worker: WorkerId(worker),
        capability,
        draining: false,
        uptime,
        busy,
        resident,
        running: Vec::new(),
        ended: Vec::new(),
        address: None,
    }
}

fn hold(worker: u128) -> Hold {
    Hold { session: SessionId(worker), fence: Fence::FIRST, worker: WorkerId(worker), slot: SlotIndex(0) }
}

/// All workers' calls, one after another and then 64 at a time on one connection.
async fn measure<F: Future<Output = ()> + Send>(
    name: &str,
    at_once: u128,
    call: impl Fn(u128) -> F + Copy + Send + Sync + 'static,
) {
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..at_once {
        tasks.spawn(async move {
            for worker in (0..WORKERS).filter(|w| w % at_once == lane) {
                call(worker).await;
            }
        });
    }
    tasks.join_all().await;
    println!("{name}, {at_once} at once: {:.0} a second", WORKERS as f64 / begun.elapsed().as_secs_f64());
}

#[tokio::main]
async fn main() {
    let server = RedisServer::start().await.unwrap();
    let mut options = RedisOptions::new(server.url());
    options.longest_lease = EXPIRY;
    let pool: &'static RedisPool = Box::leak(Box::new(RedisPool::open(&options).unwrap()));
    for at_once in [1, AT_ONCE] {
        let announce = move |w| async move { pool.announce(&heartbeat(w), EXPIRY).await.unwrap() };
        measure("announce", at_once, announce).await;
        measure("claim", at_once, move |w| async move { assert!(pool.claim(&hold(w), EXPIRY).await.unwrap()) }).await;
        measure("renew", at_once, move |w| async move { assert!(pool.renew(&hold(w), EXPIRY).await.unwrap()) }).await;
        measure("release", at_once, move |w| async move { assert!(pool.release(&hold(w)).await.unwrap()) }).await;
    }
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        assert_eq!(pool.workers().await.unwrap().len(), WORKERS as usize);
        took.push(begun.elapsed());
    }
    took.sort();
    println!("workers() with {WORKERS}: median {:?}, longest {:?}", took[took.len() / 2], took[took.len() - 1]);
}
