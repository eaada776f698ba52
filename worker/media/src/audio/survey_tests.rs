use std::io::Write;

use super::*;
use crate::mux::fixtures::{file, tone, wav, wav_header};

fn surveyed(path: &std::path::Path) -> Survey {
    survey(path, &Limits::default(), &mut |_| true).unwrap()
}

#[test]
fn speech_level_ignores_the_pauses() {
    let dir = tempfile::tempdir().unwrap();
    let mut samples = tone(16_000, 1, 1.0, 200.0);
    samples.extend(vec![0.0; 48_000]);
    samples.extend(tone(16_000, 1, 1.0, 200.0));
    let found = surveyed(&file(dir.path(), "a.wav", &wav(16_000, 1, 3, &samples)));
    assert_eq!((found.samples_16k, found.seconds, found.silent), (80_000, 5.0, false));
    assert!((found.active_rms - 0.5 / 2_f32.sqrt()).abs() < 0.01, "{}", found.active_rms);
    assert!((found.peak - 0.5).abs() < 0.01);
    assert!((found.level_95_db + 9.03).abs() < 0.2, "{}", found.level_95_db);
    assert_eq!(found.warnings, []);
}

#[test]
fn silence_is_told_from_a_whisper() {
    let dir = tempfile::tempdir().unwrap();
    let silent = surveyed(&file(dir.path(), "a.wav", &wav(16_000, 1, 1, &vec![0.0; 16_000])));
    assert!(silent.silent && silent.peak == 0.0 && silent.active_rms == 0.0 && silent.level_95_db == -120.0);
    let hiss: Vec<f32> = tone(16_000, 1, 1.0, 200.0).iter().map(|x| x * 0.001).collect();
    assert!(surveyed(&file(dir.path(), "a.wav", &wav(16_000, 1, 3, &hiss))).silent);
    let whisper: Vec<f32> = tone(16_000, 1, 1.0, 200.0).iter().map(|x| x * 0.01).collect();
    assert!(!surveyed(&file(dir.path(), "a.wav", &wav(16_000, 1, 3, &whisper))).silent);
}

#[test]
fn a_survey_can_be_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "a.wav", &wav(8_000, 1, 1, &tone(8_000, 1, 10.0, 200.0)));
    let mut told = Vec::new();
    let stopped = survey(&path, &Limits::default(), &mut |seconds| {
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
    let found = survey(&hour, &Limits::default(), &mut |_| {
        most = most.max(resident());
        true
    })
    .unwrap();
    assert_eq!((found.seconds, found.samples_16k), (3600.0, 57_600_000));
    assert!((found.active_rms - 0.5 / 2_f32.sqrt()).abs() < 0.01);
    assert!(most < before + (4 << 20), "{} MiB more", most.saturating_sub(before) >> 20);
}
