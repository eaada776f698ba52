//! A caller who wants no more.

use crate::{
    farm::{Place, eventually},
    fixtures,
    render::long,
};

#[tokio::test]
async fn cancelling_a_running_render_frees_its_slot() {
    let mut place = Place::new(&[("worker.slots", "1")]);
    let farm = place.up();
    let api = &farm.api;
    let first = api.accepted(&long(600), &[]).await;
    api.rendering(&first).await;
    let second = api.accepted(&fixtures::speech(0.4), &[]).await;
    let waiting = api.session(&second).await;
    assert_eq!((&waiting["state"], &waiting["queue_position"]), (&"requested".into(), &1.into()), "{waiting}");

    let answer = api.delete(&format!("/v1/renders/{first}")).await;
    assert!([200, 202].contains(&answer.status.as_u16()), "{answer:?}");
    let cancelled = api.ended(&first, "cancelled").await;
    assert!(cancelled["result"].is_null(), "{cancelled}");
    api.ended(&second, "completed").await;
    eventually("no slot is held", async || (api.farm().await["slots"]["taken"] == 0).then_some(())).await;
    // Once more changes nothing.
    assert_eq!(api.delete(&format!("/v1/renders/{first}")).await.is(200).json()["end"]["reason"], "cancelled");
}

#[tokio::test]
async fn a_render_that_waits_can_be_cancelled() {
    let mut place = Place::new(&[("worker.slots", "1")]);
    let farm = place.up();
    let api = &farm.api;
    let first = api.accepted(&long(600), &[]).await;
    api.rendering(&first).await;
    let second = api.accepted(&fixtures::speech(0.4), &[]).await;
    api.delete(&format!("/v1/sessions/{second}")).await;
    let cancelled = api.ended(&second, "cancelled").await;
    assert!(cancelled["worker"].is_null(), "{cancelled}");
    assert_ne!(api.session(&first).await["state"], "ended", "the other goes on");
}
