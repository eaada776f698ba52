//! A server that goes away, comes back, or says nothing.

use super::rig::{Rig, content, key, soon};
use mouthpiece_ports::blobs::{BlobError, Blobs, LinkHeaders};
use mouthpiece_servers::Fault;
use std::time::Duration;

fn unavailable<T: std::fmt::Debug>(result: Result<T, BlobError>) -> String {
    match result {
        Err(BlobError::Unavailable(text)) => text,
        other => panic!("not unavailable: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_is_said_and_found_again() {
    let (mut rig, scratch) = (Rig::new().await, tempfile::tempdir().unwrap());
    let (store, blob, bytes) = (rig.store().await, key("results/a"), content(1000, 1));
    store.put(&blob, bytes.clone()).await.unwrap();
    assert_eq!(store.check().await, Ok(()));
    for round in 0..2 {
        rig.server.stop().await;
        let failures = [
            unavailable(soon(store.check()).await),
            unavailable(soon(store.put(&blob, bytes.clone())).await),
            unavailable(soon(store.put(&blob, content(17 << 20, 1))).await),
            unavailable(soon(store.get(&blob, 1000)).await),
            unavailable(soon(store.size(&blob)).await),
            unavailable(soon(store.delete(&blob)).await),
            unavailable(soon(store.list(&key("results"), 10)).await),
            unavailable(soon(store.local(&blob, scratch.path())).await),
        ];
        for failure in failures {
            let (place, remedy) = (format!("'{}'", rig.bucket), "start it, or correct its address");
            assert!(failure.contains(&place) && failure.contains(remedy), "{failure}");
        }
        let headers = LinkHeaders { media_type: "video/mp4".to_owned(), disposition: None };
        assert!(store.link(&blob, Duration::from_secs(60), &headers).await.is_ok(), "a link is signed here");
        rig.server.start_again().await.unwrap();
        assert_eq!(soon(store.check()).await, Ok(()));
        assert!(store.get(&blob, 1000).await.unwrap() == bytes, "round {round}: what was stored is there");
        assert_eq!(store.list(&key("results"), 10).await, Ok(vec![(blob.clone(), 1000)]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_opened_before_its_server_is_there() {
    let mut rig = Rig::new().await;
    rig.server.stop().await;
    let store = rig.store().await;
    unavailable(soon(store.check()).await);
    rig.server.start_again().await.unwrap();
    assert_eq!(soon(store.check()).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_in_parts_outlives_a_restart() {
    let mut rig = Rig::new().await;
    let (store, bytes) = (rig.store().await, content(20 << 20, 1));
    rig.server.faults().plan("UploadPart", Fault::Silent, 1);
    let upload = {
        let (store, bytes) = (store.clone(), bytes.clone());
        tokio::spawn(async move { store.put(&key("results/film"), bytes).await })
    };
    super::rig::until("all parts are under way", async || rig.seen("UploadPart") >= 3).await;
    rig.server.start_again().await.unwrap();
    assert_eq!(soon(upload).await.unwrap(), Ok(()));
    assert!(store.get(&key("results/film"), 20 << 20).await.unwrap() == bytes);
    assert_eq!(rig.server.unfinished_uploads().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_is_not_ready() {
    let rig = Rig::new().await;
    let store = rig.store().await;
    rig.server.faults().plan("PutObject", Fault::Silent, u32::MAX);
    let failure = unavailable(soon(store.check()).await);
    assert!(failure.contains("does not answer in time"), "{failure}");
    rig.server.faults().clear();
    assert_eq!(soon(store.check()).await, Ok(()));
}
