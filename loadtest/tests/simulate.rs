//! The fleet under virtual time: its figures are those of a sum on paper, its shortcuts change nothing, its seed determines it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_domain::control::ControlSettings;
use mouthpiece_loadtest::LoadError;
use mouthpiece_loadtest::simulate::{
    BeatDetail, DemandShape, FindTerms, LengthSpread, SimulateOptions, SimulateReport, find_warm_pool, simulate,
};
use std::time::Duration;

fn run(options: &SimulateOptions) -> SimulateReport {
    simulate(options, &mut |_| {}).unwrap()
}

fn warm(workers: u32) -> ControlSettings {
    ControlSettings { warm_workers: workers, ..SimulateOptions::default().brain }
}

/// Sessions that are there all day need half as many machines of two slots, and two more.
#[test]
fn sessions_that_are_held_cost_what_the_sum_on_paper_says() {
    let held = |sessions, micro_usd_per_hour| {
        run(&SimulateOptions {
            shape: DemandShape::Held,
            sessions,
            interruptions_per_hour: 0.0,
            micro_usd_per_hour: vec![micro_usd_per_hour],
            hours: 6,
            ..SimulateOptions::default()
        })
    };
    for (sessions, machines) in [(1, 3), (10, 7), (100, 52)] {
        let r = held(sessions, 157_000);
        let paper = f64::from(machines) * 0.157 / 60.0 / f64::from(sessions);
        let told = r.usd_per_minute.unwrap();
        assert_eq!((r.most_machines, r.started, r.asked), (machines, 0, 0), "{r:?}");
        assert!((told - paper).abs() < 1e-9, "{told} is not {paper}");
        assert!((r.marginal_usd_per_minute.unwrap() - 0.157 / 120.0).abs() < 1e-9);
        assert!((r.machine_hours - 6.0 * f64::from(machines)).abs() < 1e-6 && r.starting_share == 0.0, "{r:?}");
    }
    // With the price rounded to 16 cents, to the digits that documents quote.
    let told = [1, 10, 100].map(|sessions| held(sessions, 160_000).usd_per_minute.unwrap());
    let quoted = [(told[0], 0.0080, 1e-4), (told[1], 0.0019, 1e-4), (told[2], 0.00139, 1e-5)];
    assert!(quoted.iter().all(|(told, quoted, digit)| (told - quoted).abs() <= digit / 2.0), "{told:?}");
}

fn evening(detail: BeatDetail, seed: u64) -> SimulateReport {
    run(&SimulateOptions {
        sessions: 40,
        hours: 14,
        interruptions_per_hour: 0.2,
        micro_usd_per_hour: vec![157_000, 171_000],
        detail,
        seed,
        ..SimulateOptions::default()
    })
}

#[test]
fn heartbeats_that_change_nothing_change_nothing() {
    for seed in [1, 2] {
        let (seldom, each) = (evening(BeatDetail::Changes, seed), evening(BeatDetail::EverySecond, seed));
        assert!(each.events > 10 * seldom.events, "{} and {}", each.events, seldom.events);
        // The same callers come. What is looked at once a second is looked at in other milliseconds.
        assert_eq!(seldom.asked, each.asked);
        for (name, a, b) in [
            ("dollars", seldom.usd, each.usd),
            ("minutes", seldom.delivered_minutes, each.delivered_minutes),
            ("busy", seldom.busy_share, each.busy_share),
            ("most machines", seldom.most_machines.into(), each.most_machines.into()),
        ] {
            assert!((a / b - 1.0).abs() < 0.03, "{name}: {a} and {b}");
        }
        assert!((seldom.unserved_share - each.unserved_share).abs() < 0.005, "{seldom:?} {each:?}");
        assert!((seldom.wait_s.waited - each.wait_s.waited).abs() < 0.02, "{seldom:?} {each:?}");
        assert!(seldom.moved > 0 && each.moved > 0, "{seldom:?} {each:?}");
    }
}

#[test]
fn the_seed_determines_the_day() {
    let figures = |seed| {
        let r = evening(BeatDetail::Changes, seed);
        (r.events, r.asked, r.usd.to_bits(), r.moved, r.wait_s.waited.to_bits())
    };
    assert_eq!(figures(7), figures(7));
    assert_ne!(figures(7), figures(8));
}

