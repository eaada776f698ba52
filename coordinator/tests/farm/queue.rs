//! When there is not enough room.

use crate::harness::{Rig, SECOND, accepted, eventually, quick, session};
use crate::worker::Conduct;
use mouthpiece_coordinator::farm::{Farm, FarmError};
use mouthpiece_domain::control::{ControlSettings, SubmitAnswer};
use mouthpiece_domain::session::{EndReason, Phase};
use std::time::Duration;
use tokio::sync::broadcast::error::TryRecvError;

#[actix_rt::test]
async fn who_waits_too_long_is_told_that_there_is_no_capacity() {
    let rig = Rig::start(quick()).await;
    let mut impatient = session();
    impatient.queue_timeout = Duration::from_millis(50);
    let id = accepted(&rig.farm, impatient).await;
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::NoCapacity);
    rig.shows("mouthpiece_sessions_ended_total{kind=\"render\",reason=\"no_capacity\"} 1").await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_full_queue_answers_at_once() {
    let rig = Rig::start(ControlSettings { queue_limit: 3, ..quick() }).await;
    for _ in 0..3 {
        rig.submit().await;
    }
    match rig.farm.submit(session(), None, u32::MAX).await.unwrap() {
        SubmitAnswer::NoCapacity { retry_after } => assert!(retry_after > Duration::ZERO),
        other => panic!("the queue was full: {other:?}"),
    }
    let view = rig.farm.view().await.unwrap();
    assert_eq!((view.queue_length, view.queue_limit), (3, 3));
    assert_eq!(rig.ports.ledger.open_sessions().await.unwrap().len(), 3, "the refused one left nothing");
    rig.shows("mouthpiece_queue_length 3").await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_caller_has_only_so_many_open() {
    let rig = Rig::start(quick()).await;
    let submit = || rig.farm.submit(session(), None, 1);
    assert!(matches!(submit().await.unwrap(), SubmitAnswer::Accepted(_)));
    match submit().await.unwrap() {
        SubmitAnswer::OverQuota { open, retry_after } => assert!(open == 1 && retry_after <= 600 * SECOND),
        other => panic!("over quota: {other:?}"),
    }
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn the_fleet_is_asked_for_what_the_queue_needs() {
    let rig = Rig::start(ControlSettings { warm_workers: 1, ..quick() }).await;
    for _ in 0..8 {
        rig.submit().await;
    }
    let wanted = rig.farm.view().await.unwrap().desired_workers;
    assert!(wanted >= 4, "8 sessions, two a worker: {wanted}");
    eventually("the fleet knows", async || (rig.fleet.desired.lock().unwrap().last() == Some(&wanted)).then_some(()))
        .await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_stopped_farm_says_so() {
    let rig = Rig::start(quick()).await;
    let worker = rig.worker(1, Conduct::Hold).await;
    let id = rig.submit().await;
    rig.reaches(id, Phase::Running).await;
    let mut news = rig.farm.watch();
    rig.farm.stop().await;
    rig.farm.stop().await;
    assert_eq!(rig.farm.submit(session(), None, 1).await, Err(FarmError::Stopped));
    assert_eq!(rig.farm.view().await, Err(FarmError::Stopped));
    eventually("the news end", async || matches!(news.try_recv(), Err(TryRecvError::Closed)).then_some(())).await;
    assert_eq!(rig.record(id).await.phase, Phase::Running, "it is not ended: whoever starts next has it");
    drop(worker);
}
