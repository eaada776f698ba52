//! A day: quiet at night, busy in the evening, once all come at the same time.

use crate::farm::{Farm, MINUTE, S, STEP};
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_domain::time::Mono;
use mouthpiece_domain::warm_pool::ScalingMode;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const MOST: u32 = 40;
const SHRINK_AFTER: Duration = Duration::from_secs(600);
/// A session's length on average.
const LENGTH: f64 = 240.0;

fn settings() -> ControlSettings {
    ControlSettings {
        scaling: ScalingMode::Own,
        max_workers: MOST,
        shrink_after: SHRINK_AFTER,
        sweep_every: 10 * S,
        book_every: HOUR,
        ..ControlSettings::default()
    }
}

/// Sessions a second at this time of day: from one in five minutes to ten a minute.
fn rate(since: Duration) -> f64 {
    let turn = since.as_secs_f64() / (24.0 * 3600.0) * std::f64::consts::TAU;
    let (least, most) = (1.0 / 300.0, 1.0 / 6.0);
    least + (most - least) * (1.0 - turn.cos()) / 2.0
}

/// Lives through a span of the day.
fn live(farm: &mut Farm, begun: Mono, until: Duration, mut at_each: impl FnMut(&mut Farm)) {
    while farm.now - begun < until {
        let mut left = STEP.as_secs_f64() * rate(farm.now - begun);
        loop {
            left -= farm.dice.exponential(1.0);
            if left < 0.0 {
                break;
            }
            let length = Duration::from_secs_f64(farm.dice.exponential(LENGTH).max(10.0));
            farm.submit(length, 10 * MINUTE);
        }
        farm.step();
        at_each(farm);
    }
}

/// After the number of those that shall stay rose, nobody decides that it was too many for as long as it takes to be sure.
fn does_not_saw(farm: &Farm) {
    let mut rose: Option<Mono> = None;
    for pair in farm.said.windows(2) {
        let [(_, before, by), (at, after, who)] = pair else { continue };
        if by != who {
            rose = None;
        } else if after > before {
            rose = Some(*at);
        } else if let Some(rose) = rose {
            assert!(*at - rose >= SHRINK_AFTER, "up and down within {:?}: {:?}", *at - rose, farm.said);
        }
    }
}

fn falls(farm: &Farm) -> usize {
    farm.said.windows(2).filter(|pair| pair[1].1 < pair[0].1).count()
}

#[test]
fn a_day_with_one_coordinator() {
    let mut farm = Farm::new(7, 1, settings());
    let begun = farm.now;
    let mut most = 0;
    live(&mut farm, begun, 24 * HOUR, |farm| {
        most = most.max(farm.machines.len());
        assert!(farm.machines.len() <= MOST as usize);
    });
    let counts = &farm.counts;
    assert_eq!((counts.turned_away, counts.not_in_time), (0, 0));
    assert_eq!(counts.placed_again, 0, "one coordinator does not choose who has just got a session");
    let mut waits = counts.waits.clone();
    waits.sort_unstable();
    let waited = waits.iter().filter(|wait| **wait > Duration::ZERO).count();
    let idle = 1.0 - counts.busy_slot_seconds / (2.0 * counts.machine_seconds);
    println!(
        "sessions {}, that waited {waited}, longest wait {:?}, machines started {}, most at a time {most}, said {}, \
         idle or starting {:.1}%, start-up learned {:?}",
        counts.accepted,
        waits.last().unwrap(),
        counts.started,
        farm.said.len(),
        idle * 100.0,
        farm.coordinators[0].control.scaling_counts(farm.now).start_up,
    );
    assert!(waited * 20 < waits.len(), "{waited} of {} had to wait", waits.len());
    assert!((20..=34).contains(&most), "40 sessions at the most, two a machine, two idle: {most}");
    assert!(counts.started <= 200, "{} machines were started for {most} at a time", counts.started);
    let learned = farm.coordinators[0].control.scaling_counts(farm.now).start_up;
    assert!((80 * S..=145 * S).contains(&learned), "{learned:?}");
    // At night two idle ones are kept and little more.
    live(&mut farm, begun, 26 * HOUR, |_| {});
    assert!(farm.machines.len() <= 6, "{}", farm.machines.len());
}

#[test]
fn what_is_said_does_not_saw() {
    for seed in 0..4 {
        let mut farm = Farm::new(seed, 1, settings());
        farm.now = farm.now + 17 * HOUR;
        let begun = Mono(1_000_000);
        live(&mut farm, begun, 23 * HOUR, |_| {});
        assert!(falls(&farm) > 3, "it does become smaller");
        does_not_saw(&farm);
    }
}

#[test]
fn all_at_once() {
    let mut farm = Farm::new(3, 1, settings());
    let begun = farm.now;
    while farm.now - begun < HOUR / 4 {
        farm.step();
    }
    assert_eq!(farm.machines.len(), 2, "two idle ones are kept");
    for _ in 0..60 {
        farm.submit(20 * MINUTE, 10 * MINUTE);
    }
    let asked = farm.now;
    farm.step();
    assert!((32..=MOST).contains(&farm.wished), "30 for those that are there and two: {}", farm.wished);
    while farm.counts.waits.len() < 60 {
        farm.step();
        assert!(farm.now - asked < 3 * MINUTE, "they wait for longer than machines take to start");
    }
    let most = farm.wished;
    while farm.now - asked < HOUR {
        farm.step();
    }
    assert_eq!((farm.counts.completed, farm.machines.len()), (60, 2), "they have gone, and so have the machines");
    assert!(farm.counts.started <= most);
    does_not_saw(&farm);
}

/// Two coordinators, each with a part of the news; the one that decides dies twice, a new one comes.
#[test]
fn two_coordinators_agree() {
    let mut farm = Farm::new(11, 2, settings());
    let begun = Mono(1_000_000);
    farm.now = farm.now + 8 * HOUR;
    let mut most = 0;
    let mut died = 0;
    live(&mut farm, begun, 20 * HOUR, |farm| {
        most = most.max(farm.machines.len());
        assert!(farm.machines.len() <= MOST as usize);
        let due = [11 * HOUR, 15 * HOUR].get(died).is_some_and(|at| farm.now - begun > *at);
        if due && let Some(decider) = farm.decider() {
            farm.coordinators[decider].alive = false;
            farm.coordinator();
            died += 1;
        }
    });
    assert_eq!(died, 2);
    let counts = &farm.counts;
    println!("sessions {}, started {}, placed again {}", counts.accepted, counts.started, counts.placed_again);
    assert_eq!((counts.turned_away, counts.not_in_time), (0, 0));
    assert!(counts.waits.len() + farm.open() >= counts.accepted as usize, "nobody was lost");
    assert!(counts.completed as usize + farm.open() == counts.accepted as usize, "nobody was lost");
    let deciders: Vec<usize> = {
        let mut who: Vec<usize> = farm.said.iter().map(|(.., who)| *who).collect();
        who.dedup();
        who
    };
    assert_eq!(deciders.len(), 3, "one after the other, not in turn: {deciders:?}");
    assert!((18..=34).contains(&most), "{most}");
    // Who decides learns a little late which of those that leave have left, so the number alone does not show who was chosen.
    assert!(counts.started <= 220, "{} machines were started", counts.started);
}
