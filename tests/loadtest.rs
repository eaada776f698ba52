//! Scenarios: a short one on a farm that is started for it, and how those end that cannot be used or are missed. And simulations, as the
//! command tells of them.

#![cfg(feature = "loadtest")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use serde_json::Value;
use std::fs;
use std::process::{Command, Output};

/// Runs a scenario of this text with further arguments; in the folder of the sources, where the samples are.
fn run(folder: &tempfile::TempDir, scenario: &str, args: &[&str]) -> Output {
    let file = folder.path().join("scenario.toml");
    fs::write(&file, scenario).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mouthpiece"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["loadtest", "run"]).arg(file).args(args);
    command.output().unwrap()
}

/// One session, small and short, with these targets.
fn short(targets: &str) -> String {
    format!("name = \"short\"\n[load]\nsessions = 1\nseconds = 5\n[video]\nsize = 128\n[targets]\n{targets}\n")
}

#[test]
fn a_run_is_reported_as_json_and_as_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let [html, json] = ["report.html", "report.json"].map(|name| folder.path().join(name));
    let args = ["--html", html.to_str().unwrap(), "--report", json.to_str().unwrap(), "--json"];
    // Whatever this machine is busy with, something comes.
    let done = run(&folder, &short("first_frame_p99_ms = 60000\nmissing_percent = 99"), &args);
    let told = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{told}");
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report, serde_json::from_str::<Value>(&fs::read_to_string(&json).unwrap()).unwrap());
    assert_eq!((report["met"].as_bool(), report["live"]["sessions"].as_u64()), (Some(true), Some(1)), "{report:#}");
    assert!(report["live"]["frames"].as_u64() > Some(0), "{report:#}");
    assert_eq!(report["live"]["join_ms"]["count"], 1, "{report:#}");
    assert!(report["farm"]["resident_most_mib"].as_f64() > Some(1.0), "{report:#}");
    assert!(!report["by_second"].as_array().unwrap().is_empty(), "{report:#}");
    let page = fs::read_to_string(&html).unwrap();
    assert!(page.contains("all targets are met") && page.contains("<svg"), "{page}");
}

#[test]
fn a_missed_target_is_a_failure_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(&folder, &short("least_fps = 100000\nmissing_percent = 100"), &[]);
    let told = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{told}");
    assert!(told.contains("1 of 2 targets are missed: least_fps"), "{told}");
    let printed = String::from_utf8_lossy(&done.stdout);
    assert!(printed.contains("MISSED"), "{printed}");
}

#[test]
fn what_cannot_be_run_is_named_with_its_field() {
    let folder = tempfile::tempdir().unwrap();
    for (scenario, told) in [
        (short("least_fps = 1\nfastest = 1"), "line 9: unknown field `fastest`"),
        (short("least_fps = 1").replace("sessions = 1", "sessions = 0"), "load.sessions: it must be 1 to 1000"),
        (short(""), "targets: name at least one"),
    ] {
        let done = run(&folder, &scenario, &[]);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!((done.status.code(), said.contains(told)), (Some(2), true), "{said}");
    }
}

fn simulate(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mouthpiece")).args(["loadtest", "simulate"]).args(args).output().unwrap()
}

#[test]
fn a_simulation_is_told_in_words_in_a_table_and_as_json() {
    let words = simulate(&["--sessions", "10", "--hours", "3", "--shape", "held", "--interruptions", "0"]);
    let told = String::from_utf8_lossy(&words.stdout);
    assert!(words.status.success() && told.contains("$0.00183 a minute; with every slot taken $0.00131"), "{told}");
    let table = simulate(&["--sessions", "5,20", "--hours", "3"]);
    let told = String::from_utf8_lossy(&table.stdout);
    assert_eq!((table.status.code(), told.lines().count()), (Some(0), 3), "{told}");
    let found = simulate(&["--sessions", "20", "--hours", "3", "--find", "--json"]);
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found["sessions"], 20, "{found:#}");
    assert!(found["tries"].as_array().unwrap().iter().all(|one| one["report"]["events"].as_u64() > Some(0)));
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    for (args, told) in [
        (&["--length", "10"][..], "is not a duration such as"),
        (&["--price", "cheap"], "is not an amount of US dollars"),
        (&["--sessions", "0"], "1..=1000000"),
        (&["--find", "--warm-workers", "3"], "cannot be used with"),
        (&["--night", "2"], "night: a share from 0 to 1"),
    ] {
        let refused = simulate(args);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(told), "{args:?}: {said}");
    }
}
