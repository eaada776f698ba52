use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Gives each feature the mean of its sound, and counts how often it is asked.
struct Means(Arc<AtomicUsize>);

impl SoundEncoder for Means {
    fn encode(&mut self, samples: &[f32], _: f64, out: &mut Vec<f32>) -> Result<f64, GraphError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        out.clear();
        for piece in samples.chunks_exact(FEATURE_SAMPLES) {
            out.extend(std::iter::repeat_n(piece.iter().sum::<f32>() / FEATURE_SAMPLES as f32, FEATURE));
        }
        Ok(0.0)
    }
}

struct Broken;

impl SoundEncoder for Broken {
    fn encode(&mut self, _: &[f32], _: f64, _: &mut Vec<f32>) -> Result<f64, GraphError> {
        Err(GraphError::Answer { graph: "whisper", what: "broken" })
    }
}

/// Sound in which feature k has the mean (k + 1) / 1000.
fn ramp(features: usize) -> Vec<f32> {
    (0..features * FEATURE_SAMPLES).map(|n| (n / FEATURE_SAMPLES + 1) as f32 / 1000.0).collect()
}

fn loud() -> SpeechLevel {
    SpeechLevel { active_rms: 0.1, loud_db: -50.0 }
}

fn ear(window: ListeningWindow) -> (MuseTalkEar, Arc<AtomicUsize>) {
    let asked = Arc::default();
    let means = Box::new(Means(Arc::clone(&asked)));
    (MuseTalkEar::new(means, window, Some(loud()), Arc::default()), asked)
}

/// The clips of the first `frames` of 25 a second; heads of their ten features, in thousandths.
fn clips(ear: &mut MuseTalkEar, frames: usize) -> Vec<Option<Vec<i32>>> {
    let head = |heard: HeardCue<SoundClip>| {
        let values = heard.cue.values().map(<[f32]>::to_vec).unwrap_or_default();
        values.chunks(FEATURE).map(|f| (f[0] * 1000.0).round() as i32).collect()
    };
    (0..frames).map(|i| ear.cue((i as f64 + 0.5) / 25.0).map(head)).collect()
}

#[test]
fn a_frame_gets_the_ten_features_around_its_middle() {
    for window in [ListeningWindow::LIVE, ListeningWindow::RECORDING] {
        let (mut ear, _) = ear(window);
        ear.hear(&ramp(400));
        let clips = clips(&mut ear, 150);
        assert_eq!(clips[0], Some(vec![0, 0, 0, 0, 1, 2, 3, 4, 5, 6]), "{window:?}");
        assert_eq!(clips[149], Some((295..305).collect()), "{window:?}");
    }
}

#[test]
fn what_a_frame_gets_does_not_depend_on_how_the_sound_came() {
    let whole = {
        let (mut ear, _) = ear(ListeningWindow::RECORDING);
        ear.hear(&ramp(400));
        clips(&mut ear, 100)
    };
    let (mut ear, _) = ear(ListeningWindow::RECORDING);
    let (mut got, sound) = (Vec::new(), ramp(400));
    for piece in sound.chunks(777) {
        ear.hear(piece);
        while let Some(heard) = ear.cue((got.len() as f64 + 0.5) / 25.0).filter(|_| got.len() < 100) {
            got.push(heard.cue.values().map(|v| v.chunks(FEATURE).map(|f| (f[0] * 1000.0).round() as i32).collect()));
        }
    }
    assert_eq!(got, whole);
}

#[test]
fn a_cue_is_there_once_what_it_needs_was_heard() {
    for window in [ListeningWindow::LIVE, ListeningWindow::RECORDING] {
        let (mut ear, _) = ear(window);
        let mut heard = 0;
        let sound = ramp(400);
        for i in 0..40 {
            let middle = (f64::from(i) + 0.5) / 30.0;
            let enough = ((middle + ear.need()) * 16_000.0) as usize;
            ear.hear(&sound[heard..enough]);
            heard = enough;
            assert!(ear.cue(middle).is_some(), "frame {i} of {window:?}");
        }
        assert!(ear.cue(40.0).is_none());
    }
}

#[test]
fn after_the_end_every_frame_gets_a_cue() {
    let (mut ear, _) = ear(ListeningWindow::LIVE);
    ear.hear(&ramp(20));
    assert!(ear.cue(0.38).is_none());
    ear.finish();
    let got = ear.cue(0.38).unwrap();
    let heads: Vec<f32> = got.cue.values().unwrap().chunks(FEATURE).map(|f| f[0]).collect();
    assert_eq!(heads[..6].iter().map(|h| (h * 1000.0).round() as i32).collect::<Vec<_>>(), [15, 16, 17, 18, 19, 20]);
    assert_eq!(heads[6..], [0.0; 4]);
    assert!(ear.cue(60.0).unwrap().cue.is_rest());
}

#[test]
fn a_recording_is_encoded_once_a_second_and_a_live_voice_for_each_frame() {
    for (window, most) in [(ListeningWindow::RECORDING, 8), (ListeningWindow::LIVE, 150)] {
        let (mut ear, asked) = ear(window);
        ear.hear(&ramp(400));
        clips(&mut ear, 150);
        let asked = asked.load(Ordering::Relaxed);
        assert!((most - 3..=most).contains(&asked), "{window:?}: {asked}");
    }
}

#[test]
fn hours_of_sound_are_not_kept() {
    let (mut ear, _) = ear(ListeningWindow::LIVE);
    let second = ramp(50);
    for i in 0..600 {
        ear.hear(&second);
        let _ = ear.cue(f64::from(i));
    }
    assert!(ear.sound.len() < 16_000 * 8, "{}", ear.sound.len());
    assert!(ear.peaks.len() <= 31 && ear.spare.lock().unwrap().len() <= 2);
}

#[test]
fn silence_is_at_rest_and_costs_nothing() {
    let (mut ear, asked) = ear(ListeningWindow::LIVE);
    ear.hear(&vec![0.0; 32_000]);
    assert!((0..20).all(|i| ear.cue(f64::from(i) / 25.0).unwrap().cue.is_rest()));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[test]
fn a_model_that_fails_reaches_the_engine() {
    let fault = HearingFault::default();
    let mut ear = MuseTalkEar::new(Box::new(Broken), ListeningWindow::LIVE, Some(loud()), Arc::clone(&fault));
    ear.hear(&ramp(100));
    let cue = ear.cue(0.5).unwrap().cue;
    assert!(!cue.is_rest() && cue.values().is_none(), "a frame that is at rest would never reach the engine");
    assert!(fault.lock().unwrap().is_some());
}
