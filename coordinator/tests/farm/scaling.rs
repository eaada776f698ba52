//! The number of workers, where the farm itself starts and stops them.

use crate::harness::{Rig, accepted, eventually, session, short_leases};
use crate::worker::{Conduct, Entry};
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_domain::session::Phase;
use mouthpiece_domain::warm_pool::ScalingMode;
use std::time::Duration;

fn own() -> ControlSettings {
    ControlSettings {
        scaling: ScalingMode::Own,
        warm_workers: 1,
        start_up: Duration::from_millis(100),
        shrink_after: Duration::from_millis(100),
        ..short_leases()
    }
}

#[actix_rt::test]
async fn who_is_not_needed_is_given_back_and_who_works_is_kept() {
    let rig = Rig::start(own()).await;
    let worker = rig.worker(2, Conduct::Hold).await;
    let running = rig.submit().await;
    rig.reaches(running, Phase::Running).await;
    let idle = [rig.worker(2, Conduct::Hold).await, rig.worker(2, Conduct::Hold).await];
    let drained = eventually("one of the idle ones is told to go", async || {
        idle.iter().find(|worker| worker.log().contains(&Entry::Drained))
    })
    .await;
    eventually("the one that leaves is counted", async || {
        (rig.fleet.desired.lock().unwrap().last() == Some(&3)).then_some(())
    })
    .await;
    rig.shows("mouthpiece_decides_on_fleet 1").await;
    assert_eq!(*rig.fleet.retired.lock().unwrap(), [], "its machine is given back when it has left");
    drained.leave().await;
    eventually("its machine is given back, and the number is said again", async || {
        let retired = rig.fleet.retired.lock().unwrap().iter().map(|left| left.worker).eq([drained.id]);
        (retired && rig.fleet.desired.lock().unwrap().last() == Some(&2)).then_some(())
    })
    .await;
    assert!(!worker.log().contains(&Entry::Drained), "it has a session");
    let told = idle.iter().filter(|worker| worker.log().contains(&Entry::Drained)).count();
    assert_eq!(told, 1, "one idle worker is kept");
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn another_coordinator_decides_when_the_first_has_gone() {
    let rig = Rig::start(own()).await;
    rig.shows("mouthpiece_decides_on_fleet 1").await;
    let other = rig.another();
    let worker = rig.worker(2, Conduct::Hold).await;
    for _ in 0..10 {
        accepted(&other, session()).await;
    }
    eventually("the first one hears of the sessions of the other", async || {
        (rig.fleet.desired.lock().unwrap().last() >= Some(&6)).then_some(())
    })
    .await;
    rig.farm.stop().await;
    rig.fleet.desired.lock().unwrap().clear();
    for _ in 0..10 {
        accepted(&other, session()).await;
    }
    eventually("the other one decides now", async || {
        (rig.fleet.desired.lock().unwrap().last() >= Some(&11)).then_some(())
    })
    .await;
    assert!(!worker.log().contains(&Entry::Drained));
    other.stop().await;
}

#[actix_rt::test]
async fn where_nobody_starts_workers_none_is_told_to_go() {
    let rig = Rig::start(ControlSettings { scaling: ScalingMode::Fixed, warm_workers: 0, ..own() }).await;
    let idle = [rig.worker(2, Conduct::Hold).await, rig.worker(2, Conduct::Hold).await];
    let id = rig.submit().await;
    rig.reaches(id, Phase::Running).await;
    let holder = idle.iter().find(|worker| !worker.began().is_empty()).unwrap();
    holder.finish(id);
    rig.reaches(id, Phase::Ended).await;
    eventually("nothing is wanted", async || (rig.farm.view().await.unwrap().desired_workers == 0).then_some(())).await;
    // Much longer than anything here takes: several times the pool was asked.
    let asked = rig.farm.view().await.unwrap().workers[0].up;
    eventually("time passes", async || {
        (rig.farm.view().await.unwrap().workers[0].up > asked + Duration::from_secs(3)).then_some(())
    })
    .await;
    assert!(idle.iter().all(|worker| !worker.log().contains(&Entry::Drained)));
    rig.shows("mouthpiece_decides_on_fleet 0").await;
    rig.farm.stop().await;
}
