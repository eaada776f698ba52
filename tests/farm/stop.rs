//! It is asked to end.

use crate::{
    farm::{Place, eventually},
    fixtures,
    render::long,
};

#[tokio::test]
async fn an_idle_farm_ends_at_once() {
    for signal in ["TERM", "INT"] {
        let mut place = Place::new(&[]);
        let farm = place.up();
        farm.signal(signal);
        let (status, log) = farm.ended().await;
        assert_eq!(status.code(), Some(0), "{log}");
    }
}

#[tokio::test]
async fn what_runs_is_finished_within_the_grace() {
    let mut place = Place::new(&[("worker.grace", "60s")]);
    let farm = place.up();
    let id = farm.api.accepted(&long(60), &[]).await;
    farm.api.rendering(&id).await;
    farm.signal("TERM");
    let (status, log) = farm.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
    let farm = place.up();
    let session = farm.api.session(&id).await;
    assert_eq!(session["end"]["reason"], "completed", "{session}\n{log}");
    assert_eq!(session["fence"], 1, "it was not begun again");
}

#[tokio::test]
async fn what_is_not_done_within_the_grace_is_handed_over() {
    let mut place = Place::new(&[("worker.grace", "0s"), ("worker.slots", "1")]);
    let farm = place.up();
    let (running, waiting) =
        (farm.api.accepted(&long(120), &[]).await, farm.api.accepted(&fixtures::speech(0.4), &[]).await);
    farm.api.rendering(&running).await;
    farm.signal("TERM");
    let (status, log) = farm.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
    let farm = place.up();
    farm.api.until(&running, "it was handed over", |s| s["fence"].as_u64().unwrap() > 1).await;
    farm.api.ended(&running, "completed").await;
    farm.api.ended(&waiting, "completed").await;
}

#[tokio::test]
async fn while_it_ends_it_is_not_ready_and_takes_nothing_and_a_second_request_ends_it() {
    let mut place = Place::new(&[("worker.grace", "1h")]);
    let farm = place.up();
    let id = farm.api.accepted(&long(600), &[]).await;
    farm.api.rendering(&id).await;
    farm.signal("TERM");
    let unready = async || {
        let answer = farm.api.get("/readyz").await;
        (answer.status.as_u16() == 503).then(|| answer.json())
    };
    let ready = eventually("readiness fails", unready).await;
    assert_eq!(ready["status"], "not_ready");
    let refused = farm.api.render(&fixtures::speech(0.2), &[]).await;
    assert_eq!(refused.status.as_u16(), 503, "{refused:?}");
    assert_ne!(farm.api.session(&id).await["state"], "ended", "what runs goes on");
    farm.signal("TERM");
    let (status, log) = farm.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
}
