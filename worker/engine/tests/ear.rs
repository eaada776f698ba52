//! What the puppet's ear makes of the sample recording, whose words are labelled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_engine::puppet::{MouthShape, PuppetEar};
use mouthpiece_engine::{Ear, Heard, SpeechLevel};
use mouthpiece_media::audio::{Limits, SpeechBlock, SpeechReader, survey};
use mouthpiece_media::features::VisemeNet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FPS: f64 = 25.0;

fn sample(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples")).join(name)
}

fn speech() -> (Vec<f32>, SpeechLevel) {
    let path = sample("speech.wav");
    let survey = survey(&path, &Limits::default(), &mut |_| true).unwrap();
    let mut reader = SpeechReader::open(&path).unwrap();
    let (mut block, mut samples) = (SpeechBlock::default(), Vec::new());
    while reader.read(&mut block).unwrap() {
        samples.extend_from_slice(&block.speech);
    }
    (samples, SpeechLevel { active_rms: survey.active_rms, loud_db: survey.level_95_db })
}

fn ear(level: SpeechLevel) -> PuppetEar {
    PuppetEar::new(Arc::new(VisemeNet::shipped().unwrap()), level, 200)
}

/// What is heard in the middle of each frame, the samples arriving in pieces of `piece`.
fn listen(samples: &[f32], level: SpeechLevel, piece: usize) -> Vec<Heard<MouthShape>> {
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

/// (start, end, viseme) of the labelled sample.
fn labels() -> Vec<(f64, f64, String)> {
    let text = std::fs::read_to_string(sample("speech.labels.tsv")).unwrap();
    let rows = text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    rows.filter_map(|l| {
        let mut f = l.split_whitespace();
        Some((f.next()?.parse().ok()?, f.next()?.parse().ok()?, f.next()?.to_owned()))
    })
    .collect()
}

fn during(heard: &[Heard<MouthShape>], from: f64, to: f64) -> &[Heard<MouthShape>] {
    let frame = |t: f64| ((t * FPS).max(0.0) as usize).min(heard.len());
    &heard[frame(from)..(frame(to) + 1).min(heard.len())]
}

#[test]
fn silence_leaves_the_mouth_exactly_as_it_is() {
    let level = SpeechLevel { active_rms: 0.1, loud_db: -15.0 };
    for h in listen(&vec![0.0; 48_000], level, 640) {
        assert_eq!(h, Heard::default());
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
    assert!(ear.cue(0.2).is_some());
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

    let bilabials = of("PP");
    let is_shut = |s: MouthShape| (s.press > 0.5 && s.jaw < 0.15) || (s.jaw < 0.05 && s.lower_lip_down < 0.10);
    let closes = |from: f64, to: f64| during(&heard, from - 0.02, to + 0.02).iter().any(|h| is_shut(h.cue));
    let shut = bilabials.iter().filter(|(from, to, _)| closes(*from, *to)).count();
    let all = bilabials.len();
    assert!(shut * 10 >= all * 9, "{shut} of {all} bilabials close");

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
