//! Records that fail for a while, or for good.

use crate::flaky::Flaky;
use crate::harness::{Rig, quick, session};
use crate::worker::{Conduct, Worker};
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_domain::control::SubmitAnswer;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::{EndReason, Fence, Phase};
use std::sync::{Arc, OnceLock};

async fn rig() -> (Rig, Arc<Flaky>) {
    let flaky = OnceLock::new();
    let rig = Rig::start_with(quick(), |mut ports| {
        let records = flaky.get_or_init(|| Arc::new(Flaky::new(ports.ledger)));
        ports.ledger = Arc::clone(records) as _;
        ports
    })
    .await;
    (rig, flaky.into_inner().unwrap())
}

/// A session that runs until its worker is told to finish it.
async fn running(rig: &Rig) -> (Worker, SessionId) {
    let worker = rig.worker(1, Conduct::Hold).await;
    let id = rig.submit().await;
    rig.reaches(id, Phase::Running).await;
    (worker, id)
}

#[actix_rt::test]
async fn a_store_that_is_away_for_a_moment_is_asked_again() {
    let (rig, flaky) = rig().await;
    flaky.fail_next(2);
    let id = rig.submit().await;
    assert_eq!(rig.record(id).await.phase, Phase::Requested);
    rig.shows("mouthpiece_ledger_errors_total{then=\"retried\"} 2").await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_broken_store_is_an_answer() {
    let (rig, flaky) = rig().await;
    flaky.break_now();
    assert_eq!(rig.farm.submit(session(), None, 10).await.unwrap(), SubmitAnswer::StoreFailed);
    flaky.mend();
    assert!(rig.ports.ledger.open_sessions().await.unwrap().is_empty(), "what was not accepted is not there");
    let id = rig.submit().await;
    assert_eq!(rig.record(id).await.phase, Phase::Requested, "and the farm goes on");
    rig.shows("mouthpiece_ledger_errors_total{then=\"given_up\"} 1").await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn an_end_that_cannot_be_written_is_written_later() {
    let (rig, flaky) = rig().await;
    let (worker, id) = running(&rig).await;
    flaky.break_now();
    worker.finish(id);
    flaky.refused_end().await;
    flaky.mend();
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!((ended.fence, ended.end.unwrap().reason), (Fence::FIRST, EndReason::Completed));
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_cancel_is_answered_when_it_is_on_record() {
    let (rig, flaky) = rig().await;
    let (_worker, id) = running(&rig).await;
    flaky.break_now();
    let meanwhile = async {
        flaky.refused_end().await;
        assert_eq!(rig.record(id).await.phase, Phase::Running);
        flaky.mend();
    };
    let (cancelled, ()) = tokio::join!(rig.farm.cancel(id), meanwhile);
    assert_eq!((cancelled, rig.record(id).await.phase), (Ok(()), Phase::Ended));
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn an_end_whose_coordinator_dies_is_written_by_another() {
    let (mut rig, flaky) = rig().await;
    let (worker, id) = running(&rig).await;
    flaky.break_now();
    worker.finish(id);
    flaky.refused_end().await;
    // It dies with an end that it was told and could not write. (Its successor would fail with it, too, if the records were mended after it came.)
    flaky.mend();
    rig.farm = rig.another();
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!((ended.fence, ended.end.unwrap().reason), (Fence::FIRST, EndReason::Completed), "it is not made again");
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn an_end_of_a_session_that_a_coordinator_does_not_know_is_written_when_the_records_are_back() {
    let (mut rig, flaky) = rig().await;
    let (worker, id) = running(&rig).await;
    flaky.break_now();
    rig.farm = rig.another();
    worker.finish(id);
    flaky.refused_end().await;
    flaky.mend();
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!((ended.fence, ended.end.unwrap().reason), (Fence::FIRST, EndReason::Completed));
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_placement_that_cannot_be_written_is_made_again() {
    let (rig, flaky) = rig().await;
    let id = rig.submit().await;
    flaky.break_now();
    let worker = rig.worker(1, Conduct::Hold).await;
    flaky.refused_assign().await;
    flaky.mend();
    rig.reaches(id, Phase::Running).await;
    worker.finish(id);
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::Completed);
    rig.farm.stop().await;
}
