//! `eval --lse --fid`, with the twins of the networks that judge: what they say means nothing, how it is come by does.

use crate::fixtures;
use crate::scene::{Run, Scene};
use serde_json::Value;

const TWINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/twins");

/// A film of five seconds.
fn filmed() -> Scene {
    let scene = Scene::new();
    scene.file("long.wav", &fixtures::speech(5.0));
    let run = scene.render("portrait.png", "long.wav", &["--size", "160"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    scene
}

fn eval(scene: &Scene, more: &[&str]) -> Run {
    scene.run(&[&["eval", "out/film.mp4", "--graphs", TWINS], more].concat())
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {run:?}"))
}

#[test]
fn a_film_is_judged_and_targets_decide_how_the_command_ends() {
    let scene = filmed();
    let easy = ["--lse", "--lse-d-max", "1e9", "--lse-c-min=-1"];
    let run =
        eval(&scene, &[&easy[..], &["--fid", "--reference", "out/film.mp4", "--fid-max", "0.01", "--json"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = json(&run);
    let lse = &report["lse"];
    assert!(lse["d"].as_f64().unwrap() > 0.0 && lse["c"].as_f64().unwrap() >= 0.0, "{lse}");
    // 5 s are 125 frames, of which the last four begin no window, and the procedure takes one less.
    assert!((115..=125).contains(&lse["windows"].as_u64().unwrap()), "{lse}");
    let fid = &report["fid"];
    assert!(fid["distance"].as_f64().unwrap() < 1e-3 && fid["frames"] == fid["reference_frames"], "{fid}");
    assert!(report["warnings"].to_string().contains("2048 frames"), "{report}");

    let run = eval(&scene, &["--lse", "--lse-d-max", "0"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stdout.contains("LSE-D") && run.stdout.contains("LSE-C"), "measured all the same: {run:?}");
    assert!(run.stderr.contains("not as good as asked for: LSE-D is"), "{run:?}");
}

#[test]
fn another_film_is_further_away() {
    let scene = filmed();
    let dark = ["-y", "-v", "error", "-i", "out/film.mp4", "-vf", "negate", "dark.mp4"];
    let made = std::process::Command::new("ffmpeg").args(dark).current_dir(scene.path(".")).status().unwrap();
    assert!(made.success());
    let run = eval(&scene, &["--fid", "--reference", "dark.mp4", "--fid-max", "1e-3", "--json"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(json(&run)["fid"]["distance"].as_f64().unwrap() > 1e-3);
    assert!(json(&run)["lse"].is_null(), "nobody asked");
}

#[test]
fn a_film_that_is_too_short_is_said_to_be() {
    let scene = Scene::new();
    assert_eq!(scene.render("portrait.png", "speech.wav", &["--size", "160"]).code, Some(0));
    let run = eval(&scene, &["--lse", "--json"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let report = json(&run);
    assert!(report["lse"].is_null() && report["unmeasured"]["lse"].to_string().contains("more than 4 s"), "{report}");
}

#[test]
fn without_their_networks_nothing_is_printed() {
    let scene = Scene::new();
    assert_eq!(scene.render("portrait.png", "speech.wav", &["--size", "160"]).code, Some(0));
    for (asked, file, weights) in [
        (&["--lse"][..], "nowhere/syncnet_audio.onnx", "'mouthpiece models fetch syncnet'"),
        (&["--fid", "--reference", "out/film.mp4"], "nowhere/inception.onnx", "'mouthpiece models fetch inception'"),
    ] {
        let run = scene.run(&[&["eval", "out/film.mp4", "--graphs", "nowhere"], asked].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
        for words in [file, weights, "mouthpiece models export", "neural.graphs"] {
            assert!(run.stderr.contains(words), "{words}: {run:?}");
        }
    }
}

#[test]
fn a_graph_that_is_another_one_is_named() {
    let scene = Scene::new();
    assert_eq!(scene.render("portrait.png", "speech.wav", &["--size", "160"]).code, Some(0));
    std::fs::copy(format!("{TWINS}/whisper.onnx"), scene.path("syncnet_audio.onnx")).unwrap();
    let run = scene.run(&["eval", "out/film.mp4", "--graphs", ".", "--lse"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("has the inputs mel, wanted mfcc"), "{run:?}");
}

#[test]
fn what_belongs_together_is_asked_for_together() {
    let scene = Scene::new();
    for (asked, told) in [
        (&["--fid"][..], "--reference"),
        (&["--reference", "out/film.mp4"], "--fid"),
        (&["--fid-max", "3"], "--fid"),
        (&["--lse-d-max", "3"], "--lse"),
    ] {
        let run = eval(&scene, asked);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(told), "{run:?}");
    }
}
