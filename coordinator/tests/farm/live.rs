//! Live sessions under the rules that all sessions have, and how they end by themselves.

use crate::harness::{Rig, SECOND, accepted, eventually, quick, session, short_leases};
use crate::worker::{Conduct, Entry};
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_domain::live::LiveTerms;
use mouthpiece_domain::session::{EndReason, Fence, Phase, Session, SessionKind, SessionSpec};
use std::sync::Arc;
use std::time::Duration;

fn live() -> Session {
    let plain = session();
    let spec = SessionSpec { speech: None, live: Some(LiveTerms::default()), ..SessionSpec::clone(&plain.spec) };
    Session { kind: SessionKind::Live, spec: Arc::new(spec), queue_timeout: 20 * SECOND, ..plain }
}

fn reason(session: &Session) -> Option<EndReason> {
    session.end.as_ref().map(|end| end.reason)
}

#[actix_rt::test]
async fn it_waits_no_longer_than_it_may() {
    let rig = Rig::start(quick()).await;
    let wanted = Session { queue_timeout: Duration::from_millis(50), ..live() };
    let id = accepted(&rig.farm, wanted).await;
    assert_eq!(reason(&rig.reaches(id, Phase::Ended).await), Some(EndReason::NoCapacity));
    rig.shows("mouthpiece_sessions_ended_total{kind=\"live\",reason=\"no_capacity\"} 1").await;
}

#[actix_rt::test]
async fn it_runs_no_longer_than_it_may() {
    let rig = Rig::start(quick()).await;
    let worker = rig.worker(1, Conduct::Hold).await;
    let wanted = Session { max_duration: Duration::from_millis(150), ..live() };
    let id = accepted(&rig.farm, wanted).await;
    assert_eq!(reason(&rig.reaches(id, Phase::Ended).await), Some(EndReason::MaxDuration));
    let hold = worker.began()[0];
    eventually("it was told to stop", async || worker.log().contains(&Entry::Stopped(hold)).then_some(())).await;
    rig.slots_taken(0).await;
}

#[actix_rt::test]
async fn it_is_cancelled_while_it_runs() {
    let rig = Rig::start(quick()).await;
    let worker = rig.worker(1, Conduct::Hold).await;
    let id = accepted(&rig.farm, live()).await;
    let running = rig.reaches(id, Phase::Running).await;
    assert_eq!(
        (running.place.map(|(worker, _)| worker), running.spec.live),
        (Some(worker.id), Some(LiveTerms::default()))
    );
    rig.farm.cancel(id).await.unwrap();
    assert_eq!(reason(&rig.reaches(id, Phase::Ended).await), Some(EndReason::Cancelled));
    rig.slots_taken(0).await;
}

#[actix_rt::test]
async fn it_runs_elsewhere_when_its_worker_is_lost() {
    let rig = Rig::start(short_leases()).await;
    let first = rig.worker(1, Conduct::Hold).await;
    let id = accepted(&rig.farm, live()).await;
    rig.reaches(id, Phase::Running).await;
    first.fall_silent();
    let second = rig.worker(1, Conduct::Hold).await;
    let moved = eventually("it runs elsewhere", async || {
        let session = rig.record(id).await;
        (session.phase == Phase::Running && session.fence > Fence::FIRST).then_some(session)
    })
    .await;
    assert_eq!((moved.id, moved.place.map(|(worker, _)| worker)), (id, Some(second.id)));
    // What the brain says of it is where its viewers are sent.
    let seen = rig.farm.session(id).await.unwrap().unwrap().session;
    assert_eq!((seen.phase, seen.fence, seen.place), (moved.phase, moved.fence, moved.place));
}

#[actix_rt::test]
async fn it_ends_as_its_worker_says() {
    for why in [EndReason::IdleTimeout, EndReason::ParticipantAbsent, EndReason::ParticipantLeft] {
        let rig = Rig::start(quick()).await;
        let _worker = rig.worker(1, Conduct::End(why)).await;
        let id = accepted(&rig.farm, live()).await;
        assert_eq!(reason(&rig.reaches(id, Phase::Ended).await), Some(why));
        rig.shows(&format!("mouthpiece_sessions_ended_total{{kind=\"live\",reason=\"{}\"}} 1", why.name())).await;
        rig.slots_taken(0).await;
    }
}
