//! A farm whose workers have different engines: live sessions move between them.

use crate::bar::Bar;
use crate::farm::{Farm, hold};
use crate::media::{SAMPLE, metrics, render, upload, wav};
use crate::moves::{is_ready, prepare};
use crate::neural;
use crate::viewer::Viewer;
use mouthpiece_domain::fleet::{Assignment, Hold, WorkerCommand, WorkerRefusal};
use mouthpiece_domain::live::LineInput;
use mouthpiece_domain::session::{EndReason, Phase, SessionKind, SessionSpec};
use mouthpiece_engine::Engine;
use mouthpiece_puppet::Puppet;
use mouthpiece_worker::farm::{RunningWorker, start_engine};
use mouthpiece_worker::{RtcSettings, WorkerSettings};
use std::net::Ipv4Addr;
use std::time::Duration;

async fn worker<E: Engine>(farm: &Farm, engine: E) -> RunningWorker {
    let rtc = RtcSettings { bind: (Ipv4Addr::LOCALHOST, 0).into(), ..RtcSettings::default() };
    let settings = WorkerSettings { rtc, ..farm.settings() };
    start_engine(engine, farm.ports.clone(), settings, metrics()).await.unwrap()
}

async fn live_spec(farm: &Farm) -> SessionSpec {
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(1.0)).await;
    SessionSpec { speech: None, live: Some(Default::default()), ..spec }
}

/// Not in the slot that it may have had there before: in that one it is shown until its viewers have gone.
fn live_at(worker: &RunningWorker, fence: u32, spec: &SessionSpec) -> Assignment {
    Assignment { kind: SessionKind::Live, ..render(hold(worker, 1, fence, (fence > 2).into()), spec) }
}

/// Watches the face rest, then speak.
async fn sees_it_speak(farm: &Farm, hold: Hold) {
    let mut viewer = Viewer::of(&*farm.ports.questions, hold).await;
    viewer.watch_until("the face at rest", |frames| frames >= 4).await;
    let line = farm.ports.lines.open(&hold).await.unwrap();
    let samples = wav(2.0)[44..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    line.up.send(LineInput::Speak { event: None, rate: 16_000, samples }).await.unwrap();
    let mut before = None;
    let spoken = |frames: u64| frames >= *before.get_or_insert(frames) + 4;
    viewer.watch_until("the face that speaks", spoken).await;
}

#[actix_rt::test]
async fn a_live_session_moves_from_one_engine_to_another_and_back() {
    let farm = Farm::new().await;
    let (puppet, neural) = (worker(&farm, Puppet::load().unwrap()).await, worker(&farm, neural::engine()).await);
    assert_ne!(puppet.capability().engine, neural.capability().engine);
    let spec = live_spec(&farm).await;
    let mut at = farm.assign(&live_at(&puppet, 1, &spec)).await;
    farm.hears_phase(at, Phase::Running).await;
    sees_it_speak(&farm, at).await;
    for (fence, to) in [(2, &neural), (3, &puppet)] {
        farm.forget();
        let there = live_at(to, fence, &spec);
        prepare(&farm, &there).await;
        is_ready(&farm, there.hold).await;
        farm.send(&there).await;
        farm.hears_phase(there.hold, Phase::Running).await;
        farm.tell(at.worker, WorkerCommand::HandOver(at)).await;
        farm.is_given_back(at).await;
        sees_it_speak(&farm, there.hold).await;
        at = there.hold;
    }
    for worker in [puppet, neural] {
        worker.drain_and_stop(Duration::ZERO).await.unwrap();
    }
}

#[actix_rt::test]
async fn a_session_stays_where_it_is_when_the_other_engine_cannot_use_its_avatar() {
    let farm = Farm::new().await;
    let (puppet, other) =
        (worker(&farm, Puppet::load().unwrap()).await, worker(&farm, Bar::that_takes_no_face()).await);
    let spec = live_spec(&farm).await;
    let here = farm.assign(&live_at(&puppet, 1, &spec)).await;
    farm.hears_phase(here, Phase::Running).await;
    let there = live_at(&other, 2, &spec);
    prepare(&farm, &there).await;
    assert_eq!(farm.hears_refusal(there.hold).await, WorkerRefusal::NotPrepared);
    farm.is_given_back(there.hold).await;
    sees_it_speak(&farm, here).await;
    for worker in [puppet, other] {
        worker.drain_and_stop(Duration::ZERO).await.unwrap();
    }
}

#[actix_rt::test]
async fn a_session_that_is_placed_again_where_its_face_cannot_be_used_is_not_told_that_its_portrait_is_bad() {
    let farm = Farm::new().await;
    let other = worker(&farm, Bar::that_takes_no_face()).await;
    let spec = live_spec(&farm).await;
    let ends = |fence| {
        let (farm, there) = (&farm, live_at(&other, fence, &spec));
        async move {
            let hold = farm.assign(&there).await;
            let (end, _) = farm.hears_end(hold).await;
            farm.is_given_back(hold).await;
            (end.reason, end.detail.unwrap_or_default())
        }
    };
    let (reason, told) = ends(1).await;
    assert_eq!(reason, EndReason::BadInput);
    assert!(told.starts_with("the engine 'bar/1' cannot use this portrait"), "{told}");
    farm.forget();
    // As after a crash of the worker before: the face was used there.
    let (reason, told) = ends(2).await;
    assert_eq!(reason, EndReason::Failed);
    for words in
        ["it was placed again, on a worker whose engine, 'bar/1'", "it is not the one of this test", "Begin it anew"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    other.drain_and_stop(Duration::ZERO).await.unwrap();
}
