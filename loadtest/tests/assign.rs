//! A small farm under load: everything that was accepted is accounted for, asked directly and over HTTP.

use mouthpiece_loadtest::{AssignOptions, LoadError, Pace, assign};

fn small(pace: Pace, over_http: bool) -> AssignOptions {
    AssignOptions { workers: 4, slots: 2, sessions: 100, pace, over_http, folder: None }
}

#[test]
fn flat_out_every_session_is_assigned_ended_and_booked() {
    let r = assign(&small(Pace::FlatOut { in_flight: 8 }, false)).unwrap();
    assert_eq!((r.sessions, r.audit.sessions, r.turned_away), (90, 100, 0));
    assert_eq!(r.audit.delivered_ms, 1000 * (100 + r.audit.placed_again));
    assert_eq!((r.accepted_ms.count, r.assigned_ms.count, r.ended_ms.count), (90, 90, 90));
    assert!(r.assigned_ms.p50 <= r.assigned_ms.p99 && r.assigned_ms.max <= r.ended_ms.max, "{r:?}");
    assert!(r.sessions_per_second > 0.0);
}

#[test]
fn more_sessions_than_slots_wait_their_turn() {
    let r = assign(&small(Pace::FlatOut { in_flight: 64 }, false)).unwrap();
    assert_eq!((r.audit.sessions, r.turned_away), (100, 0));
}

#[test]
fn a_timetable_is_kept_over_http_too() {
    let r = assign(&small(Pace::PerSecond(200.0), true)).unwrap();
    // One more: the render that registers the avatar.
    assert_eq!((r.sessions, r.audit.sessions), (90, 101));
    assert!(r.seconds >= 89.0 / 200.0, "{r:?}");
}

#[test]
fn options_out_of_range_are_refused() {
    let none = AssignOptions { workers: 0, ..small(Pace::FlatOut { in_flight: 1 }, false) };
    assert!(matches!(assign(&none), Err(LoadError::Options(_))));
    let still = small(Pace::PerSecond(0.0), false);
    assert!(matches!(assign(&still), Err(LoadError::Options(_))));
}
