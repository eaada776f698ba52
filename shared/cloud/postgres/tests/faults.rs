//! Servers that go away and come back, and callers that give up.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_domain::backoff::Backoff;
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_ports::contract::sample_session;
use mouthpiece_ports::records::{RecordsError, SessionLedger as _};
use mouthpiece_postgres::{Postgres, PostgresSettings};
use mouthpiece_servers::PostgresServer;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::timeout;

/// The longest that anything is waited for. What is tested ends long before.
const BOUND: Duration = Duration::from_secs(60);

/// Limits that a test does not wait long for.
fn short() -> PostgresSettings {
    let ms = Duration::from_millis;
    PostgresSettings {
        connections: 4,
        acquire_timeout: ms(500),
        connect_timeout: ms(500),
        statement_timeout: ms(500),
        ..PostgresSettings::default()
    }
}

fn create(id: u128) -> LedgerWrite {
    LedgerWrite::Create { session: Box::new(sample_session(id)), idempotency: None }
}

fn unavailable<T: std::fmt::Debug>(result: Result<T, RecordsError>) -> String {
    let error = result.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
    error.to_string()
}

/// All of several calls at once, so that several connections are in use.
async fn at_once(records: &Arc<Postgres>) -> Vec<Result<(), RecordsError>> {
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let records = Arc::clone(records);
            tokio::spawn(async move { records.open_sessions().await.map(drop) })
        })
        .collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(timeout(BOUND, call).await.expect("a call ends").unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_comes_back_loses_nothing() {
    let mut server = PostgresServer::start().await.unwrap();
    let records = Arc::new(Postgres::open(&server.database().unwrap(), short()).await.unwrap());
    let mut answered = BTreeSet::new();
    for round in 0..3u128 {
        assert!(at_once(&records).await.iter().all(Result::is_ok));
        // Writers go on until the server is gone.
        let writers: Vec<_> = (0..3u128)
            .map(|writer| {
                let records = Arc::clone(&records);
                tokio::spawn(async move {
                    let mut written = Vec::new();
                    for n in 0.. {
                        let ids = (0..10).map(|i| round * 1_000_000 + writer * 100_000 + n * 10 + i);
                        let batch: Vec<LedgerWrite> = ids.clone().map(create).collect();
                        match records.write(&batch).await {
                            Ok(outcomes) => {
                                assert!(outcomes.iter().all(|o| *o == WriteOutcome::Applied));
                                written.extend(ids);
                            }
                            Err(error) => return (written, unavailable(Err::<(), _>(error))),
                        }
                    }
                    (written, String::new())
                })
            })
            .collect();
        while records.open_sessions().await.unwrap().len() < answered.len() + 50 {}
        server.end(libc::SIGKILL);
        for writer in writers {
            let (written, said) = timeout(BOUND, writer).await.expect("a writer ends").unwrap();
            answered.extend(written);
            assert!(said.contains("cannot be reached"), "{said}");
        }
        for said in at_once(&records).await.into_iter().map(unavailable) {
            assert!(said.contains("cannot be reached") || said.contains("took no connection"), "{said}");
        }
        unavailable(timeout(BOUND, records.check()).await.expect("a check ends"));
        server.start_again().await.unwrap();
        assert_eq!(records.check().await, Ok(()), "it works again at once");
        let found: BTreeSet<u128> = records.open_sessions().await.unwrap().iter().map(|s| s.id.0).collect();
        assert!(answered.is_subset(&found), "what was answered is there");
        for batch in found.iter().map(|id| id / 10).collect::<BTreeSet<_>>() {
            assert_eq!(found.range(batch * 10..batch * 10 + 10).count(), 10, "a batch is whole");
        }
        answered = found;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_nobody_saw_costs_a_call_at_most() {
    let mut server = PostgresServer::start().await.unwrap();
    let records = Arc::new(Postgres::open(&server.database().unwrap(), short()).await.unwrap());
    assert!(at_once(&records).await.iter().all(Result::is_ok));
    server.end(libc::SIGINT);
    server.start_again().await.unwrap();
    if let Err(error) = records.check().await {
        unavailable(Err::<(), _>(error));
    }
    assert_eq!(records.check().await, Ok(()), "the other connections are not tried one by one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_is_given_up() {
    let server = PostgresServer::start().await.unwrap();
    let records = Arc::new(Postgres::open(&server.database().unwrap(), short()).await.unwrap());
    assert!(at_once(&records).await.iter().all(Result::is_ok));
    server.signal(libc::SIGSTOP);
    for _ in 0..3 {
        at_once(&records).await.into_iter().for_each(|result| drop(unavailable(result)));
    }
    server.signal(libc::SIGCONT);
    // No connection is held by what was given up.
    while timeout(BOUND, records.check()).await.expect("a check ends").is_err() {}
    assert!(at_once(&records).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_connection_that_an_operator_ends_is_replaced() {
    let server = PostgresServer::shared().await.unwrap();
    let url = server.database().unwrap();
    let (_, database) = url.rsplit_once('/').unwrap();
    let records = Postgres::open(&url, short()).await.unwrap();
    records.check().await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'mouthpiece'";
    assert!(server.sql(database, end).unwrap().contains('t'), "there was one");
    if let Err(error) = records.check().await {
        unavailable(Err::<(), _>(error));
    }
    assert_eq!(records.check().await, Ok(()));
}

#[tokio::test]
async fn a_lock_that_nobody_gives_back_is_told() {
    let server = PostgresServer::shared().await.unwrap();
    let url = server.database().unwrap();
    let records = Postgres::open(&url, short()).await.unwrap();
    let (_, database) = url.rsplit_once('/').unwrap();
    let database = database.to_owned();
    let holder = {
        let (server, database) = (Arc::clone(&server), database.clone());
        let hold = "BEGIN; LOCK TABLE checks; SELECT pg_sleep(600)";
        tokio::task::spawn_blocking(move || server.sql(&database, hold))
    };
    let holds = "SELECT count(*) FROM pg_locks WHERE relation = 'checks'::regclass AND mode = 'AccessExclusiveLock'";
    while server.sql(&database, holds).unwrap() != "1" {}
    let said = unavailable(timeout(BOUND, records.check()).await.expect("a check ends"));
    assert!(said.contains("was too slow") && said.contains("locks"), "{said}");
    let end = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' \
               AND pid <> pg_backend_pid()";
    server.sql(&database, end).unwrap();
    holder.await.unwrap().unwrap_err();
    assert_eq!(records.check().await, Ok(()));
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start_is_waited_for_or_told() {
    let mut server = PostgresServer::start().await.unwrap();
    let url = server.database().unwrap();
    server.end(libc::SIGINT);
    unavailable(Postgres::open(&url, short()).await);
    let ms = Duration::from_millis;
    let twice = Backoff { first: ms(1), longest: ms(1), again: Some(2) };
    unavailable(Postgres::open_when_up(&url, short(), twice).await);
    let patient = Backoff { first: ms(10), longest: ms(100), again: None };
    let (opened, started) =
        tokio::join!(timeout(BOUND, Postgres::open_when_up(&url, short(), patient)), server.start_again());
    started.unwrap();
    assert_eq!(opened.expect("it opens").unwrap().check().await, Ok(()));
    let wrong = server.url("nowhere");
    let error =
        timeout(BOUND, Postgres::open_when_up(&wrong, short(), patient)).await.expect("it is told").unwrap_err();
    assert!(!error.is_retryable(), "waiting does not make a database: {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_gives_up_leaves_a_batch_whole_or_undone() {
    let server = PostgresServer::shared().await.unwrap();
    let settings = PostgresSettings { connections: 2, ..PostgresSettings::default() };
    let url = server.database().unwrap();
    let (_, database) = url.rsplit_once('/').unwrap();
    let records = Postgres::open(&url, settings).await.unwrap();
    let mut finished = 0;
    for n in 0..60u128 {
        let batch: Vec<LedgerWrite> = (n * 100..n * 100 + 10).map(create).collect();
        {
            let mut writing = std::pin::pin!(records.write(&batch));
            let mut turn = 0;
            std::future::poll_fn(|context| {
                turn += 1;
                let ready = writing.as_mut().poll(context).is_ready();
                finished += u128::from(ready);
                if ready || turn > n % 6 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        assert_eq!(
            records.write(&[create(n * 100 + 50)]).await.unwrap(),
            [WriteOutcome::Applied],
            "the next one goes on"
        );
    }
    assert!(finished < 60, "some were given up");
    // What was on its way when its caller left is carried out or not; then nothing runs any more.
    let busy = "SELECT count(*) FROM pg_stat_activity \
                WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()";
    while server.sql(database, busy).unwrap() != "0" {}
    let all: BTreeSet<u128> = records.open_sessions().await.unwrap().iter().map(|s| s.id.0).collect();
    for n in 0..60 {
        let found = all.range(n * 100..n * 100 + 10).count();
        assert!(found == 0 || found == 10, "{found} of 10");
        assert!(all.contains(&(n * 100 + 50)), "what was answered is there");
    }
}
