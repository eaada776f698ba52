//! Health, readiness, metrics.

use crate::rig::{Answer, Rig};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

#[actix_web::test]
async fn readiness_tells_which_store_is_away() {
    let rig = Rig::start().await;
    let bare = async |path: &str| Answer::of(rig.bare(Method::GET, path)).await;
    assert_eq!(bare("/healthz").await.is(200).json(), json!({"status": "ok"}));
    let ready = bare("/readyz").await.is(200).json();
    assert_eq!(
        ready,
        json!({"status": "ready", "checks": {"records": "ok", "bus": "ok", "pool": "ok", "blobs": "ok"}})
    );
    rig.memory.go_away(true);
    // What was found is fresh for a second; then it is found again.
    let found = async {
        loop {
            let answer = bare("/readyz").await;
            if answer.status != 200 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let away = tokio::time::timeout(crate::rig::BOUND, found).await.unwrap().is(503).json();
    assert_eq!((&away["status"], &away["checks"]["bus"]), (&json!("not_ready"), &json!("ok")));
    // Anybody may ask: what is wrong with it, and where it lies, is nobody's business.
    assert_eq!(away["checks"]["records"], "it cannot be used: the log says why");
    bare("/healthz").await.is(200);
}

#[actix_web::test]
async fn a_server_that_is_about_to_stop_is_not_ready() {
    let rig = Rig::start().await;
    Answer::of(rig.bare(Method::GET, "/readyz")).await.is(200);
    rig.api.close();
    Answer::of(rig.bare(Method::GET, "/readyz")).await.is(503);
}

#[actix_web::test]
async fn requests_are_measured_by_route() {
    let rig = Rig::start().await;
    rig.get("/v1/sessions/nonsense").await.is(404);
    rig.get("/v1/nothing").await.is(404);
    Answer::of(rig.ask(Method::from_bytes(b"MADEUP").unwrap(), "/v1/sessions")).await.is(405);
    let answer = Answer::of(rig.bare(Method::GET, "/metrics")).await.is(200);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    for labels in [
        r#"method="GET",route="/v1/sessions/{id}",status="404""#,
        r#"method="GET",route="(none)",status="404""#,
        r#"method="OTHER",route="/v1/sessions",status="405""#,
    ] {
        assert!(text.contains(&format!("http_request_seconds_count{{{labels}}} 1")), "{labels} in\n{text}");
    }
    assert!(!text.contains("nonsense") && !text.contains("MADEUP"));
}

#[actix_web::test]
async fn a_head_is_an_answer_without_body() {
    let rig = Rig::start().await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/", "/docs/"] {
        let head = Answer::of(rig.bare(Method::HEAD, path)).await.is(200);
        assert!(head.body.is_empty() && head.header("content-length") != "0", "{path}");
    }
}
