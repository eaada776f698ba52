//! What only SQLite can go through: a disk that is full, a caller that gives up, a schema that is taken back.

use super::*;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_domain::session::{Fence, SlotIndex};
use mouthpiece_ports::contract::sample_session;
use sqlx::Row;
use std::collections::BTreeSet;
use tempfile::TempDir;

async fn open() -> (Sqlite, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Sqlite::open(&folder.path().join("farm.db")).await.unwrap(), folder)
}

fn create(id: u128) -> LedgerWrite {
    let metadata = [("filling".to_owned(), "x".repeat(500))].into();
    let session = Session { metadata, ..sample_session(id) };
    LedgerWrite::Create { session: Box::new(session), idempotency: None }
}

fn assign(id: u128) -> LedgerWrite {
    let hold = Hold { session: SessionId(id), fence: Fence::FIRST, worker: WorkerId(1), slot: SlotIndex(0) };
    LedgerWrite::Assign { hold, at: Wall(1) }
}

async fn pragma(records: &Sqlite, text: &'static str) -> i64 {
    let mut writer = records.writer.lock().await;
    sqlx::query(text).fetch_one(writer.idle().await).await.unwrap().get(0)
}

async fn ids(records: &Sqlite) -> BTreeSet<u128> {
    records.open_sessions().await.unwrap().iter().map(|s| s.id.0).collect()
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_that_was_answered_is_lost() {
    let (records, _folder) = open().await;
    let pages = pragma(&records, "PRAGMA page_count").await;
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 20)))
        .execute(records.writer.lock().await.idle().await)
        .await
        .unwrap();
    let mut answered = BTreeSet::new();
    let (mut next, mut failures) = (0, 0);
    while failures < 3 {
        let batch: Vec<LedgerWrite> = (next..next + 7).map(create).collect();
        match records.write(&batch).await {
            Ok(_) => answered.extend(next..next + 7),
            Err(RecordsError::Broken(said)) => {
                assert!(said.contains("farm.db") && said.contains("is full: free some space"), "{said}");
                failures += 1;
            }
            Err(e) => panic!("{e}"),
        }
        next += 7;
        assert!(next < 10_000, "the file was never full");
        assert_eq!(ids(&records).await, answered, "what failed left nothing, what was answered is there");
    }
    assert!(!answered.is_empty());
    let some = *answered.first().unwrap();
    assert_eq!(records.write(&[assign(some)]).await.unwrap(), [WriteOutcome::Applied], "what needs no room goes on");
    // There is room again: nothing is stuck.
    pragma(&records, "PRAGMA max_page_count = 1000000").await;
    assert_eq!(records.write(&[create(next)]).await.unwrap(), [WriteOutcome::Applied]);
    assert_eq!(records.check().await, Ok(()));
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_a_batch_whole_or_undone() {
    for records in [open().await, (Sqlite::in_memory().await.unwrap(), tempfile::tempdir().unwrap())] {
        let (records, _folder) = records;
        let mut whole = 0;
        for (n, turns) in (0..40u128).zip((0..).step_by(3)) {
            let batch: Vec<LedgerWrite> = (n * 100..n * 100 + 10).map(create).collect();
            {
                // Each turn is one answer of the connection's thread, so this stops all over the batch.
                let mut writing = std::pin::pin!(records.write(&batch));
                let mut turn = 0;
                std::future::poll_fn(|context| {
                    turn += 1;
                    let ready = writing.as_mut().poll(context).is_ready();
                    if ready || turn > turns { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                })
                .await;
            }
            let found = ids(&records).await.into_iter().filter(|id| id / 100 == n).count();
            assert!(found == 0 || found == 10, "{found} of 10 after {turns} turns");
            whole += found / 10;
            assert_eq!(
                records.write(&[create(n * 100 + 50)]).await.unwrap(),
                [WriteOutcome::Applied],
                "the next one goes on"
            );
        }
        assert!(whole > 0 && whole < 40, "{whole} of 40 batches were whole");
    }
}

#[tokio::test]
async fn a_damaged_page_is_told_when_it_is_met() {
    let (records, folder) = open().await;
    records.write(&(0..500).map(create).collect::<Vec<_>>()).await.unwrap();
    pragma(&records, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let file = folder.path().join("farm.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[8 * 4096..].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();
    // A reader that was not there before has nothing of it in memory.
    let error = records.open_sessions().await.unwrap_err();
    assert!(matches!(&error, RecordsError::Broken(_)), "{error}");
    assert!(error.to_string().contains("is damaged") && error.to_string().contains("farm.db"), "{error}");
}

#[tokio::test]
async fn migrations_can_be_taken_back_and_done_again() {
    let (records, _folder) = open().await;
    let mut writer = records.writer.lock().await;
    let connection = writer.idle().await;
    let schema = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE '\\_sqlx%' ESCAPE '\\' \
                  AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let before: Vec<(String, String)> = sqlx::query_as(schema).fetch_all(&mut *connection).await.unwrap();
    assert!(before.len() > 10);
    migrations::MIGRATIONS.undo(&mut *connection, 0).await.unwrap();
    let none: Vec<(String, String)> = sqlx::query_as(schema).fetch_all(&mut *connection).await.unwrap();
    assert_eq!(none, []);
    migrations::MIGRATIONS.run(&mut *connection).await.unwrap();
    let after: Vec<(String, String)> = sqlx::query_as(schema).fetch_all(&mut *connection).await.unwrap();
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_was_kept_before_ages_has_one() {
    let (records, _folder) = open().await;
    let mut writer = records.writer.lock().await;
    let connection = writer.idle().await;
    migrations::MIGRATIONS.undo(&mut *connection, 1).await.unwrap();
    let (portrait, speech) = ("ab".repeat(32), "cd".repeat(32));
    let old = format!(
        "INSERT INTO sessions VALUES (x'{id:032x}', 'render', x'01', x'{id:032x}', \
         '{{\"portrait\":\"uploads/ab/{portrait}\",\"speech\":\"uploads/cd/{speech}\"}}', '{{}}', 1, 1, 1, 5, NULL, NULL, \
         0, 0, NULL, NULL, 30, 40); \
         INSERT INTO avatars VALUES (x'{id:032x}', x'01', '', '{portrait}', 'uploads/ab/{portrait}', '', 1, 0, x'01', 20); \
         INSERT INTO idempotency VALUES (x'01', 'token', '', x'{id:032x}')",
        id = 7
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(old)).execute(&mut *connection).await.unwrap();
    migrations::MIGRATIONS.run(&mut *connection).await.unwrap();
    let uploads = "SELECT key, content, used FROM uploads ORDER BY key";
    let uploads: Vec<(String, String, i64)> = sqlx::query_as(uploads).fetch_all(&mut *connection).await.unwrap();
    let known = [("ab", portrait), ("cd", speech)].map(|(at, c)| (format!("uploads/{at}/{c}"), c, 40));
    assert_eq!(uploads, known, "what sessions and avatars name is known, with its last use");
    for (query, at) in [("SELECT used FROM avatars", 30), ("SELECT created FROM idempotency", 30)] {
        let found: i64 = sqlx::query_scalar(query).fetch_one(&mut *connection).await.unwrap();
        assert_eq!(found, at, "{query}");
    }
}

#[tokio::test]
async fn what_is_old_is_found_by_an_index() {
    let (records, _folder) = open().await;
    let mut writer = records.writer.lock().await;
    let connection = writer.idle().await;
    for class in RetentionClass::ALL {
        let query = format!("EXPLAIN QUERY PLAN {}", retention::old_and_free(class));
        let plan = sqlx::query_as::<_, (i64, i64, i64, String)>(sqlx::AssertSqlSafe(query)).bind(5i64).bind(5i64);
        let plan: Vec<String> = plan.fetch_all(&mut *connection).await.unwrap().into_iter().map(|p| p.3).collect();
        let scans = plan.iter().filter(|step| step.starts_with("SCAN") && !step.contains("sessions_open"));
        assert_eq!(scans.collect::<Vec<_>>(), Vec::<&String>::new(), "{class:?}: {plan:?}");
        assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE FOR ORDER BY")), "{class:?}: {plan:?}");
    }
}

#[tokio::test]
async fn it_writes_as_durably_as_it_says() {
    let (records, _folder) = open().await;
    assert_eq!(pragma(&records, "PRAGMA synchronous").await, 2, "FULL");
    assert_eq!(pragma(&records, "PRAGMA foreign_keys").await, 1);
    let mut writer = records.writer.lock().await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(writer.idle().await).await.unwrap();
    assert_eq!(mode, "wal");
}
