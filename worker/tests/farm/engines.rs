//! A second engine through everything that was written for any: what is in `bar/` is all that it takes.

use crate::bar::{Bar, WIDTH};
use crate::farm::{Farm, SOON, hold};
use crate::media::{SAMPLE, key, metrics, render, upload, wav};
use crate::viewer::Viewer;
use bytes::Bytes;
use mouthpiece_domain::fleet::Assignment;
use mouthpiece_domain::frame::FrameSize;
use mouthpiece_domain::live::LineInput;
use mouthpiece_domain::session::{EndReason, Phase, SessionKind, SessionSpec};
use mouthpiece_media::video::VideoReader;
use mouthpiece_worker::farm::{StartError, start, start_engine};
use mouthpiece_worker::metrics::WorkerMetrics;
use mouthpiece_worker::{RenderOptions, RtcSettings, WorkerSettings, render_with};
use prometheus::{Registry, TextEncoder};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A second of silence, then a second of a voice.
fn silence_then_voice() -> Bytes {
    let mut wav = wav(2.0).to_vec();
    wav[44..44 + 32_000].fill(0);
    wav.into()
}

/// How high the bar stands in each frame of a video, in pixels.
fn bars(video: &Path) -> Vec<u32> {
    let frames = VideoReader::open(video).unwrap().read_clip(25.0, 1000).unwrap().frames;
    let height = |frame: &image::RgbImage| {
        (0..frame.height()).filter(|y| frame.get_pixel(WIDTH as u32 / 2, *y).0[1] > 128).count() as u32
    };
    frames.iter().map(height).collect()
}

/// The bar is where the voice is, and nowhere else; frames whose window reaches over the border are not judged.
fn follow_the_voice(bars: &[u32]) {
    assert_eq!(bars.len(), 50);
    assert!(bars[..23].iter().all(|rows| *rows == 0), "{bars:?}");
    let (least, most) = (bars[27..48].iter().min().unwrap(), bars[27..48].iter().max().unwrap());
    assert!(*most >= 10 && least < most, "it rises and falls: {bars:?}");
}

#[test]
fn another_engine_makes_a_film() {
    let folder = tempfile::tempdir().unwrap();
    let [portrait, speech, output] = ["a.png", "a.wav", "a.mp4"].map(|name| folder.path().join(name));
    std::fs::write(&portrait, SAMPLE).unwrap();
    std::fs::write(&speech, silence_then_voice()).unwrap();
    let (engine, options) =
        (Bar::default(), RenderOptions { size: FrameSize::new(128).unwrap(), ..RenderOptions::default() });
    let made = render_with(engine.clone(), &portrait, &speech, &output, &options, &mut |_| true).unwrap();
    assert_eq!((made.frames, made.width, made.height), (50, 128, 128));
    follow_the_voice(&bars(&output));
    assert!((20..=26).contains(&engine.spoken()), "{}", engine.spoken());
}

#[actix_rt::test]
async fn a_worker_runs_another_engine() {
    let farm = Farm::new().await;
    let (engine, settings) = (Bar::default(), WorkerSettings { measure: true, ..farm.settings() });
    let worker = start_engine(engine.clone(), farm.ports.clone(), settings, metrics()).await.unwrap();
    let offer = worker.capability();
    assert!(offer.engine == "bar/1" && offer.frames_per_second > 0, "{offer:?}");
    assert!(engine.spoken() > 0, "it was measured at work");
    let spec = upload(&*farm.ports.blobs, SAMPLE, silence_then_voice()).await;
    let hold = farm.assign(&render(hold(&worker, 1, 1, 0), &spec)).await;
    let (end, _) = farm.hears_end(hold).await;
    assert_eq!((end.reason, &end.detail), (EndReason::Completed, &None));
    let (blob, copy) = (end.output.unwrap().blob.unwrap(), tempfile::tempdir().unwrap());
    follow_the_voice(&bars(&farm.ports.blobs.local(&blob, copy.path()).await.unwrap()));
    worker.drain_and_stop(Duration::ZERO).await.unwrap();
}

