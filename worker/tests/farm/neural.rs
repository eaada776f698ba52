//! The neural engine, on the twins of its graphs, through what was written for any engine.

use crate::farm::{Farm, hold};
use crate::media::{SAMPLE, metrics, render, upload, wav};
use crate::viewer::Viewer;
use image::RgbImage;
use mouthpiece_domain::fleet::Assignment;
use mouthpiece_domain::frame::FrameSize;
use mouthpiece_domain::live::LineInput;
use mouthpiece_domain::session::{Phase, SessionKind, SessionSpec};
use mouthpiece_media::video::VideoReader;
use mouthpiece_musetalk::{DecoderChoice, MuseTalk, MuseTalkSettings, Provider};
use mouthpiece_worker::farm::start_engine;
use mouthpiece_worker::{RenderOptions, RtcSettings, WorkerSettings, render_with};
use std::net::Ipv4Addr;
use std::time::Duration;

/// The engine with the smaller decoder, on the processor.
pub fn engine() -> MuseTalk {
    let mut settings = MuseTalkSettings::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/twins"));
    settings.networks.provider = Some(Provider::Cpu);
    settings.networks.decoder = DecoderChoice::Tiny;
    MuseTalk::load(settings).unwrap()
}

/// The mean difference of two frames in a part of them, of 255. Sides are shares of the frame's.
fn apart(a: &RgbImage, b: &RgbImage, [x0, y0, x1, y1]: [f64; 4]) -> f64 {
    let (w, h) = (f64::from(a.width()), f64::from(a.height()));
    let (mut sum, mut n) = (0.0, 0.0);
    for y in (y0 * h) as u32..(y1 * h) as u32 {
        for x in (x0 * w) as u32..(x1 * w) as u32 {
            for (a, b) in a.get_pixel(x, y).0.iter().zip(b.get_pixel(x, y).0) {
                sum += f64::from(a.abs_diff(b));
                n += 1.0;
            }
        }
    }
    sum / f64::max(n, 1.0)
}

/// Where the sample's mouth and chin are, and where her hair and eyes are.
const MOUTH: [f64; 4] = [0.42, 0.38, 0.58, 0.46];
const ABOVE: [f64; 4] = [0.0, 0.0, 1.0, 0.26];

#[test]
fn the_neural_engine_makes_a_film() {
    let folder = tempfile::tempdir().unwrap();
    let [portrait, speech, output] = ["a.png", "a.wav", "a.mp4"].map(|name| folder.path().join(name));
    std::fs::write(&portrait, SAMPLE).unwrap();
    // Half a second of silence, then a voice.
    let mut sound = wav(1.5).to_vec();
    sound[44..44 + 16_000].fill(0);
    std::fs::write(&speech, sound).unwrap();
    let options = RenderOptions { size: FrameSize::new(256).unwrap(), ..RenderOptions::default() };
    let made = render_with(engine(), &portrait, &speech, &output, &options, &mut |_| true).unwrap();
    assert_eq!(made.frames, 38, "1.5 s at 25 a second, the last one begun");
    let frames = VideoReader::open(&output).unwrap().read_clip(25.0, 100).unwrap().frames;
    let still = &frames[0];
    for (i, frame) in frames.iter().enumerate().take(6) {
        assert!(apart(still, frame, MOUTH) < 3.0, "frame {i} is silent");
    }
    let speaking = &frames[16..34];
    assert!(speaking.iter().all(|frame| apart(still, frame, MOUTH) > 6.0), "the mouth is drawn");
    let moves = speaking.windows(2).filter(|pair| apart(&pair[0], &pair[1], MOUTH) > 0.5).count();
    assert!(moves > 8, "it follows the sound: {moves} of {}", speaking.len() - 1);
    for (i, frame) in frames.iter().enumerate() {
        let above = apart(still, frame, ABOVE);
        assert!(above < 3.0, "frame {i}: nothing else changes, but {above}");
    }
}

#[actix_rt::test]
async fn the_neural_engine_lives() {
    let farm = Farm::new().await;
    let rtc = RtcSettings { bind: (Ipv4Addr::LOCALHOST, 0).into(), ..RtcSettings::default() };
    let settings = WorkerSettings { rtc, ..farm.settings() };
    let worker = start_engine(engine(), farm.ports.clone(), settings, metrics()).await.unwrap();
    assert_eq!(worker.capability().engine, "musetalk/1");
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(1.0)).await;
    let spec = SessionSpec { speech: None, live: Some(Default::default()), ..spec };
    let assignment = Assignment { kind: SessionKind::Live, ..render(hold(&worker, 1, 1, 0), &spec) };
    let hold = farm.assign(&assignment).await;
    farm.hears_phase(hold, Phase::Running).await;

    let mut viewer = Viewer::of(&*farm.ports.questions, hold).await;
    viewer.watch_until("the face at rest", |frames| frames >= 4).await;
    let line = farm.ports.lines.open(&hold).await.unwrap();
    let sound = wav(2.0);
    let samples = sound[44..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    line.up.send(LineInput::Speak { event: None, rate: 16_000, samples }).await.unwrap();
    let mut before = None;
    let spoken = |frames: u64| frames >= *before.get_or_insert(frames) + 4;
    viewer.watch_until("the face that speaks", spoken).await;
    worker.drain_and_stop(Duration::ZERO).await.unwrap();
}
