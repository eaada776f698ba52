//! Postgres keeps the contract of every part of the records, against a real server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_ports::contract;
use mouthpiece_postgres::{Postgres, PostgresSettings};
use mouthpiece_servers::PostgresServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Schemas that are made at a time.
const SCHEMAS: u32 = 100;

/// Stores in schemas of one database, which are made faster than databases.
struct Stores {
    server: Arc<PostgresServer>,
    url: String,
    made: AtomicU32,
}

impl Stores {
    async fn new() -> Self {
        let server = PostgresServer::shared().await.unwrap();
        let url = server.database().unwrap();
        Self { server, url, made: AtomicU32::new(0) }
    }

    async fn fresh(&self) -> Arc<Postgres> {
        let n = self.made.fetch_add(1, Ordering::Relaxed);
        if n.is_multiple_of(SCHEMAS) {
            let (_, database) = self.url.rsplit_once('/').unwrap();
            let more: String = (n..n + SCHEMAS).map(|n| format!("CREATE SCHEMA s{n}; ")).collect();
            self.server.sql(database, &more).unwrap();
        }
        let url = format!("{}?options[search_path]=s{n}", self.url);
        Arc::new(Postgres::open(&url, PostgresSettings::default()).await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records() {
    let stores = Stores::new().await;
    contract::records(async || stores.fresh().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn passes_and_ages() {
    let stores = Stores::new().await;
    contract::passes(async || stores.fresh().await).await;
    contract::retention(async || stores.fresh().await).await;
}
