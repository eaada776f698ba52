//! What only Postgres can go through: migrations that are taken back, plans, what is logged.

use crate::retention;
use crate::{Postgres, PostgresSettings, migrations};
use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_ports::records::SessionLedger as _;
use mouthpiece_ports::retention::Retention as _;
use mouthpiece_servers::PostgresServer;
use sqlx::AssertSqlSafe;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

async fn open() -> (Postgres, Arc<PostgresServer>) {
    let server = PostgresServer::shared().await.unwrap();
    let records = Postgres::open(&server.database().unwrap(), PostgresSettings::default()).await.unwrap();
    (records, server)
}

async fn ask(records: &Postgres, query: &'static str) -> String {
    let mut lease = records.pool.lease().await.unwrap();
    sqlx::query_scalar(query).fetch_one(lease.connection()).await.unwrap()
}

#[tokio::test]
async fn migrations_can_be_taken_back_and_done_again() {
    let (records, _server) = open().await;
    let mut lease = records.pool.lease().await.unwrap();
    let c = lease.connection();
    for _ in 0..2 {
        migrations::MIGRATIONS.undo(&mut *c, 0).await.unwrap();
        let left: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '_sqlx%') \
             + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)",
        )
        .fetch_one(&mut *c)
        .await
        .unwrap();
        assert_eq!(left, 0, "nothing is left");
        migrations::migrate(&records.pool.place, c).await.unwrap();
    }
    drop(lease);
    assert_eq!(records.check().await, Ok(()));
}

#[tokio::test]
async fn what_is_old_is_found_by_an_index() {
    let (records, _server) = open().await;
    let mut lease = records.pool.lease().await.unwrap();
    let c = lease.connection();
    // Of tables that are empty the server would rather read the whole.
    sqlx::raw_sql("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").execute(&mut *c).await.unwrap();
    for class in RetentionClass::ALL {
        let text = AssertSqlSafe(format!("PREPARE old(bigint, bigint) AS {}", retention::take(class)));
        sqlx::raw_sql(text).execute(&mut *c).await.unwrap();
        let plan: Vec<String> =
            sqlx::query_scalar("EXPLAIN EXECUTE old(5, 5)").persistent(false).fetch_all(&mut *c).await.unwrap();
        let plan = plan.join("\n");
        assert!(!plan.contains("Seq Scan"), "{class:?}: {plan}");
        assert!(!plan.contains("Sort"), "{class:?}: {plan}");
        sqlx::raw_sql("DEALLOCATE old").execute(&mut *c).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_has_the_turn_at_a_time() {
    let (records, _server) = open().await;
    let long = Duration::from_secs(3600);
    assert_eq!(records.turn(1, long).await, Ok(true));
    assert_eq!(records.turn(2, long).await, Ok(false));
    assert_eq!(records.turn(1, Duration::ZERO).await, Ok(true), "who has it may end it");
    while records.turn(2, long).await != Ok(true) {
        tokio::task::yield_now().await;
    }
    assert_eq!(records.turn(1, long).await, Ok(false));
}

#[tokio::test]
async fn there_are_so_many_connections_and_no_more() {
    let server = PostgresServer::shared().await.unwrap();
    let few =
        PostgresSettings { connections: 2, acquire_timeout: Duration::from_millis(50), ..PostgresSettings::default() };
    let records = Postgres::open(&server.database().unwrap(), few).await.unwrap();
    let one = records.pool.lease().await.unwrap();
    let other = records.pool.lease().await.unwrap();
    let error = records.check().await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("all 2 connections were in use"), "{error}");
    // Whoever drops one without a word has it closed, and another may take its place.
    drop(one);
    assert_eq!(records.check().await, Ok(()));
    drop(other);
}

#[tokio::test]
async fn it_writes_as_durably_as_it_says() {
    let (records, server) = open().await;
    assert_eq!(ask(&records, "SHOW synchronous_commit").await, "on");
    assert_eq!(ask(&records, "SHOW transaction_isolation").await, "read committed");
    assert_eq!(ask(&records, "SHOW statement_timeout").await, "5s");
    assert_eq!(ask(&records, "SHOW application_name").await, "mouthpiece");
    // Whatever the server's own habits are.
    let url = server.database().unwrap();
    let (_, database) = url.rsplit_once('/').unwrap();
    for habit in ["synchronous_commit = off", "default_transaction_isolation = serializable"] {
        server.sql("postgres", &format!("ALTER DATABASE {database} SET {habit}")).unwrap();
    }
    let records = Postgres::open(&url, PostgresSettings::default()).await.unwrap();
    assert_eq!(ask(&records, "SHOW synchronous_commit").await, "on");
    assert_eq!(ask(&records, "SHOW transaction_isolation").await, "read committed");
}

/// A log that can be read.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn slow_queries_are_logged_without_their_parameters() {
    let server = PostgresServer::shared().await.unwrap();
    let url = server.database().unwrap();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let said = || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();

    let quick = PostgresSettings { slow_query: Duration::from_secs(3600), ..PostgresSettings::default() };
    let records = Postgres::open(&url, quick).await.unwrap();
    records.repeated(mouthpiece_domain::ids::KeyId(1), "a-secret-token").await.unwrap();
    assert_eq!(said(), "", "what is quick is not logged");

    let slow = PostgresSettings { slow_query: Duration::ZERO, ..PostgresSettings::default() };
    let records = Postgres::open(&url, slow).await.unwrap();
    records.repeated(mouthpiece_domain::ids::KeyId(1), "a-secret-token").await.unwrap();
    let said = said();
    assert!(said.contains("WARN") && said.contains("slow statement"), "{said}");
    assert!(said.contains("FROM idempotency WHERE api_key = $1"), "{said}");
    assert!(!said.contains("a-secret-token") && !said.contains("s3cret"), "{said}");
}
