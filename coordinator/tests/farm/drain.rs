//! A worker that takes nothing new.

use crate::harness::{Rig, eventually, quick};
use crate::worker::{Conduct, Entry};
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_domain::control::WorkerState;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::Phase;

#[actix_rt::test]
async fn a_draining_worker_finishes_what_it_has_and_gets_nothing_new() {
    let rig = Rig::start(quick()).await;
    let draining = rig.worker(2, Conduct::Hold).await;
    let running = rig.submit().await;
    rig.reaches(running, Phase::Running).await;

    assert_eq!(rig.farm.drain(draining.id).await.unwrap(), Some(vec![running]));
    eventually("it was told", async || draining.log().contains(&Entry::Drained).then_some(())).await;
    let view = rig.farm.view().await.unwrap();
    assert_eq!(view.workers[0].state, WorkerState::Draining);

    let waiting = rig.submit().await;
    draining.finish(running);
    rig.reaches(running, Phase::Ended).await;
    assert_eq!(rig.record(waiting).await.phase, Phase::Requested, "two slots are free there, and not for it");

    let other = rig.worker(1, Conduct::Hold).await;
    rig.reaches(waiting, Phase::Running).await;
    assert_eq!(other.began().len(), 1);
    assert_eq!(draining.began().len(), 1);
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_worker_that_nobody_knows_cannot_be_drained() {
    let rig = Rig::start(quick()).await;
    assert_eq!(rig.farm.drain(WorkerId(404)).await.unwrap(), None);
    rig.farm.stop().await;
}