#[actix_rt::test]
async fn what_an_engine_kept_of_an_avatar_is_not_made_again_unless_it_is_damaged() {
    let farm = Farm::new().await;
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(0.2)).await;
    let folder = format!("avatars/{}/{}", &spec.content[..2], spec.content);
    let kept = key(&format!("{folder}/bar-1-128-0.7.kept"));
    // Each time a worker of its own, with nothing in memory; how often its engine prepared the avatar.
    let film = async |session: u128| {
        let engine = Bar::default();
        let worker = start_engine(engine.clone(), farm.ports.clone(), farm.settings(), metrics()).await.unwrap();
        let hold = farm.assign(&render(hold(&worker, session, 1, 0), &spec)).await;
        assert_eq!(farm.hears_end(hold).await.0.reason, EndReason::Completed);
        worker.drain_and_stop(Duration::ZERO).await.unwrap();
        (engine.prepared(), farm.ports.blobs.get(&kept, 100).await.unwrap())
    };
    let good = Bytes::from_static(&[42]);
    assert_eq!(film(1).await, (1, good.clone()), "made and stored");
    assert_eq!(film(2).await, (0, good.clone()), "not made again");
    farm.ports.blobs.delete(&kept).await.unwrap();
    farm.ports.blobs.put(&kept, Bytes::from_static(b"damaged")).await.unwrap();
    assert_eq!(film(3).await, (1, good.clone()), "made anew, and mended");
    farm.ports.blobs.delete(&kept).await.unwrap();
    assert_eq!(film(4).await, (1, good), "of an avatar that was prepared before anything was kept");
}

#[actix_rt::test]
async fn a_device_with_little_memory_has_fewer_slots_and_one_with_too_little_no_worker() {
    let farm = Farm::new().await;
    let (registry, settings) = (Registry::new(), WorkerSettings { slots: 4, ..farm.settings() });
    let measures = Arc::new(WorkerMetrics::new(&registry).unwrap());
    // Four gibibytes of buffers: three frames are drawn as four, which do not fit.
    let engine = Bar::on_a_device(3 << 29);
    let worker = start_engine(engine, farm.ports.clone(), settings.clone(), measures).await.unwrap();
    assert_eq!(worker.capability().slots, 2);
    let shown = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    for line in [
        "engine_memory_bytes{part=\"weights\"} 1073741824",
        "engine_memory_bytes{part=\"buffers\"} 3221225472",
        "engine_memory_limit_bytes{part=\"buffers\"} 4294967296",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} of {shown}");
    }
    worker.drain_and_stop(Duration::ZERO).await.unwrap();
    let refused = start_engine(Bar::on_a_device(5 << 30), farm.ports.clone(), settings, metrics()).await;
    let told = refused.err().unwrap().to_string();
    assert!(told.contains("a frame takes 5.00 GiB") && told.contains("neural.memory_buffers"), "{told}");
}

#[actix_rt::test]
async fn another_engine_lives() {
    let farm = Farm::new().await;
    let rtc = RtcSettings { bind: (Ipv4Addr::LOCALHOST, 0).into(), ..RtcSettings::default() };
    let (engine, settings) = (Bar::default(), WorkerSettings { rtc, ..farm.settings() });
    let worker = start_engine(engine.clone(), farm.ports.clone(), settings, metrics()).await.unwrap();
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(1.0)).await;
    let spec = SessionSpec { speech: None, live: Some(Default::default()), ..spec };
    let assignment = Assignment { kind: SessionKind::Live, ..render(hold(&worker, 1, 1, 0), &spec) };
    let hold = farm.assign(&assignment).await;
    farm.hears_phase(hold, Phase::Running).await;

    let mut viewer = Viewer::of(&*farm.ports.questions, hold).await;
    viewer.watch_until("the face at rest", |frames| frames >= 10).await;
    assert_eq!(engine.spoken(), 0, "silence needs no engine");
    let line = farm.ports.lines.open(&hold).await.unwrap();
    let samples = (0..16_000).map(|i| if i / 40 % 2 == 0 { 9_000 } else { -9_000 }).collect();
    line.up.send(LineInput::Speak { event: None, rate: 16_000, samples }).await.unwrap();
    viewer.watch_until("what was said", |_| engine.spoken() >= 10).await;
    worker.drain_and_stop(Duration::ZERO).await.unwrap();
}

#[actix_rt::test]
async fn an_unknown_engine_is_refused_with_those_that_there_are() {
    let farm = Farm::new().await;
    let settings = WorkerSettings { engine: "magic".to_owned(), ..farm.settings() };
    let refused = tokio::time::timeout(SOON, start(farm.ports.clone(), settings, metrics())).await.unwrap();
    let Err(StartError::Work(error)) = refused.map(drop) else { panic!("it started, or failed otherwise") };
    assert!(error.to_string().starts_with("there is no engine 'magic': known are puppet"), "{error}");
}
