//! Ctrl-C, and a request to end, in the middle of a render.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use crate::{fixtures, scene::Scene};

/// Starts a render of two minutes, sends the signal once a line with `words` was printed, and waits for the end.
fn interrupted(signal: &str, words: &str) {
    let scene = Scene::new();
    let speech = fixtures::speech(10.0);
    scene.file("long.wav", &fixtures::wav(24_000, 1, &speech[44..].repeat(12)));
    scene.file("out/film.mp4", b"an older film");
    let args = ["render", "--portrait", "portrait.png", "--speech", "long.wav", "-o", "out/film.mp4"];
    let mut child = scene.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it said '{words}'");
    }
    assert_eq!(scene.written().len(), 2, "the film is made beside the old one");
    assert_eq!(std::fs::read(scene.film()).unwrap(), b"an older film");
    let kill = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
    assert!(kill.success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(rest.ends_with("interrupted: nothing was written\n"), "{rest}");
    assert_eq!(
        (scene.written(), std::fs::read(scene.film()).unwrap()),
        (vec!["film.mp4".into()], b"an older film".into())
    );
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    interrupted("INT", ", encoder ");
}

#[test]
fn a_request_to_end_leaves_nothing_behind_while_progress_is_told() {
    interrupted("TERM", " s left");
}
