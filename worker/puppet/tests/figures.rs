//! Figures of the live path: how well the lips follow without a future, and what a session costs.
//!
//! `cargo test --release -p mouthpiece-puppet --test figures -- --ignored --nocapture --test-threads 1`; further
//! recordings are taken from the variable `SPEECH`, separated by commas.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod film;
mod sound;

use film::TestFilm;
use mouthpiece_engine::life::{Life, Liveliness};
use mouthpiece_engine::{Artist, Ear, Engine, HeardCue, OwnEngine};
use mouthpiece_media::encode::{self, EncoderChoice, EncoderQuality, EncoderSettings};
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_media::features::VisemeNet;
use mouthpiece_media::image::{I420, PortraitLimits, load_portrait};
use mouthpiece_media::quality::{EvaluationExtras, evaluate};
use mouthpiece_media::reference::{PrepareOptions, PreparedReference};
use mouthpiece_puppet::{MouthShape, Puppet, PuppetAvatar, PuppetEar};
use sound::{FPS, closures, compare, recording, sample};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

fn recordings() -> Vec<PathBuf> {
    let more = std::env::var("SPEECH").unwrap_or_default();
    let more = more.split(',').filter(|p| !p.is_empty()).map(PathBuf::from);
    std::iter::once(sample("speech.wav")).chain(more).collect()
}

fn listen(ear: &mut PuppetEar, samples: &[f32]) -> Vec<HeardCue<MouthShape>> {
    let mut heard = Vec::new();
    for piece in samples.chunks(320) {
        ear.hear(piece);
        while let Some(h) = ear.cue((heard.len() as f64 + 0.5) / FPS) {
            heard.push(h);
        }
    }
    ear.finish();
    while (heard.len() as f64 + 0.5) / FPS < samples.len() as f64 / 16_000.0 {
        heard.push(ear.cue((heard.len() as f64 + 0.5) / FPS).unwrap());
    }
    heard
}

/// Both ears' answers to a recording: live, recorded.
fn both(path: &Path) -> ([Vec<HeardCue<MouthShape>>; 2], Vec<f32>) {
    let (samples, level) = recording(path);
    let net = Arc::new(VisemeNet::shipped().unwrap());
    let live = listen(&mut PuppetEar::live(Arc::clone(&net)), &samples);
    let recorded = listen(&mut PuppetEar::new(net, level, 200), &samples);
    ([live, recorded], samples)
}

/// Root mean square of the second differences.
fn rough(values: &[f32]) -> f32 {
    let squares: f32 = values.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).powi(2)).sum();
    (squares / values.len() as f32).sqrt()
}

/// One part of a shape.
type Part = fn(&HeardCue<MouthShape>) -> f32;

#[test]
#[ignore = "a measurement"]
fn live_curves_against_recorded_ones() {
    for path in recordings() {
        let ([live, recorded], _) = both(&path);
        println!("{}", path.file_stem().unwrap().display());
        let parts: [(&str, Part); 5] = [
            ("jaw", |h| h.cue.jaw),
            ("lower lip", |h| h.cue.lower_lip_down),
            ("wide", |h| h.cue.wide),
            ("pucker", |h| h.cue.pucker),
            ("press", |h| h.cue.press),
        ];
        for (name, part) in parts {
            let [a, b] = [&live, &recorded].map(|heard| heard.iter().map(part).collect::<Vec<f32>>());
            let got = compare(&a, &b);
            let restless = rough(&a) / rough(&b);
            println!(
                "  {name}: correlation {:.3}, {:+.1} ms, {restless:.2} times as restless",
                got.correlation, got.offset_ms
            );
        }
        if path == sample("speech.wav") {
            println!("  closures: {:.3} live, {:.3} recorded", closures(&live), closures(&recorded));
        }
    }
}

/// The sample portrait, `size` pixels wide or high.
fn avatar(size: u32) -> Arc<PuppetAvatar> {
    let picture = load_portrait(&sample("portrait.png"), &PortraitLimits::default()).unwrap();
    let longer = picture.width().max(picture.height());
    let [w, h] = [picture.width(), picture.height()].map(|s| s * size / longer);
    let picture = image::imageops::resize(&picture, w, h, image::imageops::FilterType::CatmullRom);
    let mut finder = FaceFinder::new(&Runtime::get().unwrap()).unwrap();
    let options = PrepareOptions { size, ..PrepareOptions::default() };
    let prepared = PreparedReference::from_portrait(&picture, &mut finder, &options).unwrap();
    Arc::new(Puppet::load().unwrap().prepare(prepared.reference).unwrap())
}

fn settings(picture: &I420, quality: EncoderQuality) -> EncoderSettings {
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    EncoderSettings { width, height, fps: (25, 1), quality, gop_frames: 10_000 }
}

