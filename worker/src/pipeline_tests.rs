use super::*;
use mouthpiece_engine::Engine;
use mouthpiece_puppet::Puppet;
use std::process::Command;

/// The sample recording as ffmpeg's filter makes it, surveyed, and how far the jaw opens for it, on average.
fn heard(filter: &str) -> (Survey, f32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/speech.wav");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-loglevel", "error", "-nostdin", "-i", sample, "-t", "4", "-af", filter, "-c:a", "pcm_f32le"]);
    assert!(ffmpeg.arg(&path).status().unwrap().success());
    let survey = survey(&path, &mut |_| true).unwrap();
    let mut ear = Puppet::load().unwrap().ear(level(&survey));
    let mut reader = SpeechReader::open_mixed(&path, survey.mix).unwrap();
    let mut block = SpeechBlock::default();
    while reader.read(&mut block).unwrap() {
        ear.hear(&block.speech);
    }
    ear.finish();
    let frames = Film::frames(&survey, 25);
    let jaws = (0..frames).filter_map(|n| ear.cue((n as f64 + 0.5) / 25.0)).map(|heard| heard.cue.jaw);
    let mean = jaws.sum::<f32>() / frames as f32;
    (survey, mean)
}

#[test]
fn an_idle_face_is_told_of_when_it_is_idle() {
    let (_, usual) = heard("anull");
    for quieter in (40..=90).step_by(5) {
        let (survey, jaw) = heard(&format!("volume=-{quieter}dB"));
        let told = speech_warnings(&survey);
        let share = jaw / usual;
        if told.is_empty() {
            assert!(share > 0.01, "{quieter} dB quieter: the mouth moves {share:.3} of the usual, and no word of it");
        } else {
            assert_eq!(told, ["the recording holds no sound above -87 dB: the face stays idle"]);
            assert!(share < 0.01, "{quieter} dB quieter: the mouth moves {share:.3} of the usual");
        }
    }
}

#[test]
fn a_voice_that_is_upside_down_in_one_channel_moves_the_lips_as_it_does_alone() {
    let (alone, expected) = heard("pan=mono|c0=c0");
    let (both, jaw) = heard("pan=stereo|c0=c0|c1=-1*c0");
    assert_eq!(speech_warnings(&both), [""; 0]);
    assert_eq!((alone.info.playback_channels, both.info.playback_channels), (1, 2));
    assert!((jaw / expected - 1.0).abs() < 0.01, "{jaw} instead of {expected}");
    // In the front speakers of six.
    let (_, jaw) = heard("pan=5.1|FL=c0|FR=-1*c0");
    assert!((jaw / expected - 1.0).abs() < 0.05, "{jaw} instead of {expected}");
}
