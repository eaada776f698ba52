//! `mouthpiece config`

use crate::scene::Scene;

#[test]
fn the_defaults_are_a_file_that_changes_nothing() {
    let scene = Scene::new();
    let defaults = scene.run(&["config", "--defaults"]);
    assert_eq!((defaults.code, defaults.stderr.as_str()), (Some(0), ""));
    let before = scene.run(&["config"]).stdout.replace("# default", "# mouthpiece.toml");
    scene.file("mouthpiece.toml", defaults.stdout.as_bytes());
    assert_eq!(scene.run(&["config"]).stdout, before);
}

#[test]
fn each_value_is_shown_with_its_source() {
    let scene = Scene::new();
    scene.file("mouthpiece.toml", b"[worker]\nslots = 1\nname = 'file'");
    scene.file("other.toml", b"[worker]\nname = 'other'");
    let run = scene.command(&["config"]).env("MOUTHPIECE_WORKER__NAME", "variable").output().unwrap();
    let told = String::from_utf8(run.stdout).unwrap();
    for (value, from) in
        [("slots = 1", "mouthpiece.toml"), ("name = \"variable\"", "environment MOUTHPIECE_WORKER__NAME")]
    {
        assert!(told.lines().any(|l| l.starts_with(value) && l.ends_with(&format!("# {from}"))), "{told}");
    }
    let named = scene.run(&["config", "--config", "other.toml"]).stdout;
    assert!(named.contains("name = \"other\"") && named.contains("slots = 2"), "{named}");
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_shown() {
    let scene = Scene::new();
    scene.refuses(&["config", "--config", "none.toml"], &["'none.toml' cannot be read"]);
    scene.file("mouthpiece.toml", b"[http]\nprot = 1");
    scene.refuses(&["config"], &["http.prot is not a setting (mouthpiece.toml); did you mean http.port?"]);
    scene.file("mouthpiece.toml", b"[http]\nport = 'x'\n[log]\nlevel = '?=?'");
    let run = scene.run(&["config"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("\n  http.port: ") && run.stderr.contains("\n  log.level: "), "{run:?}");
}
