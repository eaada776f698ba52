//! No capacity is an answer, in time.

use crate::{farm::Place, fixtures, keys::create, render::long};

#[tokio::test]
async fn a_full_queue_is_told() {
    let mut place = Place::new(&[("worker.slots", "1"), ("coordinator.queue_limit", "1")]);
    let farm = place.up();
    let api = &farm.api;
    let running = api.accepted(&long(600), &[]).await;
    api.rendering(&running).await;
    let waiting = api.accepted(&fixtures::speech(0.4), &[]).await;
    let problem = api.render(&fixtures::speech(0.4), &[]).await.problem(503, "no-capacity");
    assert!(problem["retry_after_s"].as_u64().is_some_and(|s| s > 0), "{problem}");
    // Place is made: the same request is taken.
    api.delete(&format!("/v1/sessions/{waiting}")).await;
    api.ended(&waiting, "cancelled").await;
    api.accepted(&fixtures::speech(0.4), &[]).await;
}

#[tokio::test]
async fn a_caller_has_only_so_many_at_a_time() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let key = create(&place, &["--name", "small", "--max-open", "1"]);
    let small = farm.api.with(&key);
    let first = small.accepted(&long(600), &[]).await;
    small.rendering(&first).await;
    let problem = small.render(&fixtures::speech(0.4), &[]).await.problem(429, "over-quota");
    assert!(problem["detail"].as_str().unwrap().len() > 10, "{problem}");
    // Another caller is not concerned, and sees nothing of it without the scope.
    let other = farm.api.accepted(&fixtures::speech(0.4), &[]).await;
    farm.api.ended(&other, "completed").await;
    small.get(&format!("/v1/sessions/{other}")).await.problem(404, "not-found");
    small.delete(&format!("/v1/sessions/{first}")).await;
    small.ended(&first, "cancelled").await;
    let again = small.accepted(&fixtures::speech(0.4), &[]).await;
    small.ended(&again, "completed").await;
}

#[tokio::test]
async fn nobody_waits_longer_than_asked() {
    let mut place = Place::new(&[("worker.slots", "1")]);
    let farm = place.up();
    let api = &farm.api;
    let running = api.accepted(&long(600), &[]).await;
    api.rendering(&running).await;
    let id = api.accepted(&fixtures::speech(0.4), &[("queue_timeout_s", "1")]).await;
    let ended = api.ended(&id, "no_capacity").await;
    assert!(ended["result"].is_null(), "{ended}");
}
