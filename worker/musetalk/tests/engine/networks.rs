//! UNet and decoder with the latents bound between them.

use crate::twins::{folder, settings};
use mouthpiece_engine::Engine;
use mouthpiece_media::face::Runtime;
use mouthpiece_musetalk::{DecoderChoice, FaceEncoder, LATENTS, MouthGenerator, MuseTalk, PICTURE, Provider, SOUND};

fn generator(decoder: DecoderChoice) -> MouthGenerator {
    let mut settings = settings(&folder()).networks;
    settings.decoder = decoder;
    MouthGenerator::load(&Runtime::get().unwrap(), &settings, Provider::Cpu).unwrap()
}

/// Numbers that look like noise, and are the same each time.
fn noise(seed: u32, length: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

fn drawn(generator: &mut MouthGenerator, frames: &[(&[f32], &[f32])]) -> Vec<Vec<u8>> {
    let mut pictures = vec![Vec::new(); frames.len()];
    generator.draw(frames, |i, bytes| pictures[i] = bytes.to_vec()).unwrap();
    assert!(pictures.iter().all(|picture| picture.len() == PICTURE));
    pictures
}

/// The mean difference of two pictures, of 255.
fn apart(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn the_picture_follows_the_sound_and_the_face() {
    let face = noise(1, LATENTS);
    let (other_face, sound, other_sound) = (noise(2, LATENTS), noise(3, SOUND), noise(4, SOUND));
    for decoder in [DecoderChoice::Full, DecoderChoice::Tiny] {
        let mut generator = generator(decoder);
        let pictures =
            drawn(&mut generator, &[(&face, &sound), (&face, &other_sound), (&other_face, &sound), (&face, &sound)]);
        assert!(apart(&pictures[0], &pictures[1]) > 0.3, "another sound: {}", apart(&pictures[0], &pictures[1]));
        assert!(apart(&pictures[0], &pictures[2]) > 0.3, "another face: {}", apart(&pictures[0], &pictures[2]));
        assert!(apart(&pictures[0], &pictures[3]) < 0.01, "the same once more");
    }
}

#[test]
fn frames_come_out_the_same_in_any_company() {
    let faces: Vec<_> = (0..11).map(|i| noise(10 + i, LATENTS)).collect();
    let sounds: Vec<_> = (0..11).map(|i| noise(50 + i, SOUND)).collect();
    let frames: Vec<(&[f32], &[f32])> = faces.iter().zip(&sounds).map(|(f, s)| (f.as_slice(), s.as_slice())).collect();
    let mut generator = generator(DecoderChoice::Tiny);
    let alone: Vec<_> =
        frames.iter().map(|frame| drawn(&mut generator, std::slice::from_ref(frame)).remove(0)).collect();
    for together in [2, 3, 5, 8, 11] {
        for (i, picture) in drawn(&mut generator, &frames[..together]).iter().enumerate() {
            // Sums in another order round otherwise: a step or two of 255 here and there.
            let apart = apart(picture, &alone[i]);
            assert!(apart < 0.1, "frame {i} of {together}: {apart}");
        }
    }
    assert!(drawn(&mut generator, &[]).is_empty());
}

#[test]
fn a_face_has_two_latents() {
    let mut encoder =
        FaceEncoder::load(&Runtime::get().unwrap(), &settings(&folder()).networks, Provider::Cpu).unwrap();
    let mut face: Vec<u8> = (0..PICTURE).map(|i| (i / 3 % 256) as u8 / 2 + (i / 768) as u8 / 2).collect();
    let before = encoder.encode(&face).unwrap();
    assert_eq!(before.len(), LATENTS);
    // The lower half does not show in the first four channels.
    face[PICTURE / 2..].iter_mut().for_each(|byte| *byte = 255 - *byte);
    let after = encoder.encode(&face).unwrap();
    assert_eq!(before[..LATENTS / 2], after[..LATENTS / 2], "the masked face");
    assert_ne!(before[LATENTS / 2..], after[LATENTS / 2..], "the whole face");
}

#[test]
fn the_decoder_is_chosen_by_what_the_machine_holds() {
    let chosen = |sessions, file: &str| {
        let copy = tempfile::tempdir().unwrap();
        for graph in std::fs::read_dir(folder()).unwrap().map(Result::unwrap) {
            if graph.file_name() != file {
                std::fs::copy(graph.path(), copy.path().join(graph.file_name())).unwrap();
            }
        }
        let mut settings = settings(copy.path());
        settings.hold = sessions;
        MuseTalk::load(settings).unwrap()
    };
    assert_eq!(chosen(None, "").decoder(), DecoderChoice::Full);
    assert_eq!(chosen(Some(8), "tiny_decoder.onnx").decoder(), DecoderChoice::Full, "there is no other");
    let told = chosen(Some(8), "tiny_decoder.onnx").about().unwrap();
    assert!(told.starts_with("vae_decoder by cpu: it makes ") && told.contains("240 are wanted"), "{told}");
}
