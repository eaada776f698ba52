//! Recordings that are taken as speech.

use crate::{
    film::{number, probe},
    fixtures,
    scene::Scene,
};

/// How ffmpeg is told to make each: name, arguments, channels that the film has.
const KINDS: [(&str, &str, u64); 10] = [
    ("telephone.wav", "-c:a pcm_mulaw -ar 8000 -ac 1", 1),
    ("studio.wav", "-c:a pcm_s24le -ar 96000 -ac 2", 2),
    ("float.wav", "-c:a pcm_f32le -ar 22050 -ac 1", 1),
    ("surround.wav", "-c:a pcm_s16le -ar 48000 -ac 6", 2),
    ("stereo.mp3", "-c:a libmp3lame -ar 44100 -ac 2", 2),
    ("low.mp3", "-c:a libmp3lame -ar 16000 -ac 1", 1),
    ("vorbis.ogg", "-c:a libvorbis -ar 44100 -ac 2", 2),
    ("opus.ogg", "-c:a libopus -ar 48000 -ac 1", 1),
    ("a.flac", "-c:a flac -ar 11025 -ac 1", 1),
    ("a.m4a", "-c:a aac -ar 32000 -ac 2", 2),
];

#[test]
fn every_kind_of_recording_is_read_at_its_length() {
    let scene = Scene::new();
    for (name, args, channels) in KINDS {
        let args: Vec<&str> = ["-i", "speech.wav"].into_iter().chain(args.split(' ')).collect();
        scene.ffmpeg(&args, name);
        let report = scene.report("portrait.png", name, &["--size", "128"]);
        let audio = &probe(&scene.film())["streams"][1];
        assert_eq!(audio["channels"], channels, "{name}");
        // Codecs fill their last packet; where the file says by how much, that is cut off.
        let seconds = number(&audio["duration"]);
        assert!((seconds - 1.0).abs() < 0.065, "{name}: {seconds}");
        assert_eq!(report["frames"], (seconds * 25.0 - 1e-3).ceil() as u64, "{name}: {seconds}");
    }
}

#[test]
fn the_sound_of_a_video_may_be_the_speech() {
    let scene = Scene::new();
    scene.ffmpeg(&["-f", "lavfi", "-i", "testsrc=d=1", "-i", "speech.wav", "-c:v", "libx264"], "talk.mp4");
    scene.report("portrait.png", "talk.mp4", &["--size", "128"]);
}

#[test]
fn silence_makes_an_idle_face_and_a_note() {
    let scene = Scene::new();
    scene.file("silence.wav", &fixtures::wav(16_000, 1, &vec![0; 32_000]));
    let run = scene.render("portrait.png", "silence.wav", &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("note: the recording holds no sound above -60 dB: the face stays idle"), "{run:?}");
    let meshes = crate::film::meshes(&crate::film::frames(&scene.film()));
    assert!(crate::film::lip_travel(&meshes) < 0.04, "{}", crate::film::lip_travel(&meshes));
}

#[test]
fn a_recording_that_was_cut_off_is_used_with_a_note() {
    let scene = Scene::new();
    let whole = fixtures::speech(2.0);
    scene.file("cut.wav", &whole[..whole.len() / 2]);
    let report = scene.report("portrait.png", "cut.wav", &["--size", "128"]);
    assert!(report["warnings"].to_string().contains("it was cut short"), "{report}");
    assert_eq!(report["frames"], 25);
}
