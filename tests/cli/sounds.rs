//! Recordings that are taken as speech.

use crate::{
    film::{number, probe},
    fixtures,
    scene::Scene,
};

/// How ffmpeg is told to make each: name, arguments, channels that the film has.
const KINDS: [(&str, &str, u64); 24] = [
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
    ("recorder.webm", "-c:a libopus -ar 48000 -ac 1", 1),
    ("a.mka", "-c:a flac -ar 44100 -ac 2", 2),
    ("a.aac", "-c:a aac -ar 44100 -ac 1", 1),
    ("a.rf64", "-c:a pcm_s16le -ar 48000 -ac 1 -rf64 always -f wav", 1),
    ("a.w64", "-c:a pcm_s16le -ar 48000 -ac 1", 1),
    ("a.aiff", "-c:a pcm_s16be -ar 44100 -ac 2", 2),
    ("a.aifc", "-c:a pcm_alaw -ar 8000 -ac 1 -f aiff", 1),
    ("a.caf", "-c:a pcm_s16be -ar 44100 -ac 1", 1),
    ("a.au", "-c:a pcm_s16be -ar 22050 -ac 1", 1),
    ("a.mp2", "-c:a mp2 -ar 44100 -ac 2", 2),
    ("a.mkv", "-c:a libvorbis -ar 44100 -ac 1", 1),
    ("a.mov", "-c:a pcm_s16le -ar 44100 -ac 1", 1),
    ("a.ts", "-c:a aac -ar 44100 -ac 1", 1),
    ("a.avi", "-c:a pcm_s16le -ar 44100 -ac 1", 1),
];

#[test]
fn every_kind_of_recording_is_read_at_its_length() {
    std::thread::scope(|scope| {
        for kinds in KINDS.chunks(KINDS.len().div_ceil(2)) {
            scope.spawn(|| kinds.iter().for_each(is_read_at_its_length));
        }
    });
}

fn is_read_at_its_length((name, args, channels): &(&str, &str, u64)) {
    let scene = Scene::new();
    let args: Vec<&str> = ["-i", "speech.wav"].into_iter().chain(args.split(' ')).collect();
    scene.ffmpeg(&args, name);
    let report = scene.report("portrait.png", name, &["--size", "128"]);
    let audio = &probe(&scene.film())["streams"][1];
    assert_eq!(audio["channels"], *channels, "{name}");
    // Codecs begin early and fill their last packet; where the file says by how much, that is cut off.
    let seconds = number(&audio["duration"]);
    assert!((seconds - 1.0).abs() < 0.1, "{name}: {seconds}");
    assert_eq!(report["frames"], (seconds * 25.0 - 1e-3).ceil() as u64, "{name}: {seconds}");
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
    assert!(run.stderr.contains("note: the recording holds no sound above -87 dB: the face stays idle"), "{run:?}");
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

#[test]
fn an_mp3_is_found_behind_what_stands_before_it() {
    let scene = Scene::new();
    scene.ffmpeg(&["-i", "speech.wav", "-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0"], "plain.mp3");
    let plain = std::fs::read(scene.path("plain.mp3")).unwrap();
    scene.ffmpeg(&["-f", "lavfi", "-i", "mandelbrot=s=1200x900", "-frames:v", "1"], "cover.png");
    let cover = ["-i", "plain.mp3", "-i", "cover.png", "-map", "0", "-map", "1", "-c", "copy"];
    scene.ffmpeg(&cover, "tagged.mp3");
    assert!(
        std::fs::metadata(scene.path("tagged.mp3")).unwrap().len() > 200_000,
        "its tag is larger than what is looked at"
    );
    scene.file("zeros.mp3", &[&[0; 5000][..], &plain].concat());
    scene.file("stream.mp3", &plain[100..]);
    for name in ["tagged.mp3", "zeros.mp3", "stream.mp3"] {
        let report = scene.report("portrait.png", name, &["--size", "272"]);
        assert!(report["frames"].as_u64().unwrap().abs_diff(26) <= 2, "{name}: {report}");
        assert_eq!(report["warnings"], serde_json::json!([]), "{name}");
    }
}

#[test]
fn recordings_that_were_joined_are_all_spoken() {
    let scene = Scene::new();
    scene.ffmpeg(&["-i", "speech.wav", "-ar", "24000", "-c:a", "pcm_s16le"], "second.wav");
    // As a speech engine answers that does not know yet how long it will speak.
    let mut second = std::fs::read(scene.path("second.wav")).unwrap();
    second[4..8].fill(0xff);
    let data = second.windows(4).position(|w| w == b"data").unwrap();
    second[data + 4..data + 8].fill(0xff);
    let first = std::fs::read(scene.path("speech.wav")).unwrap();
    scene.file("joined.wav", &[&second[..], &first, &second].concat());
    let report = scene.report("portrait.png", "joined.wav", &["--size", "272"]);
    assert_eq!((report["frames"].as_u64(), &report["warnings"]), (Some(75), &serde_json::json!([])));
}

#[test]
fn a_voice_that_is_upside_down_in_one_channel_is_spoken() {
    let scene = Scene::new();
    scene.ffmpeg(&["-i", "speech.wav", "-af", "pan=stereo|c0=c0|c1=-1*c0"], "antiphase.wav");
    let report = scene.report("portrait.png", "antiphase.wav", &["--size", "272"]);
    assert_eq!(report["warnings"], serde_json::json!([]));
    let audio = &probe(&scene.film())["streams"][1];
    assert_eq!(audio["channels"], 2, "what is played stays as it was");
}

#[test]
fn quiet_speech_is_spoken_without_a_note() {
    let scene = Scene::new();
    scene.ffmpeg(&["-i", "speech.wav", "-af", "volume=-50dB", "-c:a", "pcm_f32le"], "quiet.wav");
    assert_eq!(scene.report("portrait.png", "quiet.wav", &["--size", "272"])["warnings"], serde_json::json!([]));
}
