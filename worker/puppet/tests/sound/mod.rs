//! Sounds for the ears' tests, and what is measured of their answers.

#![allow(dead_code, reason = "each test file takes what it needs")]

use mouthpiece_engine::{HeardCue, SpeechLevel};
use mouthpiece_media::audio::{SpeechBlock, SpeechLimits, SpeechReader, survey};
use mouthpiece_puppet::MouthShape;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Frames a second of the tests.
pub const FPS: f64 = 25.0;
/// Samples a second.
pub const RATE: f64 = 16_000.0;

/// A file of the samples.
pub fn sample(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples")).join(name)
}

/// A recording and its level.
pub fn recording(path: &Path) -> (Vec<f32>, SpeechLevel) {
    let survey = survey(path, &SpeechLimits::default(), &mut |_| true).unwrap();
    let mut reader = SpeechReader::open_mixed(path, survey.mix).unwrap();
    let (mut block, mut samples) = (SpeechBlock::default(), Vec::new());
    while reader.read(&mut block).unwrap() {
        samples.extend_from_slice(&block.speech);
    }
    (samples, SpeechLevel::of_recording(survey.active_rms, survey.level_95_db))
}

/// The sample recording, whose words are labelled.
pub fn speech() -> (Vec<f32>, SpeechLevel) {
    static SPEECH: OnceLock<(Vec<f32>, SpeechLevel)> = OnceLock::new();
    SPEECH.get_or_init(|| recording(&sample("speech.wav"))).clone()
}

/// (start, end, viseme) of the labelled sample.
pub fn labels() -> Vec<(f64, f64, String)> {
    let text = std::fs::read_to_string(sample("speech.labels.tsv")).unwrap();
    let rows = text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    rows.filter_map(|l| {
        let mut f = l.split_whitespace();
        Some((f.next()?.parse().ok()?, f.next()?.parse().ok()?, f.next()?.to_owned()))
    })
    .collect()
}

/// What was heard from `from` to `to`, of one cue a frame.
pub fn during(heard: &[HeardCue<MouthShape>], from: f64, to: f64) -> &[HeardCue<MouthShape>] {
    let frame = |t: f64| ((t * FPS).max(0.0) as usize).min(heard.len());
    &heard[frame(from)..(frame(to) + 1).min(heard.len())]
}

/// The lips meet.
pub fn closes(s: MouthShape) -> bool {
    (s.press > 0.5 && s.jaw < 0.15) || (s.jaw < 0.05 && s.lower_lip_down < 0.10)
}

/// Share of the labelled p, b and m at which the lips meet, 0..=1.
pub fn closures(heard: &[HeardCue<MouthShape>]) -> f64 {
    let bilabials: Vec<_> = labels().into_iter().filter(|l| l.2 == "PP").collect();
    let shut =
        bilabials.iter().filter(|(from, to, _)| during(heard, from - 0.02, to + 0.02).iter().any(|h| closes(h.cue)));
    shut.count() as f64 / bilabials.len() as f64
}

/// How two curves of one value a frame go together.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    /// Where they go together best, ms, between frames by a parabola; positive: the first is late.
    pub offset_ms: f64,
    /// Pearson's correlation without any offset.
    pub correlation: f64,
}

/// Compares two curves of one value a frame.
pub fn compare(a: &[f32], b: &[f32]) -> Comparison {
    const REACH: usize = 5;
    let middle = &b[REACH..b.len() - REACH];
    let at: Vec<f64> = (0..=2 * REACH).map(|d| pearson(&a[d..d + middle.len()], middle)).collect();
    let best = (0..at.len()).max_by(|&i, &j| at[i].total_cmp(&at[j])).unwrap();
    let mut offset = best as f64 - REACH as f64;
    if (1..at.len() - 1).contains(&best) {
        let (p, q, s) = (at[best - 1], at[best], at[best + 1]);
        offset += 0.5 * (p - s) / (p - 2.0 * q + s);
    }
    Comparison { offset_ms: offset * 1000.0 / FPS, correlation: at[REACH] }
}

fn pearson(a: &[f32], b: &[f32]) -> f64 {
    let mean = |v: &[f32]| v.iter().map(|x| f64::from(*x)).sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (f64::from(*x) - ma, f64::from(*y) - mb);
        (aa, bb, ab) = (aa + x * x, bb + y * y, ab + x * y);
    }
    ab / (aa * bb).sqrt()
}

/// Root mean square.
pub fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

/// The samples, louder by `factor`.
pub fn gain(samples: &[f32], factor: f32) -> Vec<f32> {
    samples.iter().map(|s| s * factor).collect()
}

/// Repeatable numbers, -1..1.
pub fn random() -> impl Iterator<Item = f32> {
    let mut state = 7_u64;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    })
}

/// White noise, or pink (six leaky sums of white noise, their corners two octaves apart).
pub fn noise(pink: bool, seconds: f64) -> Vec<f32> {
    let mut sums = [0.0_f32; 6];
    random()
        .take((seconds * RATE) as usize)
        .map(|white| {
            if !pink {
                return white;
            }
            let mut all = 0.3 * white;
            for (k, sum) in sums.iter_mut().enumerate() {
                let leak = 0.9 / 4.0_f32.powi(k as i32);
                *sum += (white - *sum) * leak;
                all += *sum * 2.0_f32.powi(k as i32).min(8.0);
            }
            all
        })
        .collect()
}

/// A mains hum: ten harmonics that fall off.
pub fn hum(hertz: f64, seconds: f64) -> Vec<f32> {
    let turn = |i: usize, k: u32| std::f64::consts::TAU * hertz * f64::from(k) * i as f64 / RATE + f64::from(k);
    (0..(seconds * RATE) as usize)
        .map(|i| (1..=10).map(|k| turn(i, k).sin() / f64::from(k)).sum::<f64>() as f32)
        .collect()
}

/// Keys that are struck six times a second: bursts of noise whose peaks are at `db`, dying away within `ms`.
pub fn clicks(db: f32, ms: f32, seconds: f64) -> Vec<f32> {
    let mut sound = vec![0.0; (seconds * RATE) as usize];
    let (mut numbers, peak) = (random(), 10.0_f32.powf(db / 20.0));
    for strike in 0..(seconds * 6.0) as usize - 1 {
        let at = (strike as f64 / 6.0 * RATE) as usize + (numbers.next().unwrap().abs() * 1_200.0) as usize;
        for (i, s) in sound[at..at + 1_600].iter_mut().enumerate() {
            *s += peak * numbers.next().unwrap() * (-(i as f32) / (ms * 16.0)).exp();
        }
    }
    sound
}
