//! Workers that are lost, leave, or never were.

use crate::harness::{Rig, eventually, short_leases};
use crate::worker::Conduct;
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_domain::control::WorkerState;
use mouthpiece_domain::fleet::{SessionReport, WorkerEvent};
use mouthpiece_domain::session::{EndReason, Fence, FrameProgress, Phase, SessionEnd};
use std::time::Duration;

#[actix_rt::test]
async fn a_lost_workers_session_runs_elsewhere_and_its_late_word_is_refused() {
    let rig = Rig::start(short_leases()).await;
    let lost = rig.worker(1, Conduct::Hold).await;
    let id = rig.submit().await;
    rig.reaches(id, Phase::Running).await;
    let [old, ..] = lost.began()[..] else { panic!("it was given") };
    lost.fall_silent();
    let rescuer = rig.worker(1, Conduct::Hold).await;
    let again = eventually("it runs elsewhere", async || {
        let record = rig.record(id).await;
        (record.fence > Fence::FIRST && record.phase == Phase::Running).then_some(record)
    })
    .await;
    assert_eq!(again.place.unwrap().0, rescuer.id);

    // The lost one comes to itself and claims to have finished.
    let late = SessionReport {
        hold: old,
        phase: Phase::Ended,
        progress: FrameProgress { done: 2, total: 2 },
        delivered: Duration::from_secs(3600),
        sent_bytes: 0,
        end: Some(SessionEnd::new(EndReason::BadInput, None)),
    };
    rig.ports.bus.emit(&WorkerEvent::Report(Box::new(late))).await.unwrap();
    rescuer.finish(id);
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::Completed, "by the one that holds it");
    assert!(ended.fence > old.fence);
    eventually("the lost one is shown as lost", async || {
        let view = rig.farm.view().await.unwrap();
        view.workers.iter().any(|w| w.id == lost.id && w.state == WorkerState::Lost).then_some(())
    })
    .await;
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_worker_that_leaves_gives_its_sessions_back() {
    let rig = Rig::start(short_leases()).await;
    let leaver = rig.worker(1, Conduct::Hold).await;
    let id = rig.submit().await;
    rig.reaches(id, Phase::Running).await;
    let [hold, ..] = leaver.began()[..] else { panic!("it was given") };
    leaver.leave().await;
    eventually("its machine is given back", async || {
        rig.fleet.retired.lock().unwrap().iter().any(|left| left.worker == leaver.id).then_some(())
    })
    .await;
    eventually("its slot is forgotten", async || {
        rig.ports.pool.remaining(&hold).await.unwrap().is_none().then_some(())
    })
    .await;
    let heir = rig.worker(1, Conduct::Work(Duration::from_millis(5))).await;
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!((ended.end.unwrap().reason, ended.place.unwrap().0), (EndReason::Completed, heir.id));
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn what_lies_unread_in_a_removed_queue_is_placed_again() {
    let rig = Rig::start(short_leases()).await;
    let deaf = rig.worker(1, Conduct::Hold).await;
    deaf.fall_silent();
    let id = rig.submit().await;
    rig.reaches(id, Phase::Assigned).await;
    rig.ports.bus.remove(deaf.id).await.unwrap();
    let heir = rig.worker(1, Conduct::Work(Duration::from_millis(5))).await;
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!((ended.end.unwrap().reason, ended.place.unwrap().0), (EndReason::Completed, heir.id));
    assert!(deaf.began().is_empty());
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn a_session_that_is_lost_too_often_ends_as_lost() {
    let rig = Rig::start(mouthpiece_domain::control::ControlSettings { max_attempts: 1, ..short_leases() }).await;
    let lost = rig.worker(1, Conduct::Hold).await;
    let id = rig.submit().await;
    rig.reaches(id, Phase::Running).await;
    lost.fall_silent();
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::Lost);
    rig.farm.stop().await;
}
