//! The port's contract.

use super::rig::Rig;
use mouthpiece_ports::contract;
use mouthpiece_s3::{CacheSettings, S3Settings};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_keeps_the_contract() {
    let (rig, scratch) = (Rig::new().await, tempfile::tempdir().unwrap());
    contract::blobs(scratch.path(), async || {
        let settings = S3Settings { bucket: rig.server.bucket().unwrap(), ..rig.settings() };
        Arc::new(rig.store_of(&settings).await)
    })
    .await;
    assert_eq!(rig.server.unfinished_uploads().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_a_bucket_with_a_cache_keeps_the_contract() {
    let (rig, scratch, caches) = (Rig::new().await, tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let stores = AtomicU32::new(0);
    contract::blobs(scratch.path(), async || {
        let n = stores.fetch_add(1, Ordering::Relaxed);
        let cache = CacheSettings {
            folder: caches.path().join(n.to_string()),
            bytes: 1 << 20,
            keep: Duration::from_secs(3600),
        };
        let settings = S3Settings { prefix: format!("farm/{n}"), cache: Some(cache), ..rig.settings() };
        Arc::new(rig.store_of(&settings).await)
    })
    .await;
}
