//! How much memory a render takes. Long: run it with `--ignored`, best with `--release`.

use std::{process::Stdio, time::Duration};

use crate::{fixtures, scene::Scene};

/// The most memory that a render of so many seconds of 8 kHz speech held, in MiB.
#[cfg(target_os = "linux")]
fn peak(scene: &Scene, seconds: usize) -> f64 {
    let second: Vec<u8> = fixtures::speech(6.0)[44..].chunks_exact(6).flat_map(|three| [three[0], three[1]]).collect();
    let data: Vec<u8> = second.iter().copied().cycle().take(seconds * 16_000).collect();
    scene.file("speech.wav", &fixtures::wav(8000, 1, &data));
    let args = ["render", "--portrait", "small.png", "--speech", "speech.wav", "-o", "out/film.mp4"];
    let more = ["--still", "--no-blink", "--size", "96", "--json", "--encoder", "x264"];
    let mut child = scene.command(&[&args[..], &more].concat()).stdout(Stdio::null()).spawn().unwrap();
    let mut peak = 0.0_f64;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        // The figure only grows; that of a process which has just ended is gone.
        let facts = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        if let Some(line) = facts.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            peak = peak.max(line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0);
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success());
    peak
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "renders eleven minutes of film"]
fn ten_minutes_take_no_more_memory_than_one() {
    let scene = Scene::new();
    let face = image::imageops::crop_imm(&fixtures::portrait(), 104, 40, 150, 150).to_image();
    face.save(scene.path("small.png")).unwrap();
    let (one, ten) = (peak(&scene, 60), peak(&scene, 600));
    println!("one minute: {one:.1} MiB, ten minutes: {ten:.1} MiB");
    assert!(ten - one < 30.0, "one minute: {one:.1} MiB, ten minutes: {ten:.1} MiB");
}