#[test]
#[ignore = "a measurement"]
fn live_video_against_a_recorded_one() {
    let avatar = avatar(512);
    for path in recordings() {
        let (heard, samples) = both(&path);
        for (name, heard) in ["live", "recorded"].iter().zip(heard) {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("figures-{name}.mp4"));
            film(&avatar, &heard, &samples, &file);
            let labels = sample("speech.labels.tsv");
            let labels = (path == sample("speech.wav")).then_some(labels.as_path());
            let report =
                evaluate(&file, EvaluationExtras { labels, ..EvaluationExtras::default() }, &mut |_| {}).unwrap();
            let (sync, jitter) = (report.sync.unwrap(), report.jitter.map(|j| j.lips));
            println!(
                "{} {name}: in speech {:.3} at {} ms, with pauses {:.3} at {} ms, jitter of the lips {jitter:.2?}, closures {:?}",
                path.file_stem().unwrap().display(),
                sync.in_speech.correlation,
                sync.in_speech.best_offset_ms,
                sync.with_pauses.correlation,
                sync.with_pauses.best_offset_ms,
                report.closure.map(|c| c.rate())
            );
        }
    }
}

fn film(avatar: &Arc<PuppetAvatar>, heard: &[HeardCue<MouthShape>], samples: &[f32], file: &Path) {
    let mut artist = OwnEngine::new(Puppet::load().unwrap(), Arc::clone(avatar));
    let mut life = Life::new(1, Liveliness::STILL);
    let mut film = TestFilm::create(file, &avatar.reference().frames[0].picture, 10_000);
    for (n, h) in heard.iter().enumerate() {
        let expression = life.at((n as f64 + 0.5) / FPS, h.voice);
        let picture = artist.draw(0, h.cue, expression).unwrap();
        film.push(picture, &samples[(n * 640).min(samples.len())..((n + 1) * 640).min(samples.len())]);
    }
    film.finish();
}

/// Milliseconds that this thread has computed so far, where the system says so; else those that have passed.
fn computed(since: Instant) -> f64 {
    let stated = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = stated.as_deref().and_then(|s| s.split_whitespace().next()?.parse::<f64>().ok());
    nanos.map_or_else(|| since.elapsed().as_secs_f64() * 1e3, |n| n / 1e6)
}

/// The mean in milliseconds of the quickest of five runs.
fn millis(count: usize, mut run: impl FnMut()) -> f64 {
    let since = Instant::now();
    let mut one = || {
        let before = computed(since);
        run();
        (computed(since) - before) / count as f64
    };
    (0..5).map(|_| one()).fold(f64::MAX, f64::min)
}

#[test]
#[ignore = "a measurement"]
fn what_a_live_session_costs() {
    let ([live, _], samples) = both(&sample("speech.wav"));
    let net = Arc::new(VisemeNet::shipped().unwrap());
    let seconds = samples.len() / 16_000;
    let spoken = millis(seconds, || drop(listen(&mut PuppetEar::live(Arc::clone(&net)), &samples)));
    let silence = vec![0.0; 60 * 16_000];
    let silent = millis(60, || drop(listen(&mut PuppetEar::live(Arc::clone(&net)), &silence)));
    println!("the ear: {spoken:.2} ms a second of speech, {silent:.2} ms of silence");

    let avatar = avatar(512);
    let mut artist = OwnEngine::new(Puppet::load().unwrap(), Arc::clone(&avatar));
    for head in [false, true] {
        let mut life = Life::new(1, if head { Liveliness::default() } else { Liveliness::STILL });
        let mut at = 0.0;
        let mut next = |voice| {
            at += 1.0 / FPS;
            life.at(at, voice)
        };
        let resting = millis(250, || {
            for _ in 0..250 {
                artist.rest(0, next(0.0)).unwrap();
            }
        });
        let drawing = millis(live.len(), || {
            for h in &live {
                artist.draw(0, h.cue, next(h.voice)).unwrap();
            }
        });
        println!("head moving {head}: rest {resting:.3} ms a frame, draw {drawing:.3} ms a frame");
    }

    let mut life = Life::new(1, Liveliness::default());
    let frames: Vec<I420> = live
        .iter()
        .enumerate()
        .map(|(n, h)| artist.draw(0, h.cue, life.at((n as f64 + 0.5) / FPS, h.voice)).unwrap().clone())
        .collect();
    for choice in [EncoderChoice::X264, EncoderChoice::OpenH264] {
        for bitrate_bps in [300_000, 800_000, 1_500_000] {
            let mut encoder =
                encode::open(choice, &settings(&frames[0], EncoderQuality::Realtime { bitrate_bps })).unwrap();
            let (mut pts, mut sizes, mut keys) = (0_i64, Vec::new(), Vec::new());
            let took = millis(frames.len(), || {
                for (n, frame) in frames.iter().enumerate() {
                    let sink = &mut |p: encode::EncodedPacket<'_>| {
                        sizes.push(p.data.len());
                        if p.key {
                            keys.push(p.data.len());
                        }
                    };
                    encoder.encode(frame, pts, n % 125 == 50, sink).unwrap();
                    pts += 1;
                }
            });
            let rate = sizes.iter().sum::<usize>() as f64 * 8.0 * FPS / sizes.len() as f64;
            let key = keys.iter().max().unwrap() * 8;
            println!(
                "{choice} at {bitrate_bps}: {took:.3} ms a frame, {rate:.0} bit/s, the largest key frame takes {:.0} ms of the rate",
                key as f64 * 1e3 / f64::from(bitrate_bps)
            );
        }
    }
}
