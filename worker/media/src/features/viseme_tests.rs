//! The forward pass against PyTorch's outputs, and the shipped weights against a voice that they never heard.

use super::super::{LogMel, softmax};
use super::*;

static REFERENCE: &[u8] = include_bytes!("../../../../models/viseme/reference.safetensors");
static HELD_OUT: &[u8] = include_bytes!("../../../../models/viseme/heldout.safetensors");

/// Features and logits of a whole sound; the frames that the end still owes are answered with silence after it.
fn analyse(net: &VisemeNet, samples: &[f32]) -> (Vec<[f32; BANDS]>, Vec<[f32; VISEMES]>) {
    let mut mel = LogMel::new(net.filterbank());
    let mut stream = VisemeStream::new(net);
    let (mut features, mut logits) = (Vec::new(), Vec::new());
    mel.push(samples, |f| {
        features.push(*f);
        logits.extend(stream.push(net, f));
    });
    let silence = [1e-6_f32.ln(); BANDS];
    for _ in 0..net.look_ahead() {
        logits.extend(stream.push(net, &silence));
    }
    (features, logits)
}

#[test]
fn features_and_logits_equal_the_reference_outputs() {
    let net = VisemeNet::shipped().unwrap();
    let file = SafeTensors::deserialize(REFERENCE).unwrap();
    let count = |name: &str| file.tensor(name).unwrap().shape().iter().product::<usize>();
    let read = |name: &str| floats(&file, name, count(name)).unwrap();
    let (samples, want_features, want_logits) = (read("samples"), read("features"), read("logits"));
    let (features, mut logits) = analyse(&net, &samples);
    assert_eq!(features.len() * BANDS, want_features.len());
    // The reference holds what comes out frame by frame, from the first on: its first rows describe nothing yet, and
    // the last frames of the sound are not answered in it.
    let owed = net.look_ahead();
    let want_logits = &want_logits[owed * VISEMES..];
    logits.truncate(logits.len() - owed);
    assert_eq!(logits.len() * VISEMES, want_logits.len());
    let furthest = |got: &[f32], want: &[f32]| got.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let (f, l) = (furthest(features.as_flattened(), &want_features), furthest(logits.as_flattened(), want_logits));
    assert!(f < 1e-3, "features differ by {f}");
    assert!(l < 1e-4, "logits differ by {l}");
}

/// (frame accuracy, bilabial recall, silence recall) on the held-out voice after `change` to its samples.
fn scores(change: impl Fn(&mut [f32])) -> (f32, f32, f32) {
    let net = VisemeNet::shipped().unwrap();
    let file = SafeTensors::deserialize(HELD_OUT).unwrap();
    let raw = file.tensor("samples").unwrap();
    let mut samples: Vec<f32> =
        raw.data().as_chunks::<2>().0.iter().map(|b| f32::from(i16::from_le_bytes(*b)) / 32768.0).collect();
    change(&mut samples);
    let labels: Vec<usize> = file.tensor("labels").unwrap().data().iter().map(|&b| usize::from(b)).collect();
    let (_, logits) = analyse(&net, &samples);
    let best = |l: &[f32; VISEMES]| (0..VISEMES).fold(0, |b, i| if l[i] > l[b] { i } else { b });
    let answers: Vec<usize> = logits.iter().map(best).collect();
    let recall = |of: Option<usize>| {
        let pairs = answers.iter().zip(&labels).filter(|(_, l)| of.is_none_or(|o| **l == o));
        let (right, all) = pairs.fold((0, 0), |(r, n), (a, l)| (r + usize::from(a == l), n + 1));
        right as f32 / all as f32
    };
    (recall(None), recall(Some(Viseme::PP as usize)), recall(Some(Viseme::Silence as usize)))
}

#[test]
fn an_unheard_voice_is_understood() {
    let (accuracy, bilabial, silence) = scores(|_| {});
    assert!(accuracy >= 0.62 && bilabial >= 0.90 && silence >= 0.97, "{accuracy} {bilabial} {silence}");
}

#[test]
fn silence_is_silence_in_noise_of_20_db() {
    let (_, _, silence) = scores(|samples| {
        let loud: Vec<f32> = samples.iter().copied().filter(|s| s.abs() > 0.01).collect();
        let rms = (loud.iter().map(|s| s * s).sum::<f32>() / loud.len() as f32).sqrt();
        let mut state = 7_u64;
        for s in samples {
            // The sum of four uniform numbers is near enough to Gaussian; its deviation is 1/sqrt(3).
            let sum: f32 = (0..4)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 40) as f32 / 16_777_216.0 - 0.5
                })
                .sum();
            *s += sum * 3.0_f32.sqrt() * rms * 0.1;
        }
    });
    assert!(silence >= 0.97, "{silence}");
}

#[test]
fn digital_silence_is_silence() {
    let net = VisemeNet::shipped().unwrap();
    let (_, logits) = analyse(&net, &vec![0.0; 16_000]);
    assert!(logits.iter().all(|l| softmax(l)[Viseme::Silence as usize] > 0.9));
}

#[test]
fn after_a_long_silence_it_hears_as_after_a_short_one() {
    let net = VisemeNet::shipped().unwrap();
    let heard = |silence: usize| {
        let mut samples = vec![0.0; silence * 160];
        samples.extend((0..16_000).map(|i| (i as f32 * 0.11).sin() * (i as f32 * 0.003).sin() * 0.3));
        samples.resize(samples.len() + 16_000, 0.0);
        analyse(&net, &samples).1.split_off(silence)
    };
    // 45 frames of silence fill its memory; none of them is a repetition that is skipped.
    assert_eq!(heard(45), heard(46));
    assert_eq!(heard(45), heard(400));
}

#[test]
fn a_broken_weight_file_is_refused_with_a_reason() {
    assert!(matches!(VisemeNet::from_bytes(b"not weights"), Err(NetworkError::Format(_))));
    assert!(matches!(VisemeNet::from_bytes(REFERENCE), Err(NetworkError::Header(_))));
}
