//! An operator takes a worker out of service.

use crate::{
    farm::{Place, eventually},
    fixtures,
    render::long,
};

#[tokio::test]
async fn a_drained_worker_takes_nothing_new_and_another_takes_its_place() {
    let mut place = Place::new(&[("worker.slots", "1")]);
    let farm = place.up();
    let api = &farm.api;
    let running = api.accepted(&long(60), &[]).await;
    let old = api.rendering(&running).await["worker"].as_str().unwrap().to_owned();
    let answer = api.post(&format!("/v1/workers/{old}/drain")).await.is(202).json();
    assert_eq!(
        (&answer["worker"]["id"], &answer["moving"][0]),
        (&old.as_str().into(), &running.as_str().into()),
        "{answer}"
    );
    let next = api.accepted(&fixtures::speech(0.4), &[]).await;

    let done = api.ended(&next, "completed").await;
    assert_ne!(done["worker"], old.as_str(), "{done}");
    api.ended(&running, "completed").await;
    let gone = async || {
        let farm = api.farm().await;
        let workers = farm["workers"].as_array().unwrap();
        workers.iter().all(|w| w["id"] != old.as_str() || w["state"] == "lost").then_some(())
    };
    eventually("the drained worker is gone", gone).await;
}

#[tokio::test]
async fn a_worker_that_is_not_there_cannot_be_drained() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    farm.api.post(&format!("/v1/workers/wrk_{:032x}/drain", 7)).await.problem(404, "not-found");
}
