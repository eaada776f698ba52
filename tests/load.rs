//! Short load tests: two coordinators as processes on real Postgres, RabbitMQ and Redis. Everything is placed once and accounted
//! for, and the report has its numbers, whatever they are.

#![cfg(all(feature = "cloud", feature = "loadtest"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use serde_json::Value;
use std::process::{Command, Output};

fn assign(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mouthpiece"));
    command.args(["loadtest", "assign", "--json"]).args(args).output().unwrap()
}

fn report(args: &[&str]) -> Value {
    let run = assign(args);
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");
    serde_json::from_slice(&run.stdout).unwrap_or_else(|e| panic!("{e}: {told}"))
}

/// What was used has a line for everybody, with memory.
fn all_used(used: &Value) {
    let names: Vec<_> = used.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let expected = ["coordinator-0", "coordinator-1", "postgres", "rabbitmq", "redis", "callers and workers"];
    assert_eq!(names, expected);
    for one in used.as_array().unwrap() {
        assert!(one["cpu"].as_f64().unwrap() >= 0.0 && one["resident_mib"].as_f64().unwrap() > 1.0, "{used:#}");
    }
}

#[test]
fn two_coordinators_place_every_session_once() {
    let r = report(&["--stores", "private", "--workers", "10", "--sessions", "200"]);
    // One more: the avatar's preparation.
    assert_eq!((r["sessions"].as_u64(), r["audit"]["sessions"].as_u64()), (Some(180), Some(201)), "{r:#}");
    assert_eq!(r["turned_away"], 0);
    for span in ["accepted_ms", "assigned_ms", "ended_ms"] {
        assert_eq!(r[span]["count"], 180);
        assert!(r[span]["p50"].as_f64().unwrap() > 0.0, "{r:#}");
    }
    assert!(r["sessions_per_second"].as_f64().unwrap() > 0.0);
    all_used(&r["used"]);
}

#[test]
fn sessions_are_held_and_booked_to_the_millisecond() {
    let r = report(&["--stores", "private", "--workers", "10", "--hold", "1", "--rate", "50"]);
    assert_eq!((r["held"]["sessions"].as_u64(), r["audit"]["sessions"].as_u64()), (Some(20), Some(21)), "{r:#}");
    // Each delivered all the while that it was held.
    assert!(r["audit"]["delivered_ms"].as_u64() >= Some(20 * 1000), "{r:#}");
    for used in ["workers_alone", "with_sessions"] {
        all_used(&r["held"][used]);
    }
}

#[test]
fn what_cannot_be_is_refused_at_once() {
    for (args, told) in [
        (&["--hold", "5"][..], "--hold measures coordinators as processes"),
        (&["--stores", "given"][..], "MOUTHPIECE_STORES__RECORDS is not set"),
        (&["--stores", "private", "--hold", "5", "--workers", "10", "--sessions", "21"][..], "need a slot each"),
        (&["--stores", "private", "--folder", "."][..], "cannot be used with"),
    ] {
        let refused = assign(args);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(told), "{args:?}: {said}");
    }
}
