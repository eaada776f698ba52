//! How much two slots make at once, against one, through the engine's thread and (what the machine itself allows) each
//! with an engine of its own: `cargo test --release -p mouthpiece-worker --lib throughput -- --ignored
//! --nocapture`. It prints figures and asserts none: machines differ.

use crate::engines::{ForEngine, with_engine};
use crate::pipeline::{self, Film, FilmSetup};
use crate::{PortraitOptions, load_reference};
use mouthpiece_domain::frame::Framing;
use mouthpiece_engine::life::Liveliness;
use mouthpiece_engine::{Engine, EngineDesks, EngineThread, OwnEngine};
use mouthpiece_media::audio::Survey;
use mouthpiece_media::encode::{EncoderChoice, FilePreset};
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_worker_settings::DEFAULT_ENGINE;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// Renders a slot makes one after the other in each round.
const RENDERS: usize = 1;
const ROUNDS: usize = 5;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name)
}

struct WorkState<E: Engine> {
    engine: E,
    desks: EngineDesks<E>,
    avatar: Arc<E::Avatar>,
    speech: PathBuf,
    survey: Survey,
    size: [u32; 2],
}

impl<E: Engine> WorkState<E> {
    /// Frames of one slot's renders into `folder`, drawn by the engine's thread or by an engine of its own.
    fn renders(&self, folder: &Path, preset: FilePreset, slot: usize, shared: bool) -> u64 {
        let (liveliness, encoder) = (Liveliness::default(), EncoderChoice::Auto);
        let making =
            FilmSetup { size: self.size, fps: 25, seed: slot as u64, liveliness, encoder, preset, mark: false };
        (0..RENDERS)
            .map(|_| {
                let path = folder.join(format!("{slot}.mp4"));
                let encoder = pipeline::open_encoder(&making).unwrap();
                let film = Film::open(&self.speech, &self.survey, &path, making, encoder).unwrap();
                let mut ear = self.engine.ear(pipeline::level(&self.survey));
                let avatar = Arc::clone(&self.avatar);
                let made = if shared {
                    film.make(self.desks.desk(avatar), 1, &mut ear, &mut |_| true)
                } else {
                    film.make(OwnEngine::new(self.engine.clone(), avatar), 1, &mut ear, &mut |_| true)
                };
                made.unwrap().frames
            })
            .sum()
    }

    /// Frames a second that `slots` slots make in all.
    fn rate(&self, folder: &Path, preset: FilePreset, slots: usize, shared: bool) -> f64 {
        let started = Instant::now();
        let frames: u64 = thread::scope(|scope| {
            let running: Vec<_> =
                (0..slots).map(|n| scope.spawn(move || self.renders(folder, preset, n, shared))).collect();
            running.into_iter().map(|slot| slot.join().unwrap()).sum()
        });
        frames as f64 / started.elapsed().as_secs_f64()
    }
}

#[test]
#[ignore = "prints figures; meant for release builds on an idle machine"]
fn two_slots_against_one() {
    with_engine(DEFAULT_ENGINE, &crate::NeuralSettings::default(), Measured).unwrap();
}

struct Measured;

impl ForEngine for Measured {
    type Output = ();

    fn with<E: Engine>(self, engine: E) {
        measure(engine);
    }
}

fn measure<E: Engine>(engine: E) {
    let mut finder = FaceFinder::new(&Runtime::get().unwrap()).unwrap();
    let options = PortraitOptions { size: 512, framing: Framing::default(), face: None, fps: 25, background: None };
    let prepared = load_reference(&sample("portrait.png"), options, &mut finder).unwrap();
    let thread = EngineThread::start(engine.clone(), |_| {}).unwrap();
    let speech = sample("speech.wav");
    let stage = WorkState {
        desks: thread.desks(),
        size: prepared.report.frame.output,
        avatar: Arc::new(engine.prepare(prepared.reference).unwrap()),
        engine,
        survey: pipeline::survey(&speech, &mut |_| true).unwrap(),
        speech,
    };
    let folder = tempfile::tempdir().unwrap();
    for (name, preset) in [("fast", FilePreset::Fast), ("balanced", FilePreset::Balanced)] {
        for (how, shared) in [("one engine's thread", true), ("an engine each", false)] {
            let mut ratios: Vec<(f64, f64, f64)> = (0..ROUNDS)
                .map(|_| {
                    let [one, two] = [1, 2].map(|slots| stage.rate(folder.path(), preset, slots, shared));
                    (two / one, one, two)
                })
                .collect();
            ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (ratio, one, two) = ratios[ROUNDS / 2];
            let (least, most) = (ratios[0].0, ratios[ROUNDS - 1].0);
            println!(
                "{name}, {how}: one slot {one:.0} fps, two {two:.0} fps, {ratio:.2} times ({least:.2} to {most:.2})"
            );
        }
    }
    println!("{:?}", stage.desks.drawn());
}
