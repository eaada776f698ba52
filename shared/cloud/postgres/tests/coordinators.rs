//! Several coordinators write to one database.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{Fence, FrameProgress, Phase, Session, SlotIndex};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::contract::sample_session;
use mouthpiece_ports::records::{Period, SessionLedger as _, UsageBooks as _};
use mouthpiece_postgres::{Postgres, PostgresSettings};
use mouthpiece_servers::PostgresServer;
use std::sync::Arc;
use std::time::Duration;

/// Callers.
const KEYS: u128 = 3;

fn hold(session: u128, fence: u32, worker: u128) -> Hold {
    Hold { session: SessionId(session), fence: Fence(fence), worker: WorkerId(worker), slot: SlotIndex(0) }
}

fn create(id: u128, token: Option<String>) -> LedgerWrite {
    let idempotency = token.map(|token| Idempotency { key: KeyId(1), token, fingerprint: "ab".repeat(32) });
    let session = Session { key: KeyId(id % KEYS), ..sample_session(id) };
    LedgerWrite::Create { session: Box::new(session), idempotency }
}

/// Two coordinators' stores of one new database, by its server and URL.
async fn two() -> (Arc<PostgresServer>, String, [Arc<Postgres>; 2]) {
    let server = PostgresServer::shared().await.unwrap();
    let url = server.database().unwrap();
    // Opened at once: one of them makes the tables, the other waits for it.
    let open = || Postgres::open(&url, PostgresSettings::default());
    let (one, other) = tokio::join!(open(), open());
    let two = [Arc::new(one.unwrap()), Arc::new(other.unwrap())];
    (server, url, two)
}

/// Each of the two writes its batch, at once.
async fn race(two: &[Arc<Postgres>; 2], batches: [Vec<LedgerWrite>; 2]) -> [Vec<WriteOutcome>; 2] {
    let [one, other] = [0, 1].map(|n| {
        let (records, batch) = (Arc::clone(&two[n]), batches[n].clone());
        tokio::spawn(async move { records.write(&batch).await.unwrap() })
    });
    [one.await.unwrap(), other.await.unwrap()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_open_a_new_database_at_once() {
    let server = PostgresServer::shared().await.unwrap();
    let url = server.database().unwrap();
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Postgres::open(&url, PostgresSettings::default()).await.unwrap() })
        })
        .collect();
    for one in opening {
        assert_eq!(one.await.unwrap().check().await, Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_two_wins_each_placement_and_all_of_it_is_booked_once() {
    const SESSIONS: u128 = 20;
    const ROUNDS: u32 = 15;
    let (server, url, two) = two().await;
    let made: Vec<LedgerWrite> = (1..=SESSIONS).map(|id| create(id, None)).collect();
    two[0].write(&made).await.unwrap();
    let mut total = Duration::ZERO;
    for fence in 1..=ROUNDS {
        // Both assign every session, to workers of their own, and in opposite orders; whoever wins reports and gives up.
        let batch = |who: u128| -> Vec<LedgerWrite> {
            let mut ids: Vec<u128> = (1..=SESSIONS).collect();
            if who == 1 {
                ids.reverse();
            }
            ids.into_iter().map(|id| LedgerWrite::Assign { hold: hold(id, fence, who), at: Wall(1) }).collect()
        };
        let told = race(&two, [batch(0), batch(1)]).await;
        let won = |who: usize, id: u128| {
            let place = if who == 0 { id - 1 } else { SESSIONS - id } as usize;
            told[who][place] == WriteOutcome::Applied
        };
        let mut reports = [Vec::new(), Vec::new()];
        for id in 1..=SESSIONS {
            assert_ne!(won(0, id), won(1, id), "one of the two places session {id} at fence {fence}");
            let winner = usize::from(won(1, id));
            let found = two[1 - winner].session(SessionId(id)).await.unwrap().unwrap();
            assert_eq!(
                found.place,
                Some((WorkerId(winner as u128), SlotIndex(0))),
                "the record has the winner's place"
            );
            for (who, reports) in reports.iter_mut().enumerate() {
                let hold = hold(id, fence, winner as u128);
                let delivered = Duration::from_millis(100 + who as u64);
                let progress = FrameProgress { done: 1, total: 2 };
                reports.push(LedgerWrite::Advance { hold, phase: Phase::Running, progress, delivered, at: Wall(5) });
            }
            total += Duration::from_millis(101);
        }
        for (who, reports) in reports.iter_mut().enumerate() {
            if who == 1 {
                reports.reverse();
            }
        }
        // The same time of delivery, told twice.
        race(&two, reports).await;
        let give_up =
            |id| LedgerWrite::Requeue { hold: hold(id, fence, u128::from(won(1, id))), lost: true, at: Wall(6) };
        let told =
            race(&two, [(1..=SESSIONS).map(give_up).collect(), (1..=SESSIONS).rev().map(give_up).collect()]).await;
        let applied = told.iter().flatten().filter(|o| **o == WriteOutcome::Applied).count();
        assert_eq!(applied as u128, SESSIONS, "a placement is given up once");
    }
    let period = Period { from: Wall(0), to: Wall(3_600_000) };
    let usage = two[1].usage(period).await.unwrap();
    assert_eq!(usage.iter().map(|u| u.delivered).sum::<Duration>(), total, "what was delivered is booked once");
    let mut by_key = Duration::ZERO;
    for key in 0..KEYS {
        by_key += two[0].delivered_since(KeyId(key), Wall(0)).await.unwrap();
    }
    assert_eq!(by_key, total);

    // Rows are locked in one order, whatever the batch's: these two only ever waited for each other in turn.
    for one in &two {
        one.close().await;
    }
    let (_, database) = url.rsplit_once('/').unwrap();
    let there = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while server.sql(database, there).unwrap() != "0" {}
    let circles = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(server.sql(database, circles).unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_that_wait_for_each_other_in_a_circle_go_on() {
    let (server, _, two) = two().await;
    let undone = "SELECT COALESCE(sum(deadlocks), 0) FROM pg_stat_database";
    let mut round = 0u128;
    // Until the server has undone one of two at least three times.
    while server.sql("postgres", undone).unwrap().parse::<u32>().unwrap() < 3 {
        assert!(round < 2000, "no two were ever in each other's way");
        for _ in 0..10 {
            round += 1;
            let token = |n: u128| Some(format!("{round} {n}"));
            let batch = |who: u128| -> Vec<LedgerWrite> {
                let make = |n| create(round * 100 + who * 50 + n, token(n));
                let mut batch: Vec<LedgerWrite> = (0..40).map(make).collect();
                if who == 1 {
                    batch.reverse();
                }
                batch
            };
            let told = race(&two, [batch(0), batch(1)]).await;
            for n in 0..40 {
                let of = [&told[0][n], &told[1][39 - n]];
                let made = of.iter().filter(|o| ***o == WriteOutcome::Applied).count();
                let same = of.iter().filter(|o| matches!(o, WriteOutcome::Repeated { same: true, .. })).count();
                assert_eq!((made, same), (1, 1), "a token makes one session");
            }
        }
    }
}
