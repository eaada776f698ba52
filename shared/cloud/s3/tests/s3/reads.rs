//! Reading through connections that are cut.

use super::rig::{Rig, content, drain, key, soon};
use mouthpiece_ports::blobs::Blobs as _;
use mouthpiece_servers::Fault;

const LENGTH: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_cut_off_goes_on_where_it_was() {
    let rig = Rig::new().await;
    let (store, blob, bytes) = (rig.store().await, key("results/film"), content(LENGTH, 1));
    store.put(&blob, bytes.clone()).await.unwrap();
    for (start, length) in [(0, u64::MAX), (1000, u64::MAX), (1000, 600_000)] {
        rig.server.faults().plan("GetObject", Fault::Cut(150_000), 3);
        let before = rig.seen("GetObject");
        let (found, end) = drain(store.read(&blob, start, length).await.unwrap()).await;
        let last = start.saturating_add(length).min(LENGTH as u64) as usize;
        assert_eq!(end, Ok(()));
        assert!(found == bytes[start as usize..last], "{} bytes of {length} from {start}", found.len());
        assert_eq!(rig.seen("GetObject") - before, 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_cut_off_again_and_again_gives_up() {
    let rig = Rig::new().await;
    let (store, blob, bytes) = (rig.store().await, key("results/film"), content(LENGTH, 1));
    store.put(&blob, bytes.clone()).await.unwrap();
    rig.server.faults().plan("GetObject", Fault::Cut(1000), u32::MAX);
    let mut reader = store.read(&blob, 0, u64::MAX).await.unwrap();
    let mut found = Vec::new();
    let failure = loop {
        match soon(reader.next()).await {
            Ok(piece) => found.extend_from_slice(&piece.expect("it ends before its end")),
            Err(failure) => break failure,
        }
    };
    assert!(failure.to_string().contains("again and again"), "{failure}");
    assert!(bytes.starts_with(&found) && found.len() < LENGTH);
    assert_eq!(rig.seen("GetObject"), 6);
    assert_eq!(reader.next().await, Ok(None), "after an error there is nothing more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_does_not_go_on_with_another_content() {
    let rig = Rig::new().await;
    let (store, blob, old) = (rig.store().await, key("results/film"), content(LENGTH, 1));
    store.put(&blob, old.clone()).await.unwrap();
    rig.server.faults().plan("GetObject", Fault::Cut(150_000), 1);
    let reader = store.read(&blob, 0, u64::MAX).await.unwrap();
    store.put(&blob, content(LENGTH, 2)).await.unwrap();
    let (found, end) = drain(reader).await;
    assert!(end.unwrap_err().to_string().contains("was replaced"));
    assert!(old.starts_with(&found) && found.len() < LENGTH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_etag_a_reader_does_not_go_on() {
    let rig = Rig::new().await;
    let (store, blob, bytes) = (rig.store().await, key("results/film"), content(LENGTH, 1));
    store.put(&blob, bytes.clone()).await.unwrap();
    rig.server.faults().plan("GetObject", Fault::NoETag, 2);
    assert!(store.get(&blob, LENGTH as u64).await.unwrap() == bytes, "what is not cut off needs none");
    rig.server.faults().plan("GetObject", Fault::Cut(150_000), 1);
    let (found, end) = drain(store.read(&blob, 0, u64::MAX).await.unwrap()).await;
    let failure = end.unwrap_err().to_string();
    assert!(failure.contains("ETag"), "{failure}");
    assert!(bytes.starts_with(&found) && found.len() < LENGTH);
    assert_eq!(rig.seen("GetObject"), 2);
}
