//! An engine whose device fails while sessions run.

use crate::bar::Bar;
use crate::farm::{Farm, hold};
use crate::media::{SAMPLE, metrics, render, upload, wav};
use crate::viewer::Viewer;
use mouthpiece_domain::fleet::{Assignment, WorkerRefusal};
use mouthpiece_domain::live::LineInput;
use mouthpiece_domain::session::{EndReason, Phase, SessionKind, SessionSpec};
use mouthpiece_engine::EngineRecovery;
use mouthpiece_worker::farm::{WorkerFailure, start_engine};
use mouthpiece_worker::metrics::WorkerMetrics;
use mouthpiece_worker::{RtcSettings, WorkerSettings};
use prometheus::{Registry, TextEncoder};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

#[actix_rt::test]
async fn a_live_face_rests_while_the_engine_is_started_again_and_then_speaks() {
    let farm = Farm::new().await;
    let registry = Registry::new();
    let measures = Arc::new(WorkerMetrics::new(&registry).unwrap());
    let rtc = RtcSettings { bind: (Ipv4Addr::LOCALHOST, 0).into(), ..RtcSettings::default() };
    let ((engine, mend), settings) = (Bar::that_fails(), WorkerSettings { rtc, ..farm.settings() });
    let worker = start_engine(engine.clone(), farm.ports.clone(), settings, measures).await.unwrap();
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(1.0)).await;
    let spec = SessionSpec { speech: None, live: Some(Default::default()), ..spec };
    let assignment = Assignment { kind: SessionKind::Live, ..render(hold(&worker, 1, 1, 0), &spec) };
    let hold = farm.assign(&assignment).await;
    farm.hears_phase(hold, Phase::Running).await;
    let mut viewer = Viewer::of(&*farm.ports.questions, hold).await;
    viewer.watch_until("the face at rest", |frames| frames >= 4).await;

    let line = farm.ports.lines.open(&hold).await.unwrap();
    let samples = (0..96_000).map(|i| if i / 40 % 2 == 0 { 9_000 } else { -9_000 }).collect();
    line.up.send(LineInput::Speak { event: None, rate: 16_000, samples }).await.unwrap();
    let shown = || TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    let count = |name: &str| {
        let line = shown().lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0)
    };
    // It is told to speak, and cannot: frames come all the same, with the mouth at rest.
    viewer.watch_until("a face that should speak", |_| count("live_frames_undrawn_total") >= 5).await;
    assert_eq!(engine.spoken(), 0);
    mend.send(Some(EngineRecovery::FellBack { from: "glass", to: "paper", makes: Some(41) })).unwrap();
    viewer.watch_until("a face that speaks", |_| engine.spoken() >= 5).await;
    let told = farm.hears_beat("how it draws", |beat| beat.capability.impaired.is_some()).await;
    let words = "glass failed: paper draws from now on, 41 frames a second";
    assert_eq!(told.capability.impaired.as_deref(), Some(words));
    assert_eq!((worker.capability().slots, told.capability.slots, told.capability.frames_per_second), (2, 1, 41));
    assert!(!told.draining, "it goes on");
    assert_eq!(count("engine_failures_total{outcome=\"fell_back\"}"), 1, "{}", shown());
    worker.drain_and_stop(Duration::ZERO).await.unwrap();
}

#[actix_rt::test]
async fn a_film_waits_for_an_engine_that_is_started_again() {
    let farm = Farm::new().await;
    let (engine, mend) = Bar::that_fails();
    mend.send(Some(EngineRecovery::Restarted { on: "glass" })).unwrap();
    let worker = start_engine(engine.clone(), farm.ports.clone(), farm.settings(), metrics()).await.unwrap();
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(1.0)).await;
    let hold = farm.assign(&render(hold(&worker, 1, 1, 0), &spec)).await;
    let (end, _) = farm.hears_end(hold).await;
    assert_eq!((end.reason, end.output.unwrap().frames), (EndReason::Completed, 25), "no frame is lost");
    assert!(engine.spoken() > 15);
    worker.drain_and_stop(Duration::ZERO).await.unwrap();
}

#[actix_rt::test]
async fn a_worker_whose_engine_is_broken_hands_back_what_it_has_and_says_why() {
    let farm = Farm::new().await;
    let (engine, mend) = Bar::that_fails();
    let worker = start_engine(engine, farm.ports.clone(), farm.settings(), metrics()).await.unwrap();
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(1.0)).await;
    let hold = farm.assign(&render(hold(&worker, 1, 1, 0), &spec)).await;
    farm.hears_phase(hold, Phase::Running).await;
    mend.send(None).unwrap();
    assert_eq!(farm.hears_refusal(hold).await, WorkerRefusal::Leaving, "another worker is to render it");
    assert_eq!(worker.closed().await, Err(WorkerFailure::EngineBroken));
    farm.hears_goodbye(worker.id()).await;
    farm.is_given_back(hold).await;
}
