//! Writing: in parts, under conditions, through faults.

use super::rig::{Rig, content, key, soon, until};
use mouthpiece_ports::blobs::{BlobError, Blobs as _};
use mouthpiece_s3::{Encryption, S3Settings};
use mouthpiece_servers::Fault;

const LARGE: usize = 20 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_goes_up_in_parts() {
    let (rig, scratch) = (Rig::new().await, tempfile::tempdir().unwrap());
    let (store, file, bytes) = (rig.store().await, scratch.path().join("film"), content(LARGE, 1));
    std::fs::write(&file, &bytes).unwrap();
    for name in ["uploads/film", "results/film"] {
        store.put_file(&key(name), &file).await.unwrap();
        assert!(store.get(&key(name), LARGE as u64).await.unwrap() == bytes);
    }
    let seen = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"].map(|o| rig.seen(o));
    assert_eq!(seen, [2, 6, 2, 0], "20 MiB are three parts of at most 8 MiB");
    store.put_file(&key("uploads/film"), &file).await.unwrap();
    assert_eq!(rig.seen("UploadPart"), 6, "what cannot change is not sent over again");
    assert_eq!(rig.server.unfinished_uploads().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_fails_leaves_no_parts() {
    let rig = Rig::new().await;
    let (store, bytes) = (rig.store().await, content(LARGE, 1));
    for (operation, fault, remedy) in [
        ("UploadPart", Fault::AnswerLost, "asked again later"),
        ("CompleteMultipartUpload", Fault::Refused("AccessDenied"), "allow s3:"),
    ] {
        rig.server.faults().plan(operation, fault, u32::MAX);
        let failure = store.put(&key("results/film"), bytes.clone()).await.unwrap_err();
        rig.server.faults().clear();
        assert!(failure.to_string().contains(remedy), "{failure}");
        assert_eq!(rig.server.unfinished_uploads().unwrap(), 0);
        assert_eq!(store.size(&key("results/film")).await, Ok(None));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_abandoned_leaves_no_parts() {
    let rig = Rig::new().await;
    let (store, bytes) = (rig.store().await, content(LARGE, 1));
    rig.server.faults().plan("UploadPart", Fault::Silent, u32::MAX);
    let upload = tokio::spawn(async move { store.put(&key("results/film"), bytes).await });
    until("a part is under way", async || rig.seen("UploadPart") > 0).await;
    assert!(rig.server.unfinished_uploads().unwrap() > 0);
    upload.abort();
    until("nothing is left", async || rig.server.unfinished_uploads().unwrap() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_shrinks_while_it_is_sent_leaves_nothing() {
    let (rig, scratch) = (Rig::new().await, tempfile::tempdir().unwrap());
    let (store, file) = (rig.store().await, scratch.path().join("film"));
    std::fs::write(&file, content(LARGE, 1)).unwrap();
    // The first parts are asked for again while the file is cut.
    rig.server.faults().plan("CreateMultipartUpload", Fault::Refused("SlowDown"), 1);
    let upload = {
        let (store, file) = (store.clone(), file.clone());
        tokio::spawn(async move { store.put_file(&key("results/film"), &file).await })
    };
    until("the upload begins", async || rig.seen("CreateMultipartUpload") > 0).await;
    std::fs::File::options().write(true).open(&file).unwrap().set_len(1 << 20).unwrap();
    let failure = upload.await.unwrap().unwrap_err();
    assert!(matches!(&failure, BlobError::Local { path, .. } if *path == file), "{failure}");
    assert_eq!(rig.server.unfinished_uploads().unwrap(), 0);
    assert_eq!(store.size(&key("results/film")).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_that_pass_are_waited_out() {
    let rig = Rig::new().await;
    let (store, large, small) = (rig.store().await, content(LARGE, 1), content(1000, 2));
    for (operation, code) in [
        ("PutObject", "SlowDown"),
        ("CreateMultipartUpload", "InternalError"),
        ("UploadPart", "ServiceUnavailable"),
        ("CompleteMultipartUpload", "InternalError"),
        ("HeadObject", "SlowDown"),
        ("GetObject", "InternalError"),
    ] {
        rig.server.faults().plan(operation, Fault::Refused(code), 2);
    }
    store.put(&key("results/small"), small.clone()).await.unwrap();
    store.put(&key("results/large"), large.clone()).await.unwrap();
    assert_eq!(store.size(&key("results/small")).await, Ok(Some(1000)));
    assert!(store.get(&key("results/small"), 1000).await.unwrap() == small);
    assert!(store.get(&key("results/large"), LARGE as u64).await.unwrap() == large);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_is_no_failure() {
    let rig = Rig::new().await;
    let store = rig.store().await;
    for (n, folder) in (0..).zip(["uploads", "results"]) {
        for (operation, length) in [("PutObject", 1000), ("CompleteMultipartUpload", LARGE)] {
            let (blob, bytes) = (key(&format!("{folder}/{length}")), content(length, n));
            rig.server.faults().plan(operation, Fault::AnswerLost, 1);
            store.put(&blob, bytes.clone()).await.unwrap();
            assert!(store.get(&blob, length as u64).await.unwrap() == bytes);
        }
    }
    assert_eq!(rig.server.unfinished_uploads().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_change_is_written_once() {
    let rig = Rig::new().await;
    let store = rig.store().await;
    for name in ["uploads/a", "avatars/a"] {
        store.put(&key(name), content(10, 1)).await.unwrap();
        store.put(&key(name), content(20, 2)).await.unwrap();
        assert!(store.get(&key(name), 20).await.unwrap() == content(10, 1), "the first content stays");
        assert_eq!(rig.server.faults().header("PutObject", "if-none-match").as_deref(), Some("*"));
    }
    store.put(&key("results/a"), content(10, 1)).await.unwrap();
    store.put(&key("results/a"), content(20, 2)).await.unwrap();
    assert!(store.get(&key("results/a"), 20).await.unwrap() == content(20, 2), "a result is replaced");
    assert_eq!(rig.server.faults().header("PutObject", "if-none-match"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_writers_at_once_one_wins_and_none_fails() {
    let rig = Rig::new().await;
    let store = rig.store().await;
    let contents: Vec<_> = (0..3).map(|n| content((17 << 20) + n as usize, n)).collect();
    let writers: Vec<_> = contents
        .iter()
        .map(|bytes| {
            let (store, bytes) = (store.clone(), bytes.clone());
            tokio::spawn(async move { store.put(&key("avatars/one"), bytes).await })
        })
        .collect();
    for writer in writers {
        assert_eq!(writer.await.unwrap(), Ok(()));
    }
    assert!(contents.contains(&store.get(&key("avatars/one"), u64::MAX).await.unwrap()));
    assert_eq!(rig.server.unfinished_uploads().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_is_tried_again() {
    let rig = Rig::new().await;
    let store = rig.store().await;
    let conflict = Fault::Refused("ConditionalRequestConflict");
    rig.server.faults().plan("PutObject", conflict, 2);
    soon(store.put(&key("uploads/a"), content(10, 1))).await.unwrap();
    assert_eq!(rig.seen("PutObject"), 3);
    rig.server.faults().plan("PutObject", conflict, u32::MAX);
    let failure = soon(store.put(&key("uploads/b"), content(10, 1))).await.unwrap_err();
    assert!(failure.to_string().contains("somebody else"), "{failure}");
    assert_eq!(rig.seen("PutObject"), 8, "it is tried again four times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_without_conditional_writes_will_do() {
    let rig = Rig::new().await;
    let store = rig.store().await;
    rig.server.faults().plan("PutObject", Fault::Unconditional, u32::MAX);
    for (n, name) in ["uploads/a", "uploads/b", "uploads/c"].into_iter().enumerate() {
        store.put(&key(name), content(10, 1)).await.unwrap();
        assert!(store.get(&key(name), 10).await.unwrap() == content(10, 1));
        assert_eq!(rig.seen("PutObject"), n as u64 + 2, "the service is asked once whether it knows them");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_is_asked_to_encrypt() {
    let rig = Rig::new().await;
    let kms = Encryption::Kms { key: Some("alias/farm".to_owned()) };
    let header = |operation, name| rig.server.faults().header(operation, name);
    for (encryption, kind, id) in [
        (Encryption::Bucket, None, None),
        (Encryption::Service, Some("AES256"), None),
        (kms, Some("aws:kms"), Some("alias/farm")),
    ] {
        let store = rig.store_of(&S3Settings { encryption, ..rig.settings() }).await;
        store.put(&key("results/small"), content(10, 1)).await.unwrap();
        store.put(&key("results/large"), content(LARGE, 1)).await.unwrap();
        for operation in ["PutObject", "CreateMultipartUpload"] {
            assert_eq!(header(operation, "x-amz-server-side-encryption").as_deref(), kind);
            assert_eq!(header(operation, "x-amz-server-side-encryption-aws-kms-key-id").as_deref(), id);
        }
    }
}
