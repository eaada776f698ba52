//! How fast the farm places sessions whose workers do nothing. Measures, asserts nothing about time; run it by hand:
//! `cargo test --release -p mouthpiece-coordinator --test farm rate -- --ignored --nocapture --test-threads 1`.

use crate::harness::{Rig, accepted, quick, session};
use futures_util::StreamExt;
use futures_util::stream;
use mouthpiece_coordinator::farm::{Farm, FarmNews};
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_domain::fleet::{Capability, Heartbeat, SessionReport, WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::{EndReason, FrameProgress, Phase, SessionEnd};
use mouthpiece_ports::farm_ports::ActorPorts;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

const WORKERS: u128 = 64;
const SLOTS: u8 = 8;
const SESSIONS: u64 = 20_000;
const CALLERS: usize = 256;

/// Ends every session as soon as it has it, with one report before: four writes a session in all.
async fn nothing(ports: ActorPorts, id: WorkerId) {
    let started = Instant::now();
    let mut inbox = ports.bus.commands(id, u16::from(SLOTS) * 2).await.unwrap();
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = beat.tick() => {
                let heartbeat = Heartbeat {
                    worker: id,
                    capability: Capability {
                        name: "null".into(),
                        engine: "null/1".into(),
                        instance_type: "local".into(),
                        slots: SLOTS,
                        frames_per_second: 1000,
                        impaired: None,
                        machine: None,
                    },
                    address: None,
                    draining: false,
                    uptime: started.elapsed(),
                    busy: Duration::ZERO,
                    resident: Vec::new(),
                    running: Vec::new(),
                    ended: Vec::new(),
                };
                ports.pool.announce(&heartbeat, Duration::from_secs(6)).await.unwrap();
                ports.bus.emit(&WorkerEvent::Heartbeat(Box::new(heartbeat))).await.unwrap();
            }
            delivery = inbox.next() => {
                let Some(delivery) = delivery else { return };
                let command = delivery.body.clone();
                delivery.ack().await.unwrap();
                let WorkerCommand::Assign(assignment) = command else { continue };
                for phase in [Phase::Running, Phase::Ended] {
                    let report = SessionReport {
                        hold: assignment.hold,
                        phase,
                        progress: FrameProgress { done: 1, total: 1 },
                        delivered: Duration::from_secs(1),
                        sent_bytes: 0,
                        end: (phase == Phase::Ended).then(|| SessionEnd::new(EndReason::Completed, None)),
                    };
                    ports.bus.emit(&WorkerEvent::Report(Box::new(report))).await.unwrap();
                }
                ports.pool.release(&assignment.hold).await.unwrap();
            }
        }
    }
}

async fn rig() -> (Rig, JoinSet<()>) {
    let rig = Rig::start(ControlSettings { queue_limit: 100_000, ..quick() }).await;
    let mut workers = JoinSet::new();
    for n in 1..=WORKERS {
        workers.spawn_local(nothing(rig.ports.clone(), WorkerId(n)));
    }
    (rig, workers)
}

#[actix_rt::test]
#[ignore = "measures"]
async fn sessions_a_second() {
    let (rig, _workers) = rig().await;
    let started = Instant::now();
    let submit = stream::iter(0..SESSIONS).map(|_| accepted(&rig.farm, session())).buffer_unordered(CALLERS);
    submit.for_each(async |_| ()).await;
    let accepted_in = started.elapsed();
    rig.shows(&format!("mouthpiece_sessions_ended_total{{kind=\"render\",reason=\"completed\"}} {SESSIONS}")).await;
    let rate = |took: Duration| SESSIONS as f64 / took.as_secs_f64();
    println!("{SESSIONS} sessions: accepted {:.0}/s, ended {:.0}/s", rate(accepted_in), rate(started.elapsed()));
    for line in rig.metrics.render().lines().filter(|line| line.contains("_sum") || line.contains("_count")) {
        println!("{line}");
    }
    rig.farm.stop().await;
}

#[actix_rt::test]
#[ignore = "measures"]
async fn from_request_to_slot() {
    let (rig, _workers) = rig().await;
    let mut news = rig.farm.watch();
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    let (mut asked, mut waited) = (HashMap::new(), Vec::new());
    let mut submitting = JoinSet::new();
    while waited.len() < 2000 {
        tokio::select! {
            _ = pace.tick() => if asked.len() < 2000 {
                let session = session();
                asked.insert(session.id, Instant::now());
                let farm = rig.farm.clone();
                submitting.spawn_local(async move { accepted(&farm, session).await });
            },
            told = news.recv() => match told {
                Ok(FarmNews::Session(change)) if change.session.phase == Phase::Assigned => {
                    waited.push(asked[&change.session.id].elapsed());
                }
                Err(RecvError::Closed) => return,
                _ => {}
            }
        }
    }
    waited.sort_unstable();
    let at = |percent: usize| waited[waited.len() * percent / 100];
    println!(
        "200/s: from request to slot p50 {:?}, p95 {:?}, p99 {:?}, longest {:?}",
        at(50),
        at(95),
        at(99),
        waited[1999]
    );
    rig.farm.stop().await;
}
