//! The neural engine on the command line, with the twins of its graphs.

use crate::fixtures;
use crate::scene::Scene;

const TWINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/twins");

#[test]
fn the_neural_engine_renders() {
    let scene = Scene::new();
    scene.file("short.wav", &fixtures::speech(0.4));
    let report = scene.report(
        "portrait.png",
        "short.wav",
        &["--engine", "musetalk", "--graphs", TWINS, "--decoder", "tiny", "--provider", "cpu", "--size", "128"],
    );
    assert_eq!((&report["engine"], &report["frames"]), (&"musetalk".into(), &10.into()));
    assert!(scene.film().is_file());
}

#[test]
fn graphs_that_are_not_there_are_named() {
    let scene = Scene::new();
    let run = scene.render("portrait.png", "speech.wav", &["--engine", "musetalk", "--graphs", "nowhere"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for words in ["the graph 'whisper' is missing", "nowhere/whisper.onnx", "models/export/export.py"] {
        assert!(run.stderr.contains(words), "{run:?}");
    }
    assert_eq!(scene.written(), [""; 0]);
}

#[test]
fn settings_of_neural_engines_are_judged() {
    let scene = Scene::new();
    scene.file("mouthpiece.toml", b"[neural]\nprovider = 'abacus'\ndecoder = 'large'\ndevice = 64");
    let run = scene.run(&["config"]);
    assert_eq!(run.code, Some(2));
    for words in
        ["neural.provider: \"abacus\" is none of", "neural.decoder: \"large\"", "neural.device: 64 is not within"]
    {
        assert!(run.stderr.contains(words), "{run:?}");
    }
}
