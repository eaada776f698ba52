//! Links, followed by an HTTP client that has no rights of its own.

use super::rig::{Rig, content, key, until};
use mouthpiece_ports::blobs::{Blobs as _, LinkHeaders};
use mouthpiece_s3::S3Settings;
use mouthpiece_servers::S3Server;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn headers() -> LinkHeaders {
    LinkHeaders {
        media_type: "video/mp4".to_owned(),
        disposition: Some("attachment; filename=\"a film; 1+1 & more.mp4\"".to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_fetched_by_anybody() {
    let rig = Rig::new().await;
    let (store, blob, bytes) = (rig.store().await, key("results/film.mp4"), content(100_000, 1));
    store.put(&blob, bytes.clone()).await.unwrap();
    let link = store.link(&blob, MINUTE, &headers()).await.unwrap().unwrap();
    assert!(!link.contains(S3Server::SECRET_KEY));
    let client = reqwest::Client::new();
    let answer = client.get(&link).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "video/mp4");
    assert_eq!(Some(header("content-disposition")), headers().disposition);
    assert!(answer.bytes().await.unwrap() == bytes);
    let part = client.get(&link).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!(part.status(), 206, "a player may seek");
    assert!(part.bytes().await.unwrap() == bytes[10..20]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_good_for_one_blob_and_one_use() {
    let rig = Rig::new().await;
    let store = rig.store().await;
    store.put(&key("results/one"), content(10, 1)).await.unwrap();
    store.put(&key("results/two"), content(10, 2)).await.unwrap();
    let (client, headers) = (reqwest::Client::new(), headers());
    let link = store.link(&key("results/one"), MINUTE, &headers).await.unwrap().unwrap();
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(client.get(&link)).await, 200);
    assert_eq!(status(client.get(link.replace("results/one", "results/two"))).await, 403);
    assert_eq!(status(client.delete(&link)).await, 403);
    assert_eq!(status(client.put(&link).body("other")).await, 403);
    assert_eq!(status(client.get(link.split('?').next().unwrap())).await, 403, "the bucket is not public");
    let nothing = store.link(&key("results/none"), MINUTE, &headers).await.unwrap().unwrap();
    assert_eq!(status(client.get(nothing)).await, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_ends() {
    let rig = Rig::new().await;
    let (store, blob) = (rig.store().await, key("results/film"));
    store.put(&blob, content(10, 1)).await.unwrap();
    let link = store.link(&blob, Duration::ZERO, &headers()).await.unwrap().unwrap();
    let client = reqwest::Client::new();
    until("the link is refused", async || client.get(&link).send().await.unwrap().status() == 403).await;
    let long = store.link(&blob, Duration::from_secs(1 << 40), &headers()).await.unwrap().unwrap();
    assert!(long.contains("X-Amz-Expires=604800"), "a week at most: {long}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_names_the_address_that_browsers_reach() {
    let rig = Rig::new().await;
    let public = rig.server.endpoint().replace("127.0.0.1", "localhost");
    let store = rig.store_of(&S3Settings { public_endpoint: Some(public.clone()), ..rig.settings() }).await;
    store.put(&key("results/film"), content(10, 1)).await.unwrap();
    let link = store.link(&key("results/film"), MINUTE, &headers()).await.unwrap().unwrap();
    assert!(link.starts_with(&public), "{link}");
    let answer = reqwest::get(&link).await.unwrap();
    assert_eq!(answer.status(), 200, "the signature is for that address");
}