#[test]
fn a_day_in_parts_is_the_day() {
    let day = |parts| run(&SimulateOptions { sessions: 400, parts, ..SimulateOptions::default() });
    let (whole, parts) = (day(1), day(3));
    // Other callers come, as with another seed.
    for (name, a, b, within) in [
        ("dollars", whole.usd, parts.usd, 0.03),
        ("minutes", whole.delivered_minutes, parts.delivered_minutes, 0.03),
        ("callers", whole.asked as f64, parts.asked as f64, 0.03),
        ("machine hours", whole.machine_hours, parts.machine_hours, 0.03),
        ("most machines", whole.most_machines.into(), parts.most_machines.into(), 0.1),
    ] {
        assert!((a / b - 1.0).abs() < within, "{name}: {a} and {b}");
    }
    assert_eq!((whole.virtual_hours, parts.virtual_hours), (25, 27), "an hour before each");
    assert!((parts.busy_share + parts.idle_share + parts.starting_share - 1.0).abs() < 1e-6, "{parts:?}");
    let again = day(3);
    assert_eq!((parts.events, parts.asked, parts.usd.to_bits()), (again.events, again.asked, again.usd.to_bits()));
}

#[test]
fn a_day_adds_up() {
    let r = run(&SimulateOptions { sessions: 200, ..SimulateOptions::default() });
    let shares = r.busy_share + r.idle_share + r.starting_share;
    assert!((shares - 1.0).abs() < 1e-6, "{r:?}");
    assert!((r.usd - r.machine_hours * 0.157).abs() < 0.01, "{r:?}");
    assert!((r.usd_per_minute.unwrap() - r.usd / r.delivered_minutes).abs() < 1e-6, "{r:?}");
    assert!(r.usd_per_minute > r.marginal_usd_per_minute, "{r:?}");
    // 110 at a time on average.
    assert!((r.delivered_minutes / (110.0 * 1440.0) - 1.0).abs() < 0.05, "{r:?}");
    assert!((180..260).contains(&r.most_sessions) && r.most_machines >= r.most_sessions / 2, "{r:?}");
    assert!(r.asked >= r.served + r.turned_away + r.gave_up, "{r:?}");
    assert!(r.interruptions > 0 && r.moved > 0 && r.placed_again == 0, "two minutes are enough to move: {r:?}");
}

#[test]
fn without_time_to_move_sessions_are_cut_off_and_go_on_elsewhere() {
    let options = SimulateOptions {
        notice: Duration::from_secs(1),
        interruptions_per_hour: 0.5,
        hours: 6,
        shape: DemandShape::Constant,
        lengths: LengthSpread::Fixed,
        ..SimulateOptions::default()
    };
    let r = run(&options);
    assert!(r.placed_again > 20 && r.moved == 0, "{r:?}");
}

#[test]
fn a_ceiling_in_dollars_is_kept() {
    let brain = ControlSettings { max_micro_usd_per_hour: Some(2_000_000), ..warm(2) };
    let r = run(&SimulateOptions { brain, ..SimulateOptions::default() });
    assert!(r.most_machines <= 12, "2 dollars pay for 12: {r:?}");
    assert!(r.unserved_share > 0.1, "{r:?}");
}

#[test]
fn the_smallest_warm_pool_is_found() {
    let options = SimulateOptions { sessions: 60, hours: 24, ..SimulateOptions::default() };
    let terms = FindTerms { most_wait: Duration::from_secs(1), most_unserved: 0.002 };
    let found = find_warm_pool(&options, &terms, &mut |_, _| {}).unwrap();
    let warm_workers = found.warm_workers.unwrap();
    let report = found.report().unwrap();
    assert!(report.wait_s.p99 <= 1.0 && report.unserved_share <= 0.002, "{report:?}");
    let smaller = found.tries.iter().filter(|one| one.warm_workers < warm_workers);
    assert!(smaller.clone().count() > 0 && smaller.clone().all(|one| !one.is_enough), "{found:?}");
    assert!(found.tries.is_sorted_by_key(|one| one.warm_workers));
}

#[test]
fn options_out_of_range_are_refused() {
    let usual = SimulateOptions::default;
    for wrong in [
        SimulateOptions { sessions: 0, ..usual() },
        SimulateOptions { night: 1.5, ..usual() },
        SimulateOptions { length: Duration::ZERO, ..usual() },
        SimulateOptions { start_up: (Duration::from_secs(9), Duration::from_secs(3)), ..usual() },
        SimulateOptions { interruptions_per_hour: f64::NAN, ..usual() },
        SimulateOptions { micro_usd_per_hour: Vec::new(), ..usual() },
        SimulateOptions { hours: 0, ..usual() },
        SimulateOptions { parts: 0, ..usual() },
        SimulateOptions { hours: 3, parts: 4, ..usual() },
    ] {
        assert!(matches!(simulate(&wrong, &mut |_| {}), Err(LoadError::Options(_))), "{wrong:?}");
    }
}
