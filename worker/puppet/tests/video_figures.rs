//! Figures of videos of people who speak: how long they take to prepare and to draw, and how well the lips follow our voice.
//!
//! `VIDEO=a.mp4,b.mp4 cargo test --release -p mouthpiece-puppet --test video_figures -- --ignored --nocapture`; the films that
//! are made lie beside the videos, `NAME.spoken.mp4`. `SPEECH` is another recording than the sample; three seconds of silence
//! follow it. `SIZE` is the longer side in pixels.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod film;
mod sound;

use film::TestFilm;
use mouthpiece_engine::{Artist, Ear, Engine, Expression, OwnEngine};
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_media::quality::{EvaluationExtras, evaluate};
use mouthpiece_media::reference::{MAX_VIDEO_FRAMES, PrepareOptions, PreparedReference, Reference};
use mouthpiece_media::video::{VideoOptions, VideoReader};
use mouthpiece_puppet::{Puppet, PuppetAvatar, PuppetEar};
use sound::{FPS, recording, sample};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Seconds of silence after the speech.
const SILENCE: usize = 3;

fn prepared(video: &Path, size: u32) -> Reference {
    let options = VideoOptions { max_side: Some(2 * size), ..VideoOptions::default() };
    let frames = VideoReader::open_with(video, options).unwrap().steady(FPS, MAX_VIDEO_FRAMES);
    let mut finder = FaceFinder::new(&Runtime::get().unwrap()).unwrap();
    let options = PrepareOptions { size, ..PrepareOptions::default() };
    PreparedReference::from_video(frames, FPS as f32, &mut finder, &options).unwrap().reference
}

/// Forth and back, as sessions show it.
fn shown(n: usize, count: usize) -> usize {
    let at = n % (2 * (count - 1)).max(1);
    at.min(2 * (count - 1) - at)
}

/// Makes the film; the time that drawing took.
fn film(avatar: &Arc<PuppetAvatar>, samples: &[f32], ear: &mut PuppetEar, file: &Path) -> (Duration, usize) {
    let mut artist = OwnEngine::new(Puppet::load().unwrap(), Arc::clone(avatar));
    let mut film = TestFilm::create(file, &avatar.reference().frames[0].picture, 100);
    ear.hear(samples);
    ear.finish();
    let mut drawing = Duration::ZERO;
    let frames = samples.len() / 640;
    for n in 0..frames {
        let heard = ear.cue((n as f64 + 0.5) / FPS).unwrap();
        let began = Instant::now();
        let picture = artist.draw(shown(n, avatar.frames()), heard.cue, Expression::default()).unwrap();
        drawing += began.elapsed();
        film.push(picture, &samples[n * 640..(n + 1) * 640]);
    }
    film.finish();
    (drawing, frames)
}

#[test]
#[ignore = "a measurement"]
fn videos_of_people_who_speak() {
    let var = |name| std::env::var(name).unwrap_or_default();
    let speech = Some(var("SPEECH")).filter(|s| !s.is_empty()).map_or_else(|| sample("speech.wav"), PathBuf::from);
    let (mut samples, level) = recording(&speech);
    samples.resize(samples.len() + SILENCE * 16_000, 0.0);
    let size = var("SIZE").parse().unwrap_or(512);
    let engine = Puppet::load().unwrap();
    for video in var("VIDEO").split(',').filter(|v| !v.is_empty()).map(Path::new) {
        let began = Instant::now();
        let reference = prepared(video, size);
        let (frames, looked) = (reference.frames.len(), began.elapsed());
        let began = Instant::now();
        let avatar = Arc::new(engine.prepare(reference).unwrap());
        let closed = began.elapsed();
        let file = video.with_extension("spoken.mp4");
        let (drawing, drawn) = film(&avatar, &samples, &mut engine.ear(level), &file);
        println!(
            "{}: {frames} frames, looked at in {looked:.1?}, closed in {closed:.1?}; home frame {}, {} mouths, {:.1} MB kept; {:.2} ms a frame",
            video.display(),
            avatar.home_frame(),
            avatar.mouths(),
            Puppet::keep(&avatar).len() as f64 / 1e6,
            drawing.as_secs_f64() * 1e3 / drawn as f64
        );
        if var("EVAL") == "0" {
            continue;
        }
        let report = evaluate(&file, EvaluationExtras::default(), &mut |_| {}).unwrap();
        let (a, sync) = (report.apertures, report.sync.unwrap());
        println!(
            "  in speech {:.3} at {} ms; aperture {:.3?} in speech, {:.3?} in silence, least {:.3}; jitter of the lips {:.2?}; {:?}",
            sync.in_speech.correlation,
            sync.in_speech.best_offset_ms,
            a.speech,
            a.silence,
            a.least,
            report.jitter.map(|j| j.lips),
            report.living
        );
    }
}
