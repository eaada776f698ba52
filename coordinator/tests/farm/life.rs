//! One session, from its request to its end.

use crate::harness::{Rig, eventually, quick, session};
use crate::worker::{Conduct, DELIVERED, Entry};
use mouthpiece_coordinator::farm::{Farm, FarmNews};
use mouthpiece_domain::control::SubmitAnswer;
use mouthpiece_domain::fleet::WorkerRefusal;
use mouthpiece_domain::ids::{KeyId, SessionId};
use mouthpiece_domain::ledger::Idempotency;
use mouthpiece_domain::session::{EndReason, Fence, Phase};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::records::Period;
use std::time::Duration;

const BRIEFLY: Conduct = Conduct::Work(Duration::from_millis(5));

/// Delivered in all, as the books say.
async fn booked(rig: &Rig, id: SessionId) -> Duration {
    let ever = Period { from: Wall(0), to: Wall(i64::MAX / 2).hour() };
    let usage = rig.books.usage(ever).await.unwrap();
    usage.iter().filter(|entry| entry.session == id).map(|entry| entry.delivered).sum()
}

#[actix_rt::test]
async fn a_session_is_placed_reported_and_ended() {
    let rig = Rig::start(quick()).await;
    let worker = rig.worker(2, BRIEFLY).await;
    let mut news = rig.farm.watch();
    let id = rig.submit().await;
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::Completed);
    assert_eq!((ended.fence, ended.place.unwrap().0), (Fence::FIRST, worker.id));

    let mut phases = Vec::new();
    while phases.last() != Some(&Phase::Ended) {
        if let FarmNews::Session(change) = news.recv().await.unwrap() {
            assert_eq!(change.session.id, id);
            phases.push(change.session.phase);
        }
    }
    assert!(phases.is_sorted(), "{phases:?}");
    for phase in [Phase::Requested, Phase::Assigned, Phase::Preparing, Phase::Running] {
        assert!(phases.contains(&phase), "no news of {phase:?} in {phases:?}");
    }

    rig.slots_taken(0).await;
    let [hold] = worker.began()[..] else { panic!("given once") };
    assert_eq!(rig.ports.pool.remaining(&hold).await.unwrap(), None, "its slot is free");
    assert_eq!(booked(&rig, id).await, DELIVERED);
    assert!(rig.farm.session(id).await.unwrap().is_none(), "the brain lets go of what has ended");
    rig.shows("mouthpiece_sessions_ended_total{kind=\"render\",reason=\"completed\"} 1").await;
    rig.shows("mouthpiece_assign_seconds_count 1").await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn what_is_said_twice_counts_once() {
    let rig = Rig::start(quick()).await;
    let worker = rig.worker(1, Conduct::Twice).await;
    let first = rig.submit().await;
    let second = rig.submit().await;
    for id in [first, second] {
        rig.reaches(id, Phase::Ended).await;
        assert_eq!(booked(&rig, id).await, DELIVERED);
    }
    assert_eq!(worker.began().len(), 2);
    rig.shows("mouthpiece_sessions_ended_total{kind=\"render\",reason=\"completed\"} 2").await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn what_one_worker_refuses_another_gets() {
    let rig = Rig::start(quick()).await;
    let unwilling = rig.worker(2, Conduct::Refuse(WorkerRefusal::Draining)).await;
    let id = rig.submit().await;
    eventually("it was refused", async || (rig.record(id).await.fence > Fence::FIRST).then_some(())).await;
    let willing = rig.worker(1, BRIEFLY).await;
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::Completed);
    assert_eq!(ended.place.unwrap().0, willing.id);
    assert!(unwilling.began().is_empty());
    rig.shows("mouthpiece_requeues_total{cause=\"draining\"} 1").await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_waiting_session_can_be_cancelled() {
    let rig = Rig::start(quick()).await;
    let id = rig.submit().await;
    assert_eq!(rig.farm.session(id).await.unwrap().unwrap().queue_position, Some(1));
    rig.farm.cancel(id).await.unwrap();
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::Cancelled);
    eventually("the queue is empty", async || (rig.farm.view().await.unwrap().queue_length == 0).then_some(())).await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_running_session_can_be_cancelled() {
    let rig = Rig::start(quick()).await;
    let worker = rig.worker(1, Conduct::Hold).await;
    let id = rig.submit().await;
    rig.reaches(id, Phase::Running).await;
    let next = rig.submit().await;
    rig.farm.cancel(id).await.unwrap();
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::Cancelled);
    // Its slot goes to the next one, and the stop never comes after that.
    rig.reaches(next, Phase::Running).await;
    let [first, second] = worker.began()[..] else { panic!("given twice: {:?}", worker.log()) };
    assert_eq!(worker.log(), [Entry::Began(first), Entry::Stopped(first), Entry::Began(second)]);
    worker.finish(next);
    rig.reaches(next, Phase::Ended).await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_repeated_request_makes_one_session() {
    let rig = Rig::start(quick()).await;
    let token = |fingerprint: &str| {
        Some(Idempotency { key: KeyId(1), token: "once".into(), fingerprint: fingerprint.repeat(64) })
    };
    let first = session();
    let id = first.id;
    let answer = rig.farm.submit(first, token("a"), 10).await.unwrap();
    assert!(matches!(answer, SubmitAnswer::Accepted(_)), "{answer:?}");
    match rig.farm.submit(session(), token("a"), 10).await.unwrap() {
        SubmitAnswer::Repeated(session) => assert_eq!(session.id, id),
        other => panic!("made again: {other:?}"),
    }
    assert_eq!(rig.farm.submit(session(), token("b"), 10).await.unwrap(), SubmitAnswer::TokenReused);
    assert_eq!(rig.ports.ledger.open_sessions().await.unwrap().len(), 1);
    rig.farm.stop().await;
}
