//! A coordinator ends, another begins on the same records.

use crate::harness::{Rig, quick, short_leases};
use crate::worker::Conduct;
use mouthpiece_domain::session::{EndReason, Fence, Phase};
use std::time::Duration;

#[actix_rt::test]
async fn open_sessions_are_picked_up() {
    let mut rig = Rig::start(quick()).await;
    let worker = rig.worker(1, Conduct::Hold).await;
    let running = rig.submit().await;
    rig.reaches(running, Phase::Running).await;
    let waiting = rig.submit().await;
    rig.farm.stop().await;

    rig.farm = rig.another();
    worker.finish(running);
    let ended = rig.reaches(running, Phase::Ended).await;
    assert_eq!((ended.fence, ended.end.unwrap().reason), (Fence::FIRST, EndReason::Completed), "it ran on meanwhile");
    rig.reaches(waiting, Phase::Running).await;
    worker.finish(waiting);
    rig.reaches(waiting, Phase::Ended).await;
    assert_eq!(worker.began().len(), 2);
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_coordinator_that_dies_loses_nothing_that_was_accepted() {
    let mut rig = Rig::start(short_leases()).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(rig.submit().await);
    }
    let worker = rig.worker(2, Conduct::Work(Duration::from_millis(20))).await;
    rig.reaches(ids[0], Phase::Ended).await;
    // Replaced while sessions are under way: the old one's last handle is dropped and it ends wherever it stood.
    rig.farm = rig.another();
    for id in ids {
        let ended = rig.reaches(id, Phase::Ended).await;
        assert_eq!(ended.end.unwrap().reason, EndReason::Completed);
    }
    drop(worker);
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn workers_in_the_pool_are_known_at_once() {
    let mut rig = Rig::start(quick()).await;
    rig.farm.stop().await;
    let worker = rig.worker(1, Conduct::Hold).await;
    rig.farm = rig.another();
    let id = rig.submit().await;
    rig.reaches(id, Phase::Running).await;
    assert_eq!(worker.began().len(), 1);
    rig.farm.stop().await;
}
