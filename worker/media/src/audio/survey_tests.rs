use std::io::Write;

use super::*;
use crate::mux::fixtures::{file, tone, wav, wav_header};

fn surveyed(path: &std::path::Path) -> Survey {
    survey(path, &SpeechLimits::default(), &mut |_| true).unwrap()
}

#[test]
fn speech_level_ignores_the_pauses() {
    let dir = tempfile::tempdir().unwrap();
    let mut samples = tone(16_000, 1, 1.0, 200.0);
    samples.extend(vec![0.0; 48_000]);
    samples.extend(tone(16_000, 1, 1.0, 200.0));
    let found = surveyed(&file(dir.path(), "a.wav", &wav(16_000, 1, 3, &samples)));
    assert_eq!((found.samples_16k, found.seconds, found.mix), (80_000, 5.0, Mix::Both));
    assert!((found.active_rms - 0.5 / 2_f32.sqrt()).abs() < 0.01, "{}", found.active_rms);
    assert!((found.peak - 0.5).abs() < 0.01);
    assert!((found.level_95_db + 9.03).abs() < 0.2, "{}", found.level_95_db);
    assert_eq!(found.warnings, []);
}

#[test]
fn the_loudest_moment_is_measured() {
    let dir = tempfile::tempdir().unwrap();
    let silent = surveyed(&file(dir.path(), "a.wav", &wav(16_000, 1, 1, &vec![0.0; 16_000])));
    assert_eq!((silent.peak, silent.active_rms, silent.level_95_db, silent.loudest_db), (0.0, 0.0, -120.0, -120.0));
    let mut click: Vec<f32> = tone(16_000, 1, 3.0, 200.0).iter().map(|x| x * 0.001).collect();
    click[3200..4800].fill(0.1);
    let found = surveyed(&file(dir.path(), "a.wav", &wav(16_000, 1, 3, &click)));
    assert!((found.loudest_db + 20.0).abs() < 0.1 && found.level_95_db < -65.0, "{found:?}");
}

#[test]
fn a_survey_can_be_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "a.wav", &wav(8_000, 1, 1, &tone(8_000, 1, 10.0, 200.0)));
    let mut told = Vec::new();
    let stopped = survey(&path, &SpeechLimits::default(), &mut |seconds| {
        told.push(seconds);
        seconds < 3.0
    });
    assert!(matches!(stopped, Err(AudioError::Cancelled { .. })));
    assert!(told.len() >= 3 && told.windows(2).all(|w| w[0] < w[1]) && told[told.len() - 1] < 5.0, "{told:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn an_hour_needs_no_more_memory_than_a_minute() {
    // Memory is the process's: in one of its own, no other test is counted.
    const ALONE: &str = "MOUTHPIECE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["an_hour_needs_no_more_memory_than_a_minute", "--test-threads=1"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, minutes: u32| {
        let path = dir.path().join(name);
        let mut out = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        out.write_all(&wav_header(8_000, 1, 1, minutes * 60 * 16_000)).unwrap();
        let loud = wav(8_000, 1, 1, &tone(8_000, 1, 30.0, 200.0)).split_off(44);
        for _ in 0..minutes {
            out.write_all(&loud).unwrap();
            out.write_all(&vec![0; loud.len()]).unwrap();
        }
        path
    };
    let (minute, hour) = (make("minute.wav", 1), make("hour.wav", 60));
    let resident = || {
        let pages: u64 =
            std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4096
    };
    surveyed(&minute);
    let (before, mut most) = (resident(), 0);
    let found = survey(&hour, &SpeechLimits::default(), &mut |_| {
        most = most.max(resident());
        true
    })
    .unwrap();
    assert_eq!((found.seconds, found.samples_16k), (3600.0, 57_600_000));
    assert!((found.active_rms - 0.5 / 2_f32.sqrt()).abs() < 0.01);
    assert!(most < before + (4 << 20), "{} MiB more", most.saturating_sub(before) >> 20);
}

#[test]
fn channels_that_cancel_one_another_are_heard_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let voice = tone(44_100, 1, 3.0, 300.0);
    let heard = |name: &str, channels: u16, samples: &[f32]| {
        let path = file(dir.path(), name, &wav(44_100, channels, 3, samples));
        let found = surveyed(&path);
        let mut reader = SpeechReader::open_mixed(&path, found.mix).unwrap();
        let (mut block, mut speech) = (SpeechBlock::default(), Vec::new());
        while reader.read(&mut block).unwrap() {
            speech.extend_from_slice(&block.speech);
        }
        (found, speech)
    };
    let (alone, expected) = heard("left.wav", 1, &voice);
    let spread = |of: fn(f32) -> Vec<f32>| voice.iter().flat_map(|&x| of(x)).collect::<Vec<_>>();
    let (found, speech) = heard("antiphase.wav", 2, &spread(|x| vec![x, -x]));
    assert_eq!((found.mix, found.info.playback_channels), (Mix::Left, 2));
    assert_eq!((found.active_rms, found.loudest_db), (alone.active_rms, alone.loudest_db));
    let off = speech.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(speech.len() == expected.len() && off < 1e-6, "{off}");
    let (found, _) = heard("right.wav", 2, &spread(|x| vec![-0.7 * x, x]));
    assert_eq!(found.mix, Mix::Right);
    // The front speakers of six.
    let (found, _) = heard("surround.wav", 6, &spread(|x| vec![x, -x, 0.0, 0.0, 0.0, 0.0]));
    assert!(found.mix == Mix::Left && found.level_95_db > alone.level_95_db - 10.0, "{found:?}");
    let (found, _) = heard("stereo.wav", 2, &spread(|x| vec![x, x]));
    assert_eq!(found.mix, Mix::Both);
}
