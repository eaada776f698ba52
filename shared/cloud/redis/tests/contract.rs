//! The pool in Redis keeps its port's contract, on a server and on a node of a cluster.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::contract;
use mouthpiece_redis::{RedisOptions, RedisPool};
use mouthpiece_servers::RedisServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Fresh pools on one server. The suite's workers are vouched for: it claims slots of workers that were never announced, and the right to decide is a slot of one that there is not.
async fn suite(server: &RedisServer) {
    let n = AtomicU32::new(0);
    contract::pool(async || {
        let mut options = RedisOptions::new(server.url());
        options.prefix = format!("farm-{}:", n.fetch_add(1, Ordering::Relaxed));
        options.longest_lease = Duration::from_secs(3600);
        options.call_limit = Duration::from_secs(20);
        let pool = RedisPool::open(&options).unwrap();
        for worker in [0, 1, 2, u128::MAX] {
            pool.admit(WorkerId(worker)).await.unwrap();
        }
        Arc::new(pool)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_in_redis() {
    suite(&RedisServer::start().await.unwrap()).await;
}

/// A script that touches two hash slots is refused by such a node.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_on_a_clusters_node() {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes"]).await.unwrap();
    assert_eq!(server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await.unwrap(), "OK");
    while !server.command(&["CLUSTER", "INFO"]).await.unwrap().contains("cluster_state:ok") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    suite(&server).await;
}
