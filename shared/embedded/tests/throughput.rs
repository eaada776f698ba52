//! How many writes a second the records take. `cargo test -p mouthpiece-embedded --test throughput -- --ignored --nocapture`

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use mouthpiece_domain::fleet::{Capability, Hold};
use mouthpiece_domain::ids::{KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{EndReason, Fence, FrameProgress, Phase, Session, SessionEnd, SlotIndex};
use mouthpiece_domain::time::Wall;
use mouthpiece_embedded::Sqlite;
use mouthpiece_ports::contract::sample_session;
use mouthpiece_ports::records::SessionLedger;
use std::time::{Duration, Instant};
use tempfile::tempdir;

const SESSIONS: u128 = 10_000;
const BATCH: usize = 200;

fn hold(id: u128) -> Hold {
    Hold { session: SessionId(id), fence: Fence::FIRST, worker: WorkerId(id % 100), slot: SlotIndex(0) }
}

fn create(id: u128) -> LedgerWrite {
    let metadata = [("order".to_owned(), id.to_string())].into();
    let session = Session { metadata, ..sample_session(id) };
    let idempotency = id.is_multiple_of(2).then(|| Idempotency {
        key: KeyId(id % 10),
        token: format!("{id:036x}"),
        fingerprint: "ab".repeat(32),
    });
    LedgerWrite::Create { session: Box::new(session), idempotency }
}

fn advance(id: u128, n: u64) -> LedgerWrite {
    LedgerWrite::Advance {
        hold: hold(id),
        phase: Phase::Running,
        progress: FrameProgress { done: n * 25, total: 1000 },
        delivered: Duration::from_secs(n),
        at: Wall(1000),
    }
}

fn end(id: u128) -> LedgerWrite {
    LedgerWrite::End {
        session: SessionId(id),
        fence: Fence::FIRST,
        end: Box::new(SessionEnd::new(EndReason::Completed, None)),
        progress: Some(FrameProgress { done: 1000, total: 1000 }),
        delivered: Some((WorkerId(id % 100), SlotIndex(0), Duration::from_secs(40))),
        at: Wall(2000),
    }
}

fn machine(id: u128) -> LedgerWrite {
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
    LedgerWrite::Machine { worker: WorkerId(id % 100), capability: Box::new(capability), uptime, busy, at: Wall(3000) }
}

async fn measure(records: &dyn SessionLedger, what: &str, batch: usize, writes: Vec<LedgerWrite>) {
    let started = Instant::now();
    for batch in writes.chunks(batch) {
        let outcomes = records.write(batch).await.unwrap();
        assert!(outcomes.iter().all(|o| *o == WriteOutcome::Applied), "{what}");
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{what:30} {:>8.0} writes/s  ({} in batches of {batch})", writes.len() as f64 / seconds, writes.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures, checks none"]
async fn writes_a_second() {
    let folder = tempdir().unwrap();
    let records = Sqlite::open(&folder.path().join("farm.db")).await.unwrap();
    let ids = 0..SESSIONS;
    let all = |write: fn(u128) -> LedgerWrite| ids.clone().map(write).collect::<Vec<_>>();
    measure(&records, "create", BATCH, all(create)).await;
    measure(&records, "assign", BATCH, all(|id| LedgerWrite::Assign { hold: hold(id), at: Wall(1) })).await;
    measure(&records, "advance, first", BATCH, all(|id| advance(id, 1))).await;
    measure(&records, "advance, again", BATCH, all(|id| advance(id, 2))).await;
    measure(&records, "machine", BATCH, all(machine)).await;
    measure(&records, "end", BATCH, all(end)).await;
    let lives = (SESSIONS..2 * SESSIONS)
        .flat_map(|id| [create(id), LedgerWrite::Assign { hold: hold(id), at: Wall(1) }, advance(id, 1), end(id)]);
    measure(&records, "whole lives", BATCH, lives.collect()).await;
    measure(&records, "create, one by one", 1, (2 * SESSIONS..2 * SESSIONS + 500).map(create).collect()).await;
    let started = Instant::now();
    for n in 0..1000 {
        records.session(SessionId(n * 7)).await.unwrap().unwrap();
    }
    println!("{:30} {:>8.0} reads/s", "one session", 1000.0 / started.elapsed().as_secs_f64());
}
