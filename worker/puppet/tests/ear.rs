//! What the puppet's ear makes of the sample recording, whose words are labelled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod sound;

use mouthpiece_engine::{Ear, HeardCue, SpeechLevel};
use mouthpiece_media::features::VisemeNet;
use mouthpiece_puppet::{MouthShape, PuppetEar};
use sound::{FPS, closures, during, labels, speech};
use std::sync::Arc;

fn ear(level: SpeechLevel) -> PuppetEar {
    PuppetEar::new(Arc::new(VisemeNet::shipped().unwrap()), level, 200)
}

/// What is heard in the middle of each frame, the samples arriving in pieces of `piece`.
fn listen(samples: &[f32], level: SpeechLevel, piece: usize) -> Vec<HeardCue<MouthShape>> {
    let mut ear = ear(level);
    let mut heard = Vec::new();
    let middle = |n: usize| (n as f64 + 0.5) / FPS;
    for p in samples.chunks(piece) {
        ear.hear(p);
        while let Some(h) = ear.cue(middle(heard.len())) {
            heard.push(h);
        }
    }
    ear.finish();
    while heard.len() < (samples.len() as f64 / 16_000.0 * FPS).ceil() as usize {
        heard.push(ear.cue(middle(heard.len())).unwrap());
    }
    heard
}

#[test]
fn silence_leaves_the_mouth_exactly_as_it_is() {
    let level = SpeechLevel { active_rms: 0.1, loud_db: -15.0 };
    for h in listen(&vec![0.0; 48_000], level, 640) {
        assert_eq!(h, HeardCue::default());
    }
}

#[test]
fn cues_do_not_depend_on_how_the_sound_arrives() {
    let (samples, level) = speech();
    let samples = &samples[..64_000];
    assert_eq!(listen(samples, level, 640), listen(samples, level, 4_801));
}

#[test]
fn a_cue_waits_for_the_sound_that_it_needs() {
    let (samples, level) = speech();
    let mut ear = ear(level);
    ear.hear(&samples[..8_000]); // half a second
    assert!((ear.need() - 0.23).abs() < 1e-9);
    assert!(ear.cue(0.2).is_some());
    assert!(ear.cue(0.27).is_some());
    assert_eq!(ear.cue(0.28), None);
    assert_eq!(ear.cue(0.45), None);
    ear.finish();
    assert!(ear.cue(0.45).is_some());
}

#[test]
fn the_mouth_follows_the_labelled_words() {
    let (samples, level) = speech();
    let heard = listen(&samples, level, 640);
    let labels = labels();
    let of = |viseme: &str| labels.iter().filter(move |l| l.2 == viseme).collect::<Vec<_>>();

    let shut = closures(&heard);
    assert!(shut >= 0.9, "{shut} of the bilabials close");

    let jaw = |v: &str| {
        let values: Vec<f32> =
            of(v).iter().flat_map(|(a, b, _)| during(&heard, *a, *b).iter().map(|h| h.cue.jaw)).collect();
        values.iter().sum::<f32>() / values.len() as f32
    };
    assert!(jaw("aa") > 2.0 * jaw("SS"), "aa {} SS {}", jaw("aa"), jaw("SS"));
    assert!(jaw("aa") > 0.3);

    let pauses: Vec<_> = labels.iter().filter(|l| l.2 == "sil" && l.1 - l.0 >= 0.4).collect();
    assert!(pauses.len() >= 3);
    for (a, b, _) in pauses {
        for h in during(&heard, a + 0.16, b - 0.20) {
            let at_rest = MouthShape { engaged: h.cue.engaged, ..MouthShape::default() };
            assert_eq!((h.cue, h.voice), (at_rest, 0.0), "in the pause at {a}");
        }
    }
}
