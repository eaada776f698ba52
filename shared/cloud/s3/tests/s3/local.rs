//! Blobs as files, through the cache of a machine.

use super::rig::{Rig, content, drain, key};
use mouthpiece_ports::blobs::{BlobError, Blobs as _};
use mouthpiece_s3::{CacheSettings, S3, S3Settings};
use std::time::Duration;
use tempfile::TempDir;

/// A store with a cache of so many bytes, the cache's folder, and one for what is handed out.
async fn cached(rig: &Rig, bytes: u64) -> (S3, TempDir, TempDir) {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = CacheSettings { folder: folder.path().to_owned(), bytes, keep: Duration::from_secs(3600) };
    (rig.store_of(&S3Settings { cache: Some(cache), ..rig.settings() }).await, folder, out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_is_fetched_once_and_anew_when_it_changed() {
    let rig = Rig::new().await;
    let (store, _folder, out) = cached(&rig, 1 << 20).await;
    let blob = key("results/a");
    for (n, length) in [1000, 2000].into_iter().enumerate() {
        store.put(&blob, content(length, 1)).await.unwrap();
        for _ in 0..3 {
            let file = store.local(&blob, out.path()).await.unwrap();
            assert!(std::fs::read(&file).unwrap() == content(length, 1));
        }
        assert_eq!(rig.seen("GetObject"), n as u64 + 1);
    }
    store.delete(&blob).await.unwrap();
    assert_eq!(store.local(&blob, out.path()).await, Err(BlobError::Missing(blob)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_want_the_same_fetch_it_once() {
    let rig = Rig::new().await;
    let (store, _folder, out) = cached(&rig, 1 << 20).await;
    let (blob, bytes) = (key("avatars/a"), content(500_000, 1));
    store.put(&blob, bytes.clone()).await.unwrap();
    let fetches = (0..16).map(|n| {
        let (store, blob, folder) = (store.clone(), blob.clone(), out.path().join(n.to_string()));
        std::fs::create_dir(&folder).unwrap();
        tokio::spawn(async move { store.local(&blob, &folder).await.unwrap() })
    });
    for fetch in fetches.collect::<Vec<_>>() {
        assert!(std::fs::read(fetch.await.unwrap()).unwrap() == bytes);
    }
    assert_eq!(rig.seen("GetObject"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_room_in_the_cache_is_fetched_past_it() {
    let rig = Rig::new().await;
    let (store, folder, out) = cached(&rig, 1000).await;
    let blob = key("avatars/large");
    store.put(&blob, content(5000, 1)).await.unwrap();
    for _ in 0..2 {
        let file = store.local(&blob, out.path()).await.unwrap();
        assert!(std::fs::read(file).unwrap() == content(5000, 1));
    }
    assert_eq!(rig.seen("GetObject"), 2);
    let kept = |path: &std::path::Path| -> u64 {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        entries.filter(|e| e.path().is_dir()).flat_map(|e| std::fs::read_dir(e.path()).unwrap()).count() as u64
    };
    assert_eq!(kept(folder.path()), 0, "nothing is left in the cache");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_is_down_the_copy_is_used() {
    let mut rig = Rig::new().await;
    let (store, _folder, out) = cached(&rig, 1 << 20).await;
    let (blob, other) = (key("avatars/a"), key("avatars/b"));
    for blob in [&blob, &other] {
        store.put(blob, content(1000, 1)).await.unwrap();
    }
    store.local(&blob, out.path()).await.unwrap();
    rig.server.stop().await;
    let file = store.local(&blob, out.path()).await.unwrap();
    assert!(std::fs::read(file).unwrap() == content(1000, 1));
    assert!(matches!(store.local(&other, out.path()).await, Err(BlobError::Unavailable(_))));
    rig.server.start_again().await.unwrap();
    assert!(store.local(&other, out.path()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_that_fails_leaves_no_file() {
    let mut rig = Rig::new().await;
    let (store, folder, out) = cached(&rig, 1 << 20).await;
    let (plain, blob) = (rig.store().await, key("avatars/a"));
    store.put(&blob, content(500_000, 1)).await.unwrap();
    rig.server.faults().plan("GetObject", mouthpiece_servers::Fault::Cut(50_000), u32::MAX);
    for store in [&store, &plain] {
        assert!(matches!(store.local(&blob, out.path()).await, Err(BlobError::Unavailable(_))));
    }
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
    rig.server.faults().clear();
    rig.server.start_again().await.unwrap();
    let file = store.local(&blob, out.path()).await.unwrap();
    assert!(std::fs::read(file).unwrap() == content(500_000, 1));
    let (found, end) = drain(store.read(&blob, 0, u64::MAX).await.unwrap()).await;
    assert!(end.is_ok() && found == content(500_000, 1));
    drop(folder);
}
