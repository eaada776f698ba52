//! A short fault run: real coordinators, workers and servers, and everything breaks. Needs Postgres, RabbitMQ, Redis and the
//! ONNX Runtime library.

#![cfg(all(feature = "cloud", feature = "loadtest"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::process::Command;

use serde_json::Value;

const PORTRAIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/portrait.png");

fn chaos(args: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mouthpiece"));
    command.args(["loadtest", "chaos", "--portrait", PORTRAIT]).args(args).output().unwrap()
}

#[test]
fn nothing_is_lost_and_nothing_runs_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (history, logs) = (folder.path().join("history.jsonl"), folder.path().join("logs"));
    let kept = ["--history", history.to_str().unwrap(), "--logs", logs.to_str().unwrap()];
    let run = chaos(&[&["--seconds", "20", "--seed", "3", "--json"], &kept[..]].concat());
    let told = String::from_utf8_lossy(&run.stderr);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap_or_else(|e| panic!("{e}: {told}"));
    let verdict = &report["verdict"];
    if verdict["violations"] != Value::Array(Vec::new()) {
        // What a second run would not show again.
        let kept = folder.keep();
        panic!("{:#}\n{told}\nkept: {}", verdict["violations"], kept.display());
    }
    assert!(run.status.success(), "{told}");
    let counts = &verdict["counts"];
    let sum = |of: &str| counts[of].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>();
    assert!(sum("faults") >= 5 && sum("requests") >= 5 && counts["placements"].as_u64() >= Some(5), "{counts:#}");
    assert!(counts["billed_ms"].as_u64() > Some(0) && counts["frames"].as_u64() > Some(0), "{counts:#}");
    // The history is complete: what it says is what was counted.
    let events = std::fs::read_to_string(history).unwrap().lines().count();
    assert_eq!(counts["events"], events);
}

#[test]
fn a_plan_is_printed_without_a_run() {
    let plan = |seed| chaos(&["--plan", "--seconds", "60", "--seed", seed]);
    let (one, again, other) = (plan("1"), plan("1"), plan("2"));
    assert!(one.status.success() && !one.stdout.is_empty());
    assert_eq!(one.stdout, again.stdout);
    assert_ne!(one.stdout, other.stdout);
}
