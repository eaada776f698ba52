//! Leaving: nothing new, what runs is finished or handed over, goodbye.

use crate::farm::{Farm, any, hold};
use crate::script::Script;
use mouthpiece_domain::fleet::{WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::session::Phase;
use mouthpiece_ports::bus::BusError;
use std::time::Duration;

#[actix_rt::test]
async fn a_draining_worker_finishes_what_runs_and_takes_nothing_new() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let running = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    farm.hears_phase(running, Phase::Running).await;
    farm.tell(worker.id(), WorkerCommand::Drain).await;
    farm.hears_beat("that it drains", |b| b.draining).await;
    let late = farm.send(&any(hold(&worker, 2, 1, 1))).await;
    assert_eq!(farm.hears_refusal(late).await, WorkerRefusal::Draining);
    script.finish(1);
    let (_, told) = farm.hears_end(running).await;
    assert_eq!(farm.hears_goodbye(worker.id()).await, [told], "should the coordinator that was told be cut off");
    assert_eq!(worker.closed().await, Ok(()));
    let sent = farm.ports.bus.send(worker.id(), &WorkerCommand::Drain).await;
    assert_eq!(sent, Err(BusError::Unroutable(worker.id())));
    assert_eq!(script.started(), [(1, 1)]);
}

#[actix_rt::test]
async fn a_worker_that_must_go_hands_its_sessions_over() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let running = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    farm.hears_phase(running, Phase::Running).await;
    assert_eq!(worker.drain_and_stop(Duration::ZERO).await, Ok(()));
    assert_eq!(farm.hears_refusal(running).await, WorkerRefusal::Leaving);
    script.saw_stop(1, 1).await;
    farm.hears_goodbye(worker.id()).await;
    farm.is_given_back(running).await;
    let last = farm.heard().pop().unwrap();
    assert_eq!(last, WorkerEvent::Goodbye { worker: worker.id(), ended: Vec::new() }, "goodbye is the last word");
}

#[actix_rt::test]
async fn within_its_grace_a_session_may_end() {
    let (farm, script) = (Farm::new().await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let running = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    farm.hears_phase(running, Phase::Running).await;
    let (stopped, ()) = tokio::join!(worker.drain_and_stop(crate::farm::SOON), async {
        farm.hears_beat("that it drains", |b| b.draining).await;
        script.finish(1);
    });
    assert_eq!(stopped, Ok(()));
    farm.hears_end(running).await;
    farm.hears_goodbye(worker.id()).await;
}
