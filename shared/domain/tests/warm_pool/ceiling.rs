//! What may be there, and what it may cost.

use crate::farm::{Farm, MINUTE, S};
use mouthpiece_domain::control::{ControlEvent, ControlSettings};
use mouthpiece_domain::warm_pool::ScalingMode;
use std::collections::BTreeMap;
use std::time::Duration;

fn settings(max_workers: u32, max_micro_usd_per_hour: Option<u64>) -> ControlSettings {
    ControlSettings { scaling: ScalingMode::Own, max_workers, max_micro_usd_per_hour, ..ControlSettings::default() }
}

fn prices(list: &[(&str, u64)]) -> ControlEvent {
    ControlEvent::Prices(list.iter().map(|(name, price)| ((*name).to_owned(), *price)).collect::<BTreeMap<_, _>>())
}

fn pass(farm: &mut Farm, span: Duration) {
    let until = farm.now + span;
    while farm.now < until {
        farm.step();
    }
}

#[test]
fn no_more_workers_than_allowed() {
    let mut farm = Farm::new(1, 1, settings(5, None));
    pass(&mut farm, 10 * S);
    for _ in 0..100 {
        farm.submit(MINUTE, 30 * MINUTE);
    }
    pass(&mut farm, MINUTE);
    assert_eq!(farm.wished, 5);
    pass(&mut farm, 30 * MINUTE);
    assert_eq!(farm.counts.completed, 100);
}

#[test]
fn no_more_dollars_than_allowed() {
    // Half a dollar an hour at 15.7 cents each: three.
    let mut farm = Farm::new(1, 1, settings(100, Some(500_000)));
    pass(&mut farm, 10 * S);
    assert_eq!(farm.wished, 0, "what a machine costs is not known");
    farm.tell(0, prices(&[("g4dn.xlarge", 157_000)]));
    for _ in 0..100 {
        farm.submit(MINUTE, 60 * MINUTE);
    }
    pass(&mut farm, 5 * MINUTE);
    assert_eq!((farm.wished, farm.machines.len()), (3, 3));
    let counts = farm.coordinators[0].control.scaling_counts(farm.now);
    assert_eq!((counts.ceiling, counts.micro_usd_per_hour), (3, Some(471_000)));
    // They become dearer: what has sessions stays, nothing is added.
    farm.tell(0, prices(&[("g4dn.xlarge", 240_000)]));
    pass(&mut farm, 10 * S);
    assert_eq!((farm.wished, farm.machines.len()), (3, 3));
    pass(&mut farm, 60 * MINUTE);
    assert_eq!((farm.counts.completed, farm.machines.len()), (100, 2), "what the ceiling allows is kept idle");
    // Cheaper again: that must last before more are asked for.
    farm.tell(0, prices(&[("g4dn.xlarge", 100_000)]));
    for _ in 0..20 {
        farm.submit(30 * MINUTE, 60 * MINUTE);
    }
    pass(&mut farm, MINUTE);
    assert_eq!(farm.wished, 2);
    pass(&mut farm, 11 * MINUTE);
    assert_eq!(farm.wished, 5);
}

#[test]
fn a_number_that_others_act_on_never_leaves_out_who_has_a_session() {
    let settings = ControlSettings { scaling: ScalingMode::Announced, ..settings(2, None) };
    let mut farm = Farm::new(1, 1, settings);
    // Whoever starts machines does not ask us.
    farm.wished = 4;
    pass(&mut farm, 3 * MINUTE);
    for _ in 0..8 {
        farm.submit(10 * MINUTE, MINUTE);
    }
    pass(&mut farm, 20 * S);
    let wanted = |farm: &Farm| farm.coordinators[0].control.counts().desired_workers;
    assert_eq!(wanted(&farm), 4);
    pass(&mut farm, 20 * MINUTE);
    assert_eq!((wanted(&farm), farm.machines.len()), (2, 4), "it is said; nobody is told to go");
    assert!(farm.machines.values().all(|machine| !machine.draining));
}
