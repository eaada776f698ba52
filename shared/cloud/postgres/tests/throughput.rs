//! How many writes a second the records take, through one coordinator and through two.
//! `cargo test -p mouthpiece-postgres --test throughput -- --ignored --nocapture`

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use mouthpiece_domain::fleet::{Capability, Hold};
use mouthpiece_domain::ids::{KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{EndReason, Fence, FrameProgress, Phase, Session, SessionEnd, SlotIndex};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::contract::sample_session;
use mouthpiece_ports::records::SessionLedger as _;
use mouthpiece_postgres::{Postgres, PostgresSettings};
use mouthpiece_servers::PostgresServer;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sessions of each coordinator.
const SESSIONS: u128 = 4_000;

fn hold(id: u128) -> Hold {
    Hold { session: SessionId(id), fence: Fence::FIRST, worker: WorkerId(id % 100), slot: SlotIndex(0) }
}

/// The writes of a session's life, one after the other: made, assigned, four reports, a heartbeat's share, its end.
fn step(id: u128, n: u64) -> LedgerWrite {
    match n {
        0 => {
            let metadata = [("order".to_owned(), id.to_string())].into();
            let session = Session { metadata, key: KeyId(id % 10), ..sample_session(id) };
            let idempotency = id.is_multiple_of(2).then(|| Idempotency {
                key: KeyId(id % 10),
                token: format!("{id:036x}"),
                fingerprint: "ab".repeat(32),
            });
            LedgerWrite::Create { session: Box::new(session), idempotency }
        }
        1 => LedgerWrite::Assign { hold: hold(id), at: Wall(500) },
        2..=5 => LedgerWrite::Advance {
            hold: hold(id),
            phase: if n == 2 { Phase::Preparing } else { Phase::Running },
            progress: FrameProgress { done: n * 25, total: 1000 },
            delivered: Duration::from_secs(n),
            at: Wall(1000),
        },
        6 => {
            let capability = Capability {
                name: "a machine".into(),
                engine: "puppet/1".into(),
                instance_type: "local".into(),
                slots: 2,
                frames_per_second: 100,
                impaired: None,
                machine: None,
            };
            let (uptime, busy) = (Duration::from_millis(id as u64 * 7 + 1), Duration::from_millis(id as u64 * 3));
            LedgerWrite::Machine {
                worker: WorkerId(id % 100),
                capability: Box::new(capability),
                uptime,
                busy,
                at: Wall(3000),
            }
        }
        _ => LedgerWrite::End {
            session: SessionId(id),
            fence: Fence::FIRST,
            end: Box::new(SessionEnd::new(EndReason::Completed, None)),
            progress: Some(FrameProgress { done: 1000, total: 1000 }),
            delivered: Some((WorkerId(id % 100), SlotIndex(0), Duration::from_secs(40))),
            at: Wall(2000),
        },
    }
}
const STEPS: u64 = 8;

/// Sessions in all stages at once: the writes of the n-th moment are one step of each of eight that began one after the other.
fn writes(first: u128) -> Vec<LedgerWrite> {
    let moments = 0..SESSIONS + u128::from(STEPS);
    let of = |moment: u128| {
        (0..STEPS).filter_map(move |n| {
            let began = moment.checked_sub(u128::from(n)).filter(|began| *began < SESSIONS)?;
            Some(step(first + began, n))
        })
    };
    moments.flat_map(of).collect()
}

async fn life(records: &Postgres, first: u128, batch: usize) -> (usize, Vec<Duration>) {
    let (writes, mut took) = (writes(first), Vec::new());
    for batch in writes.chunks(batch) {
        let started = Instant::now();
        let outcomes = records.write(batch).await.unwrap();
        took.push(started.elapsed());
        assert!(outcomes.iter().all(|o| *o == WriteOutcome::Applied));
    }
    took.sort_unstable();
    (writes.len(), took)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn writes_per_second() {
    let server = PostgresServer::shared().await.unwrap();
    for (coordinators, batch) in [(1u128, 1), (1, 20), (1, 100), (1, 512), (2, 100)] {
        let url = server.database().unwrap();
        let records = Arc::new(Postgres::open(&url, PostgresSettings::default()).await.unwrap());
        let started = Instant::now();
        let running: Vec<_> = (0..coordinators)
            .map(|n| {
                let records = Arc::clone(&records);
                tokio::spawn(async move { life(&records, 1 + n * 1_000_000, batch).await })
            })
            .collect();
        let (mut all, mut took) = (0, Vec::new());
        for one in running {
            let (writes, times) = one.await.unwrap();
            all += writes;
            took.extend(times);
        }
        let rate = all as f64 / started.elapsed().as_secs_f64();
        took.sort_unstable();
        let (_, database) = url.rsplit_once('/').unwrap();
        let hot = "SELECT pg_stat_force_next_flush(); SELECT round(100.0 * n_tup_hot_upd / n_tup_upd) \
                   FROM pg_stat_user_tables WHERE relname = 'sessions'";
        let hot = server.sql(database, hot).unwrap();
        println!(
            "{coordinators} writing, batches of {batch:3}: {rate:6.0} writes/s, a batch {:?} in the middle, {:?} at 99 %; \
             {hot} % of the changes stayed on their page",
            took[took.len() / 2],
            took[took.len() * 99 / 100]
        );
    }
}
