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
    for words in ["the graph 'whisper' is missing", "nowhere/whisper.onnx", "mouthpiece models export"] {
        assert!(run.stderr.contains(words), "{run:?}");
    }
    assert_eq!(scene.written(), [""; 0]);
}

#[test]
fn settings_of_neural_engines_are_judged() {
    let scene = Scene::new();
    scene.file("mouthpiece.toml", b"[neural]\nprovider = 'abacus'\ndecoder = 'large'\nlaunch = 'fast'\ndevice = 64");
    let run = scene.run(&["config"]);
    assert_eq!(run.code, Some(2));
    for words in [
        "neural.provider: \"abacus\" is none of",
        "neural.decoder: \"large\"",
        "neural.launch: \"fast\"",
        "neural.device: 64 is not within",
    ] {
        assert!(run.stderr.contains(words), "{run:?}");
    }
}

/// Runs `bench engine` on small things.
fn measured(scene: &Scene, args: &[&str]) -> serde_json::Value {
    scene.file("short.wav", &fixtures::speech(1.5));
    let small = ["bench", "engine", "--portrait", "portrait.png", "--speech", "short.wav", "--size", "128", "--json"];
    let run = scene.run(&[&small[..], &["--calls", "1", "--batches", "1,3"], args].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn engines_are_measured_alone() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("models")).unwrap();
    std::os::unix::fs::symlink(TWINS, scene.path("models/twins")).unwrap();
    let report =
        measured(&scene, &["--engine", "musetalk", "--twin", "--decoder", "tiny", "--provider", "cpu", "--restore"]);
    assert_eq!((&report["engine"], &report["weights"]), (&"musetalk".into(), &"twins, tiny and random".into()));
    let cpu = &report["providers"][0];
    assert_eq!((&cpu["provider"], &cpu["about"]), (&"cpu".into(), &"tiny_decoder by cpu".into()));
    for (batch, wanted) in [(0, 1), (1, 3)] {
        let told = &cpu["batches"][batch];
        assert_eq!(told["batch"], wanted);
        assert!(told["frames_per_second"].as_f64().unwrap() > 0.0 && told["call_ms"]["p50"].as_f64().unwrap() > 0.0);
        let stages: Vec<&str> = told["stages"].as_array().unwrap().iter().filter_map(|s| s["name"].as_str()).collect();
        assert_eq!(stages, ["unet", "decoder", "blend", "restoration"]);
        assert!(told["stages"][3]["ms_a_frame"].as_f64().unwrap() > 0.0, "{told}");
    }
    let puppet = measured(&scene, &[]);
    assert_eq!(puppet["providers"][0]["batches"].as_array().unwrap().len(), 2);
}

#[test]
fn weights_are_called_random_only_where_they_are() {
    let scene = Scene::new();
    let run = scene.run(&["bench", "engine", "--engine", "musetalk", "--graphs", TWINS, "--random-weights"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("models export --random-weights --out FOLDER"), "{run:?}");
    let run = scene.run(&["bench", "engine", "--engine", "musetalk", "--twin"]);
    assert!(run.stderr.contains("models/twins"), "{run:?}");
}

#[test]
fn engines_are_not_built_where_nothing_can_run_them_and_the_remedy_is_told() {
    let scene = Scene::new();
    let run = scene.run(&["models", "build", "--graphs", TWINS]);
    // A GPU build of ONNX Runtime on a machine without TensorRT says it in other words.
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("libnvinfer.so.10"), "{run:?}");
    assert!(!std::path::Path::new(TWINS).join("engines").exists());
}
