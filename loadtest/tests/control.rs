//! The brain under load ends every session that it accepts, and the run is determined by its seed.

use mouthpiece_loadtest::{ControlOptions, LoadError, control_events};

fn small(load: f64, seed: u64) -> ControlOptions {
    ControlOptions { events: 60_000, workers: 200, slots: 2, load, seed }
}

#[test]
fn a_half_busy_farm_turns_nobody_away() {
    let r = control_events(&small(0.5, 1)).unwrap();
    assert!(r.events >= 60_000 && r.accepted > 500, "{r:?}");
    assert_eq!(r.turned_away, 0);
    assert!(r.requeued > 0, "refusals and lost workers are part of the mix: {r:?}");
    for sort in ["submit", "heartbeat", "report", "written", "claimed", "sent", "cancel", "tick"] {
        assert!(r.sorts[sort].events > 0, "no {sort}: {r:?}");
    }
    assert_eq!(r.sorts.values().map(|s| s.events).sum::<u64>(), r.events);
}

#[test]
fn an_overloaded_farm_turns_some_away_and_ends_the_rest() {
    let r = control_events(&small(20.0, 1)).unwrap();
    assert!(r.turned_away > 0 && r.accepted > 0, "{r:?}");
}

#[test]
fn the_seed_determines_the_run() {
    let figures = |seed| {
        let r = control_events(&small(0.9, seed)).unwrap();
        (r.events, r.effects, r.accepted, r.requeued, r.virtual_seconds.to_bits())
    };
    assert_eq!(figures(7), figures(7));
    assert_ne!(figures(7), figures(8));
}

#[test]
fn options_out_of_range_are_refused() {
    let wrong = ControlOptions { workers: 0, ..ControlOptions::default() };
    assert!(matches!(control_events(&wrong), Err(LoadError::Options(_))));
}
