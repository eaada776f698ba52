//! Results: whole, in part, or not at all.

use crate::rig::{Answer, Rig};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{BlobKey, EndReason, SessionEnd, SessionOutput};
use mouthpiece_domain::time::Wall;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

fn video() -> Vec<u8> {
    (0..5000_u32).map(|n| (n % 251) as u8).collect()
}

async fn finished(rig: &Rig) -> SessionId {
    let id = rig.render().await;
    let blob = BlobKey::new("results/a.mp4").unwrap();
    rig.memory.kept().blobs.insert(blob.clone(), Bytes::from(video()));
    let output = SessionOutput {
        blob: Some(blob),
        removed: None,
        bytes: 5000,
        frames: 25,
        length: Duration::from_secs(1),
        size: [512, 512],
        framing: "512x512, the whole picture".into(),
        warnings: vec!["quiet".into()],
    };
    rig.farm.end(id, SessionEnd::completed(output));
    id
}

#[actix_web::test]
async fn a_result_is_fetched_by_a_link_where_that_is_set() {
    let rig = Rig::with(|settings| settings.link_origin = Some("http://127.0.0.1:1".to_owned())).await;
    let id = finished(&rig).await;
    let url = format!("/v1/renders/{id}/result");
    let answer = rig.get(&url).await.is(307);
    assert_eq!(answer.header("location"), "http://127.0.0.1:1/results/a.mp4?for=600&as=video/mp4");
    assert_eq!(answer.header("cache-control"), "private, no-store");
    // A link is good for fetching only.
    Answer::of(rig.ask(Method::HEAD, &url)).await.is(200);
    let page = rig.get("/").await.is(200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("media-src 'self' blob: http://127.0.0.1:1;"), "{policy}");
}

#[actix_web::test]
async fn a_result_is_sent_whole_and_in_part() {
    let rig = Rig::start().await;
    let id = finished(&rig).await;
    let url = format!("/v1/renders/{id}/result");
    let told = rig.get(&format!("/v1/sessions/{id}")).await.json();
    let updated = told["updated"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let expires = updated + TimeDelta::days(7);
    assert_eq!(
        told["result"],
        json!({
            "url": format!("../renders/{id}/result"), "bytes": 5000, "frames": 25, "duration_ms": 1000, "size": [512, 512],
            "framing": "512x512, the whole picture", "warnings": ["quiet"],
            "expires_at": expires.to_rfc3339_opts(SecondsFormat::Millis, true), "removed_at": null,
        })
    );
    let whole = rig.get(&url).await.is(200);
    assert_eq!((whole.header("content-type"), whole.header("accept-ranges")), ("video/mp4", "bytes"));
    assert_eq!((whole.header("content-length"), &whole.body), ("5000", &video()));
    assert!(whole.header("content-disposition").starts_with("inline; filename=\"mouthpiece-ses_"));
    let saved = rig.get(&format!("{url}?download=1")).await.is(200);
    assert!(saved.header("content-disposition").starts_with("attachment; filename="));
    for (range, from, to) in [
        ("bytes=0-0", 0, 0),
        ("bytes=10-1999", 10, 1999),
        ("bytes=4000-", 4000, 4999),
        ("bytes=-7", 4993, 4999),
        ("bytes=-9999", 0, 4999),
        ("bytes=4990-9999", 4990, 4999),
    ] {
        let part = Answer::of(rig.ask(Method::GET, &url).header("range", range)).await.is(206);
        assert_eq!(part.header("content-range"), format!("bytes {from}-{to}/5000"));
        assert_eq!(part.body, video()[from..=to], "{range}");
    }
    for outside in ["bytes=5000-", "bytes=9999-10000", "bytes=-0"] {
        let answer = Answer::of(rig.ask(Method::GET, &url).header("range", outside)).await.is(416);
        assert_eq!(answer.header("content-range"), "bytes */5000");
        assert_eq!(answer.json()["status"], 416);
    }
    for whole in ["bytes=5-1", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", ""] {
        let answer = Answer::of(rig.ask(Method::GET, &url).header("range", whole)).await.is(200);
        assert_eq!(answer.body.len(), 5000, "{whole}");
    }
}

#[actix_web::test]
async fn a_known_result_is_not_sent_again() {
    let rig = Rig::start().await;
    let url = format!("/v1/renders/{}/result", finished(&rig).await);
    let etag = rig.get(&url).await.header("etag").to_owned();
    let ask = |name: &'static str, value: &str| rig.ask(Method::GET, &url).header(name, value);
    let known = Answer::of(ask("if-none-match", &etag)).await.is(304);
    assert_eq!((known.body.len(), known.header("etag")), (0, etag.as_str()));
    Answer::of(ask("if-none-match", &format!("\"other\", {etag}"))).await.is(304);
    Answer::of(ask("if-none-match", "\"other\"")).await.is(200);
    // A part of what is not there any more would be of no use.
    Answer::of(ask("if-range", &etag).header("range", "bytes=0-9")).await.is(206);
    Answer::of(ask("if-range", "\"older\"").header("range", "bytes=0-9")).await.is(200);
    let head = Answer::of(rig.ask(Method::HEAD, &url)).await.is(200);
    assert_eq!((head.header("content-length"), head.body.len()), ("5000", 0));
}

#[actix_web::test]
async fn a_result_that_is_not_in_the_store_as_it_was_put_there_is_not_sent() {
    let rig = Rig::start().await;
    let id = finished(&rig).await;
    let blob = BlobKey::new("results/a.mp4").unwrap();
    for damaged in [Bytes::new(), Bytes::from_static(b"half of it")] {
        rig.memory.kept().blobs.insert(blob.clone(), damaged);
        let told = rig.get(&format!("/v1/renders/{id}/result")).await.problem(404, "not-found");
        assert!(told["detail"].as_str().unwrap().ends_with(": render it again"), "{told}");
    }
}

#[actix_web::test]
async fn no_result_is_told_apart_from_not_yet() {
    let rig = Rig::start().await;
    let id = rig.render().await;
    let url = format!("/v1/renders/{id}/result");
    rig.get(&url).await.problem(409, "conflict");
    rig.farm.run(id, 1, 2);
    rig.get(&url).await.problem(409, "conflict");
    rig.farm.end(id, SessionEnd::new(EndReason::Failed, "the encoder failed".to_owned()));
    rig.get(&url).await.problem(404, "not-found");
    let id = finished(&rig).await;
    let removed = Wall(1_795_622_400_123);
    rig.farm.change(id, |session| {
        let output = session.end.as_mut().and_then(|end| end.output.as_mut()).unwrap();
        (output.blob, output.removed) = (None, Some(removed));
    });
    let gone = rig.get(&format!("/v1/renders/{id}/result")).await.problem(410, "gone");
    let detail = gone["detail"].as_str().unwrap();
    assert!(detail.contains("removed at 2026-11-25T16:00:00.123Z"), "{detail}");
    assert!(detail.contains("kept for 7 days (retention.results)"), "{detail}");
    let told = rig.get(&format!("/v1/sessions/{id}")).await.json();
    assert_eq!(told["result"]["removed_at"], "2026-11-25T16:00:00.123Z");
    let id = finished(&rig).await;
    rig.memory.kept().blobs.clear();
    rig.get(&format!("/v1/renders/{id}/result")).await.problem(404, "not-found");
    rig.memory.go_away(true);
    rig.get(&format!("/v1/renders/{id}/result")).await.problem(503, "store-unavailable");
}
