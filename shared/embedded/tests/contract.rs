//! The embedded adapters keep every port's contract.

use mouthpiece_embedded::{Directory, MemoryBus, MemoryLines, MemoryPool, NoFleet, Sqlite};
use mouthpiece_ports::contract;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::tempdir;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_in_a_file() {
    let (folder, n) = (tempdir().unwrap(), AtomicU32::new(0));
    contract::records(async || {
        let name = format!("{}.db", n.fetch_add(1, Ordering::Relaxed));
        Arc::new(Sqlite::open(&folder.path().join(name)).await.unwrap())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_in_memory() {
    contract::records(async || Arc::new(Sqlite::in_memory().await.unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ages_in_a_file_and_in_memory() {
    let (folder, n) = (tempdir().unwrap(), AtomicU32::new(0));
    contract::retention(async || {
        let name = format!("{}.db", n.fetch_add(1, Ordering::Relaxed));
        Arc::new(Sqlite::open(&folder.path().join(name)).await.unwrap())
    })
    .await;
    contract::retention(async || Arc::new(Sqlite::in_memory().await.unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn passes_in_a_file() {
    let (folder, n) = (tempdir().unwrap(), AtomicU32::new(0));
    contract::passes(async || {
        let name = format!("{}.db", n.fetch_add(1, Ordering::Relaxed));
        Arc::new(Sqlite::open(&folder.path().join(name)).await.unwrap())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bus_within_the_process() {
    contract::bus(async || Arc::new(MemoryBus::new())).await;
    contract::bus_with_questions(async || Arc::new(MemoryBus::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn questions_within_the_process() {
    contract::questions(async || Arc::new(MemoryBus::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lines_within_the_process() {
    contract::lines(async || Arc::new(MemoryLines::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_in_memory() {
    contract::pool(async || Arc::new(MemoryPool::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn blobs_in_a_directory() {
    let (folder, scratch, n) = (tempdir().unwrap(), tempdir().unwrap(), AtomicU32::new(0));
    contract::blobs(scratch.path(), async || {
        let name = format!("{}", n.fetch_add(1, Ordering::Relaxed));
        Arc::new(Directory::open(&folder.path().join(name)).unwrap())
    })
    .await;
}

#[tokio::test]
async fn a_fleet_of_one_machine() {
    contract::fleet(async || Arc::new(NoFleet)).await;
}
