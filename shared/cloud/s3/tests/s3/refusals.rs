//! What is set up wrongly, and the sentences that say so.

use super::rig::{Rig, content, key, soon};
use mouthpiece_aws_access::{Access, AccessError, AccessSettings};
use mouthpiece_ports::blobs::{BlobError, Blobs, LinkHeaders};
use mouthpiece_s3::{CacheSettings, OpenError, S3, S3Settings};
use mouthpiece_servers::{Fault, S3Server, free_port};
use std::time::Duration;

/// What every call says of a store that is set up wrongly.
async fn said(store: &S3) -> String {
    let blob = key("avatars/a");
    let check = soon(store.check()).await.unwrap_err();
    let others = [
        soon(store.put(&blob, content(10, 1))).await.unwrap_err(),
        soon(store.get(&blob, 10)).await.unwrap_err(),
        soon(store.size(&blob)).await.unwrap_err(),
        soon(store.delete(&blob)).await.unwrap_err(),
        soon(store.list(&blob, 10)).await.unwrap_err(),
    ];
    let text = |e: &BlobError| e.to_string().split(" (request").next().unwrap_or_default().to_owned();
    for other in &others {
        assert!(matches!(other, BlobError::Unavailable(_)), "{other:?}");
        assert_eq!(text(other), text(&check));
    }
    let text = check.to_string();
    assert!(!text.contains(S3Server::SECRET_KEY) && !text.contains("another-secret"), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_keys_are_told_apart() {
    let rig = Rig::new().await;
    for (access_key, secret_key, remedy) in [
        (S3Server::ACCESS_KEY, "another-secret", "the secret key does not fit the access key"),
        ("AKIAUNKNOWN", S3Server::SECRET_KEY, "the access key is not known there"),
    ] {
        let access = rig.access(access_key, secret_key).await;
        assert!(!format!("{access:?}").contains(secret_key));
        let store = S3::open(&rig.settings(), &access).await.unwrap();
        let text = said(&store).await;
        assert!(text.contains(remedy) && text.contains(&rig.bucket), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_without_keys_says_where_to_put_them() {
    let (rig, scratch) = (Rig::new().await, tempfile::tempdir().unwrap());
    let file = scratch.path().join("credentials");
    std::fs::write(&file, "[other]\naws_access_key_id = a\naws_secret_access_key = another-secret\n").unwrap();
    let settings = AccessSettings {
        region: Some("eu-central-1".to_owned()),
        profile: Some("default".to_owned()),
        credentials_file: Some(file),
        ca_file: None,
    };
    let access = Access::open(&settings).await.unwrap();
    let store = S3::open(&rig.settings(), &access).await.unwrap();
    let text = said(&store).await;
    assert!(text.contains("credentials"), "{text}");
    let headers = LinkHeaders { media_type: "video/mp4".to_owned(), disposition: None };
    let refusal = store.link(&key("a"), Duration::from_secs(1), &headers).await.unwrap_err();
    assert!(refusal.to_string().contains("credentials"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_not_there_is_said() {
    let rig = Rig::new().await;
    let store = rig.store_of(&S3Settings { bucket: "nowhere".to_owned(), ..rig.settings() }).await;
    let text = said(&store).await;
    assert!(text.contains("'nowhere'") && text.contains("create it"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_that_are_missing_are_named() {
    let rig = Rig::new().await;
    let store = rig.store().await;
    for operation in ["PutObject", "GetObject", "HeadObject", "ListObjectsV2"] {
        rig.server.faults().plan(operation, Fault::Refused("AccessDenied"), u32::MAX);
    }
    let text = said(&store).await;
    assert!(text.contains("s3:GetObject") && text.contains("ListBucket"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_wrong_is_said() {
    let rig = Rig::new().await;
    let nobody = format!("http://127.0.0.1:{}", free_port().unwrap());
    let secure = rig.server.endpoint().replace("http:", "https:");
    for (endpoint, remedy) in [(nobody, "nobody listens there"), (secure, "is the address's http or https right?")] {
        let store = rig.store_of(&S3Settings { endpoint: Some(endpoint), ..rig.settings() }).await;
        let text = said(&store).await;
        assert!(text.contains(remedy), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_cannot_work_are_refused_at_the_start() {
    let (rig, scratch) = (Rig::new().await, tempfile::tempdir().unwrap());
    let access = rig.access(S3Server::ACCESS_KEY, S3Server::SECRET_KEY).await;
    let refused = async |settings: S3Settings| S3::open(&settings, &access).await.err().unwrap();
    let endpoint = Some("http://key:another-secret@host".to_owned());
    let refusal = refused(S3Settings { endpoint, ..rig.settings() }).await;
    assert!(matches!(refusal, OpenError::Endpoint(_)) && !refusal.to_string().contains("another-secret"));
    let file = scratch.path().join("file");
    std::fs::write(&file, "no certificate").unwrap();
    let cache = CacheSettings { folder: file.join("cache"), bytes: 1, keep: Duration::from_secs(1) };
    let refusal = refused(S3Settings { cache: Some(cache), ..rig.settings() }).await.to_string();
    assert!(refusal.contains("name a folder that can be written to"), "{refusal}");
    let nothing = AccessSettings::default();
    for settings in [
        AccessSettings { ca_file: Some(scratch.path().join("none")), ..nothing.clone() },
        AccessSettings { ca_file: Some(file), ..nothing.clone() },
        AccessSettings { credentials_file: Some(scratch.path().join("none")), ..nothing },
    ] {
        assert!(matches!(Access::open(&settings).await, Err(AccessError::File { .. })));
    }
}
