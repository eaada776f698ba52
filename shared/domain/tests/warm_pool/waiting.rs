//! Demand beyond what is there: who waits, who is turned away.

use crate::farm::{Farm, MINUTE, S};
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_domain::warm_pool::ScalingMode;
use std::time::Duration;

/// Over so long a time a few sessions are none.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A farm whose two machines are full, and which knows that sessions take ten minutes.
fn full(max_workers: u32, arrival_window: Duration) -> Farm {
    let settings = ControlSettings {
        scaling: ScalingMode::Own,
        max_workers,
        warm_workers: 0,
        arrival_window,
        shrink_after: 60 * MINUTE,
        ..ControlSettings::default()
    };
    let mut farm = Farm::new(5, 1, settings);
    farm.start_up = (60.0, 60.0);
    for round in 1..=3 {
        while farm.open() > 0 || round == 1 && farm.counts.accepted > 0 {
            farm.step();
        }
        for _ in 0..4 {
            farm.submit(10 * MINUTE, 30 * MINUTE);
        }
        while farm.machines.len() < 2 || farm.counts.waits.len() < round * 4 {
            farm.step();
        }
    }
    farm
}

#[test]
fn at_the_ceiling_who_cannot_be_served_in_time_is_turned_away_at_once() {
    let mut farm = full(2, DAY);
    let before = farm.counts.turned_away;
    farm.submit(MINUTE, MINUTE);
    assert_eq!(farm.counts.turned_away, before + 1, "ten minutes is more than one");
    farm.submit(MINUTE, 15 * MINUTE);
    assert_eq!(farm.counts.turned_away, before + 1, "it waits");
    let until = farm.now + 15 * MINUTE;
    while farm.now < until {
        farm.step();
    }
    assert_eq!((farm.counts.not_in_time, farm.open()), (0, 0));
}

#[test]
fn below_the_ceiling_it_is_worth_waiting_for_a_machine() {
    let mut farm = full(4, DAY);
    let before = farm.counts.turned_away;
    farm.submit(MINUTE, 20 * S);
    assert_eq!(farm.counts.turned_away, before + 1, "no machine starts in 20 seconds");
    farm.submit(MINUTE, 3 * MINUTE);
    assert_eq!(farm.counts.turned_away, before + 1, "one will be there in time");
    let until = farm.now + 3 * MINUTE;
    while farm.now < until {
        farm.step();
    }
    assert_eq!((farm.counts.not_in_time, farm.counts.waits.len()), (0, 13));
}

#[test]
fn who_was_turned_away_counts_as_demand() {
    let mut farm = full(20, 5 * MINUTE);
    while farm.counts.turned_away == 0 {
        farm.submit(10 * MINUTE, 20 * S);
    }
    farm.step();
    let (wished, open) = (farm.wished, farm.open());
    for _ in 0..40 {
        farm.submit(10 * MINUTE, 20 * S);
    }
    farm.step();
    assert_eq!((farm.counts.turned_away, farm.open()), (41, open));
    assert!(farm.wished > wished, "{} as before", farm.wished);
}

#[test]
fn who_waits_in_vain_is_told_so_at_the_deadline() {
    let settings =
        ControlSettings { scaling: ScalingMode::Own, max_workers: 1, warm_workers: 0, ..ControlSettings::default() };
    let mut farm = Farm::new(5, 1, settings);
    farm.step();
    for _ in 0..3 {
        farm.submit(60 * MINUTE, 5 * MINUTE);
    }
    let asked = farm.now;
    while farm.counts.not_in_time == 0 {
        farm.step();
        assert!(farm.now - asked <= 6 * MINUTE);
    }
    assert!(farm.now - asked >= 5 * MINUTE);
    assert_eq!((farm.counts.waits.len(), farm.counts.not_in_time), (2, 1));
}
