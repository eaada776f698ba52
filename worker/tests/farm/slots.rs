//! Assignments: taken once, refused with a reason, stopped at a word.

use crate::farm::{Farm, any, hold};
use crate::script::Script;
use mouthpiece_domain::fleet::{WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::session::{EndReason, FrameProgress, Phase};
use std::time::Duration;

#[actix_rt::test]
async fn a_session_is_reported_from_its_lease_to_its_end() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let beat = farm.hears_beat("the first heartbeat", |_| true).await;
    assert_eq!((beat.worker, beat.capability.slots, beat.resident), (worker.id(), 2, vec!["a face".to_owned()]));
    let hold = farm.assign(&any(hold(&worker, 1, 1, 1))).await;
    let running = farm.hears_phase(hold, Phase::Running).await;
    assert!(running.end.is_none());
    let beat = farm.hears_beat("that it runs", |b| !b.running.is_empty()).await;
    assert_eq!((beat.running[0].session, beat.running[0].slot), (hold.session, hold.slot));
    script.finish(1);
    let (end, report) = farm.hears_end(hold).await;
    assert_eq!((end.reason, end.output.unwrap().frames), (EndReason::Completed, 100));
    assert_eq!((report.progress, report.delivered), (FrameProgress { done: 100, total: 100 }, Duration::from_secs(4)));
    farm.is_given_back(hold).await;
    let phases: Vec<Phase> = farm
        .heard()
        .iter()
        .filter_map(|e| match e {
            WorkerEvent::Report(r) => Some(r.phase),
            _ => None,
        })
        .collect();
    assert!(phases.is_sorted(), "{phases:?}");
}

#[actix_rt::test]
async fn an_assignment_that_comes_twice_runs_once() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let assignment = any(hold(&worker, 1, 1, 0));
    let hold = farm.assign(&assignment).await;
    farm.send(&assignment).await;
    farm.hears_phase(hold, Phase::Running).await;
    script.finish(1);
    farm.hears_end(hold).await;
    farm.is_given_back(hold).await;
    farm.send(&assignment).await;
    // Commands are taken in order: when this one was answered, the repeated one was too.
    let other = farm.assign(&any(crate::farm::hold(&worker, 2, 1, 0))).await;
    farm.hears_phase(other, Phase::Running).await;
    assert_eq!(script.started(), [(1, 1), (2, 1)]);
}

#[actix_rt::test]
async fn what_cannot_be_taken_is_refused_with_the_reason() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let first = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    farm.hears_phase(first, Phase::Running).await;
    let taken = farm.send(&any(hold(&worker, 2, 1, 0))).await;
    assert_eq!(farm.hears_refusal(taken).await, WorkerRefusal::SlotTaken);
    let nowhere = farm.send(&any(hold(&worker, 3, 1, 9))).await;
    assert_eq!(farm.hears_refusal(nowhere).await, WorkerRefusal::SlotTaken);
    let unclaimed = farm.send(&any(hold(&worker, 4, 1, 1))).await;
    assert_eq!(farm.hears_refusal(unclaimed).await, WorkerRefusal::LeaseLost);
    assert_eq!(script.started(), [(1, 1)]);
}

#[actix_rt::test]
async fn a_newer_placement_replaces_an_older_one() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let old = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    farm.hears_phase(old, Phase::Running).await;
    let new = farm.assign(&any(hold(&worker, 1, 2, 1))).await;
    farm.hears_phase(new, Phase::Running).await;
    script.saw_stop(1, 1).await;
    farm.is_given_back(old).await;
    farm.send(&any(old)).await;
    script.finish(1);
    farm.hears_end(new).await;
    assert_eq!(script.started(), [(1, 1), (1, 2)]);
}

#[actix_rt::test]
async fn a_stop_frees_the_slot_and_nothing_more_is_said() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let hold = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    farm.hears_phase(hold, Phase::Running).await;
    farm.hears_beat("that it runs", |b| !b.running.is_empty()).await;
    farm.forget();
    farm.tell(worker.id(), WorkerCommand::Stop(hold)).await;
    farm.hears_beat("that the slot is free", |b| b.running.is_empty()).await;
    script.saw_stop(1, 1).await;
    farm.is_given_back(hold).await;
    let next = farm.assign(&any(crate::farm::hold(&worker, 2, 1, 0))).await;
    farm.hears_phase(next, Phase::Running).await;
    let said = |e: &&WorkerEvent| matches!(e, WorkerEvent::Report(r) if r.hold == hold && r.phase == Phase::Ended);
    assert_eq!(farm.heard().iter().filter(said).count(), 0);
}

#[actix_rt::test]
async fn a_stop_that_overtakes_its_assignment_is_remembered() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let assignment = any(hold(&worker, 1, 1, 0));
    farm.tell(worker.id(), WorkerCommand::Stop(assignment.hold)).await;
    farm.send(&assignment).await;
    let other = farm.assign(&any(hold(&worker, 2, 1, 1))).await;
    farm.hears_phase(other, Phase::Running).await;
    assert_eq!(script.started(), [(2, 1)]);
}

#[actix_rt::test]
async fn work_that_panics_ends_as_failed_and_the_slot_goes_on() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    script.panic_in(1);
    let hold = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    let (end, _) = farm.hears_end(hold).await;
    assert_eq!(end.reason, EndReason::Failed);
    assert!(end.detail.unwrap().contains("broke in the worker"));
    farm.is_given_back(hold).await;
    let next = farm.assign(&any(crate::farm::hold(&worker, 2, 1, 0))).await;
    farm.hears_phase(next, Phase::Running).await;
}

#[actix_rt::test]
async fn a_worker_is_listed_in_the_pool() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script).await;
    farm.hears_beat("the first heartbeat", |_| true).await;
    let listed = farm.ports.pool.workers().await.unwrap();
    assert_eq!(listed.iter().map(|b| b.worker).collect::<Vec<_>>(), [worker.id()]);
    assert!(farm.ports.bus.send(worker.id(), &WorkerCommand::Drain).await.is_ok());
    farm.hears_goodbye(worker.id()).await;
    assert!(farm.ports.pool.workers().await.unwrap().is_empty());
    assert_eq!(worker.closed().await, Ok(()));
}
