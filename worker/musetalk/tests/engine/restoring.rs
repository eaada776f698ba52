//! Mouths that are restored, by the twin of the network that does it.

use crate::twins::{engine, folder, reference, settings};
use mouthpiece_engine::{Artist, Engine, EngineThread, Expression, OwnEngine, RestorationOutcome, Restorations};
use mouthpiece_frame::I420;
use mouthpiece_musetalk::{MuseTalk, MuseTalkSettings, SOUND, SoundClip};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

fn clip(seed: u32) -> SoundClip {
    SoundClip::new((0..SOUND).map(|i| ((i as f32 * 0.37 + seed as f32) * (1.0 + seed as f32)).sin() * 2.0).collect())
}

fn restoring(folder: &Path) -> MuseTalkSettings {
    MuseTalkSettings { restores: true, ..settings(folder) }
}

/// An engine of its own: what it restored is counted.
fn restoring_engine() -> (MuseTalk, Arc<Restorations>) {
    let engine = MuseTalk::load(restoring(&folder())).unwrap();
    let counts = engine.restorations().unwrap();
    (engine, counts)
}

fn counted(counts: &Restorations) -> [u64; 3] {
    RestorationOutcome::ALL.map(|outcome| counts.count(outcome))
}

/// A second and a half of faces that are drawn without it.
fn plain() -> &'static [I420] {
    static PLAIN: OnceLock<Vec<I420>> = OnceLock::new();
    PLAIN.get_or_init(|| {
        let mut own = OwnEngine::new(engine(), engine().prepare(reference()).unwrap().into());
        (0..3).map(|i| own.draw(0, clip(i), Expression::default()).unwrap().clone()).collect()
    })
}

#[test]
fn a_film_waits_for_its_mouths_and_only_they_change() {
    let (engine, counts) = restoring_engine();
    let mut own = OwnEngine::new(engine.clone(), engine.prepare(reference()).unwrap().into());
    let lips = reference().frames[0].face.bounds(&[61, 291, 13, 14]);
    for (i, plain) in plain().iter().enumerate() {
        let drawn = own.draw(0, clip(i as u32), Expression::default()).unwrap();
        let width = drawn.width();
        let differ: Vec<usize> = (0..drawn.y.len()).filter(|&i| drawn.y[i] != plain.y[i]).collect();
        assert!(!differ.is_empty(), "frame {i} is restored");
        let (left, right) = differ.iter().map(|i| i % width).fold((width, 0), |(l, r), x| (l.min(x), r.max(x)));
        let (top, bottom) = (differ[0] / width, differ[differ.len() - 1] / width);
        let reach = lips.width() * 1.2;
        assert!(left as f32 > lips.x0 - reach && (right as f32) < lips.x1 + reach, "{left}..{right} {lips:?}");
        assert!(top as f32 > lips.y0 - reach && (bottom as f32) < lips.y1 + reach, "{top}..{bottom} {lips:?}");
    }
    assert_eq!(counted(&counts), [3, 0, 0]);
    // The twin sharpens and keeps colours: what it makes is the same mouth.
    let drawn = own.draw(0, clip(2), Expression::default()).unwrap();
    let apart: f64 = drawn.y.iter().zip(&plain()[2].y).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    assert!(apart / (drawn.y.len() as f64) < 1.0, "{apart}");
}

#[test]
fn silence_restores_nothing() {
    let (engine, counts) = restoring_engine();
    let mut own = OwnEngine::new(engine.clone(), engine.prepare(reference()).unwrap().into());
    own.draw(0, clip(1), Expression::default()).unwrap();
    assert_eq!(own.draw(0, SoundClip::silence(), Expression::default()).unwrap(), &reference().frames[0].picture);
    assert_eq!(own.rest(0, Expression::default()).unwrap(), &reference().frames[0].picture);
    assert_eq!(counted(&counts), [1, 0, 0]);
}

#[test]
fn a_picture_that_would_be_late_is_shown_without() {
    let (engine, counts) = restoring_engine();
    let avatar = Arc::new(engine.prepare(reference()).unwrap());
    let thread = EngineThread::start(engine, |_| {}).unwrap();
    let mut desk = thread.desks().live_desk(avatar);
    desk.wanted_by(Instant::now());
    assert_eq!(desk.draw(0, clip(0), Expression::default()).unwrap(), &plain()[0], "as it was drawn");
    assert_eq!(counted(&counts), [0, 1, 0]);
    desk.wanted_by(Instant::now() + Duration::from_secs(3600));
    assert_ne!(desk.draw(0, clip(0), Expression::default()).unwrap(), &plain()[0]);
    assert_ne!(
        desk.draw(0, clip(0), Expression::default()).unwrap(),
        &plain()[0],
        "nobody said when: it is waited for"
    );
    assert_eq!(counted(&counts), [2, 1, 0]);
}

#[test]
fn an_engine_that_is_started_again_restores_again() {
    let (mut engine, counts) = restoring_engine();
    let avatar = Arc::new(engine.prepare(reference()).unwrap());
    engine.recover().unwrap();
    OwnEngine::new(engine, avatar).draw(0, clip(1), Expression::default()).unwrap();
    assert_eq!(counted(&counts), [1, 0, 0]);
}

#[test]
fn its_graph_is_asked_for_only_where_it_is_used() {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder()).unwrap().map(Result::unwrap) {
        if file.file_name() != "restoration.onnx" {
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    assert!(MuseTalk::load(settings(copy.path())).unwrap().restorations().is_none());
    let told = MuseTalk::load(restoring(copy.path())).unwrap_err().to_string();
    for words in ["the graph 'restoration' is missing", "models fetch real-esrgan-general", "models export restoration"]
    {
        assert!(told.contains(words), "{told}");
    }
}
