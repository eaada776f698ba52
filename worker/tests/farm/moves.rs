//! Sessions that are moved here, and away.

use crate::farm::{Farm, any, hold};
use crate::script::Script;
use mouthpiece_domain::fleet::{Assignment, Hold, RunningSession, WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::session::Phase;
use mouthpiece_worker::farm::RunningWorker;
use std::time::Duration;

/// Claims the slot and has the session prepared, as a coordinator does.
pub async fn prepare(farm: &Farm, assignment: &Assignment) -> Hold {
    assert!(farm.ports.pool.claim(&assignment.hold, assignment.lease.expiry()).await.unwrap());
    farm.tell(assignment.hold.worker, WorkerCommand::Prepare(Box::new(assignment.clone()))).await;
    assignment.hold
}

/// Waits until a worker tells that it has it prepared.
pub async fn is_ready(farm: &Farm, hold: Hold) -> RunningSession {
    let lists = |r: &&RunningSession| (r.session, r.fence, r.prepared) == (hold.session, hold.fence, true);
    let beat = farm.hears_beat("that it is ready", |beat| beat.running.iter().any(|r| lists(&r))).await;
    *beat.running.iter().find(lists).unwrap()
}

fn reports_of(farm: &Farm, hold: Hold) -> usize {
    let is_of = |event: &&WorkerEvent| matches!(event, WorkerEvent::Report(report) if report.hold == hold);
    farm.heard().iter().filter(is_of).count()
}

async fn prepared_worker(farm: &Farm, script: &std::sync::Arc<Script>) -> (RunningWorker, Assignment) {
    let worker = farm.worker_with(script.clone()).await;
    let assignment = any(hold(&worker, 1, 2, 0));
    prepare(farm, &assignment).await;
    (worker, assignment)
}

#[actix_rt::test]
async fn what_is_prepared_is_told_by_heartbeats_only_and_reported_once_it_has_moved() {
    let (farm, script) = (Farm::new().await, Script::new());
    let (_worker, assignment) = prepared_worker(&farm, &script).await;
    let there = assignment.hold;
    let listed = is_ready(&farm, there).await;
    assert_eq!(listed.phase, Phase::Preparing, "it runs elsewhere");
    // A heartbeat later its lease was renewed, and it still waits.
    farm.forget();
    is_ready(&farm, there).await;
    assert_eq!(reports_of(&farm, there), 0);
    farm.send(&assignment).await;
    farm.hears_phase(there, Phase::Running).await;
    farm.send(&assignment).await;
    script.finish(1);
    farm.hears_end(there).await;
    farm.is_given_back(there).await;
    assert_eq!(script.started(), [(1, 2)], "it was begun once");
}

#[actix_rt::test]
async fn what_was_prepared_in_vain_is_let_go_of_and_what_has_moved_is_not() {
    let (farm, script) = (Farm::new().await, Script::new());
    let (worker, assignment) = prepared_worker(&farm, &script).await;
    let there = assignment.hold;
    is_ready(&farm, there).await;
    farm.tell(worker.id(), WorkerCommand::LetGo(there)).await;
    script.saw_stop(1, 2).await;
    farm.is_given_back(there).await;
    farm.forget();
    farm.hears_beat("that nothing runs there", |beat| beat.running.is_empty()).await;
    // The same fence may come again: the queue, or another move, takes it.
    farm.forget();
    prepare(&farm, &assignment).await;
    is_ready(&farm, there).await;
    farm.send(&assignment).await;
    farm.tell(worker.id(), WorkerCommand::LetGo(there)).await;
    farm.hears_phase(there, Phase::Running).await;
    script.finish(1);
    farm.hears_end(there).await;
    assert_eq!(script.started(), [(1, 2), (1, 2)]);
}

#[actix_rt::test]
async fn what_waits_has_no_right_to_a_slot_that_the_pool_gave_to_another() {
    let (farm, script) = (Farm::new().await, Script::new());
    let (worker, assignment) = prepared_worker(&farm, &script).await;
    is_ready(&farm, assignment.hold).await;
    assert!(farm.ports.pool.release(&assignment.hold).await.unwrap());
    let other = farm.assign(&any(hold(&worker, 2, 1, 0))).await;
    farm.hears_phase(other, Phase::Running).await;
    script.saw_stop(1, 2).await;
}

#[actix_rt::test]
async fn what_breaks_while_it_is_prepared_is_no_end_of_the_session() {
    let (farm, script) = (Farm::new().await, Script::new());
    script.panic_in(1);
    let (_worker, assignment) = prepared_worker(&farm, &script).await;
    assert_eq!(farm.hears_refusal(assignment.hold).await, WorkerRefusal::NotPrepared);
    farm.is_given_back(assignment.hold).await;
    assert_eq!(reports_of(&farm, assignment.hold), 0);
}

#[actix_rt::test]
async fn what_was_moved_away_goes_on_unheard_until_it_is_over_and_then_the_worker_leaves() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let here = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    farm.hears_phase(here, Phase::Running).await;
    farm.tell(worker.id(), WorkerCommand::Drain).await;
    let refused = any(hold(&worker, 2, 2, 1));
    prepare(&farm, &refused).await;
    assert_eq!(farm.hears_refusal(refused.hold).await, WorkerRefusal::Draining);
    farm.tell(worker.id(), WorkerCommand::HandOver(here)).await;
    farm.is_given_back(here).await;
    farm.forget();
    farm.hears_beat("that it lists it no more", |beat| beat.running.is_empty()).await;
    // A coordinator that knows only that it runs elsewhere by now may say so: it changes nothing.
    farm.tell(worker.id(), WorkerCommand::Stop(here)).await;
    farm.hears_beat("another heartbeat", |beat| beat.draining).await;
    script.finish(1);
    let last = farm
        .hears("the last word", |event| match event {
            WorkerEvent::HandedOver { hold, delivered, .. } if *hold == here => Some(*delivered),
            _ => None,
        })
        .await;
    assert_eq!(last, Duration::from_secs(1));
    farm.hears_goodbye(worker.id()).await;
    assert_eq!(worker.closed().await, Ok(()));
    assert_eq!(reports_of(&farm, here), 0, "nothing more was reported of it");
}
