//! The plan of a run: who comes when, and what breaks when, all by one seed.
//!
//! Faults come in four lanes, one of each at a time: a worker, a coordinator, a server, and the connections between a process and a
//! server. So there is always another worker, another coordinator, and most servers; what recovers has time for it. Pure.

mod arrivals;
mod fault;

pub use arrivals::{Arrival, Wanted};
pub use fault::{ChaosFault, ChaosServer, LinkHarm, ProcessName, ProcessRole};

use crate::dice::Dice;
use std::fmt;

/// What a run is to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanTerms {
    /// Determines the plan.
    pub seed: u64,
    /// Sessions and faults begin within so many milliseconds.
    pub length_ms: u64,
    /// Workers, 2 or more.
    pub workers: u8,
    /// Coordinators, 1 or more; a single one is never paused or killed.
    pub coordinators: u8,
    /// Slots of a worker.
    pub slots: u8,
    /// What may break.
    pub choice: FaultChoice,
}

/// What may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FaultChoice {
    /// Everything.
    #[default]
    All,
    /// Workers are killed (-9), one at a time and far apart; all sessions are live. So it is measured how soon sessions are served
    /// again, and nothing else is in the way.
    WorkerKills,
}

/// A fault at its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedFault {
    /// When it begins.
    pub at_ms: u64,
    /// How long it lasts: what was killed or stopped is started again, what was harmed is whole again.
    pub lasts_ms: u64,
    /// What it is.
    pub fault: ChaosFault,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChaosPlan {
    /// Who comes, by time.
    pub arrivals: Vec<Arrival>,
    /// What breaks, by time.
    pub faults: Vec<PlannedFault>,
}

/// The farm is whole for so long at first.
const CALM_MS: u64 = 2500;

/// Something that breaks again and again, one time after the other.
struct Lane {
    /// Its first fault comes so long after the calm, at most.
    first: u64,
    /// A fault lasts from .. to.
    lasts: [u64; 2],
    /// Then nothing of it breaks, from .. to.
    rests: [u64; 2],
}

const OF_WORKERS: Lane = Lane { first: 1500, lasts: [300, 4000], rests: [2500, 6000] };
const OF_COORDINATORS: Lane = Lane { first: 4000, lasts: [300, 3000], rests: [3000, 8000] };
/// A pool that lost its data places nothing for ten seconds, so servers rest for longer.
const OF_SERVERS: Lane = Lane { first: 6000, lasts: [500, 4000], rests: [8000, 20_000] };
/// A killed worker's sessions are served elsewhere, and it is there again, before the next one is killed.
const OF_KILLS: Lane = Lane { first: 5000, lasts: [300, 3000], rests: [9000, 12_000] };
const OF_LINKS: Lane = Lane { first: 3000, lasts: [300, 5000], rests: [1000, 5000] };

impl ChaosPlan {
    /// The plan of a seed.
    pub fn new(terms: &PlanTerms) -> Self {
        let mut seeds = Dice::new(terms.seed);
        let mut dice = || Dice::new(seeds.next());
        let arrivals = arrivals::arrivals(terms, &mut dice());
        if terms.choice == FaultChoice::WorkerKills {
            return Self { arrivals, faults: OF_KILLS.faults(terms, &mut dice(), fault::worker_kill) };
        }
        let mut faults = OF_WORKERS.faults(terms, &mut dice(), fault::of_workers);
        if terms.coordinators > 1 {
            faults.extend(OF_COORDINATORS.faults(terms, &mut dice(), fault::of_coordinators));
        }
        faults.extend(OF_SERVERS.faults(terms, &mut dice(), fault::of_servers));
        faults.extend(OF_LINKS.faults(terms, &mut dice(), fault::of_links));
        faults.sort_by_key(|planned| planned.at_ms);
        Self { arrivals, faults }
    }
}

impl Lane {
    fn faults(
        &self,
        terms: &PlanTerms,
        dice: &mut Dice,
        choose: impl Fn(&PlanTerms, &mut Dice) -> ChaosFault,
    ) -> Vec<PlannedFault> {
        let mut faults = Vec::new();
        let mut at = CALM_MS + dice.below(self.first);
        while at < terms.length_ms {
            let lasts = between(dice, self.lasts);
            faults.push(PlannedFault { at_ms: at, lasts_ms: lasts, fault: choose(terms, dice) });
            at += lasts + between(dice, self.rests);
        }
        faults
    }
}

/// From the first to the second.
fn between(dice: &mut Dice, [from, to]: [u64; 2]) -> u64 {
    from + dice.below(to - from + 1)
}

impl fmt::Display for ChaosPlan {
    /// A line an event, by time, so that a run can be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrivals = self.arrivals.iter().map(|a| (a.at_ms, a.to_string()));
        let faults = self.faults.iter().map(|p| (p.at_ms, format!("{} for {} ms", p.fault, p.lasts_ms)));
        let mut lines: Vec<_> = arrivals.chain(faults).collect();
        lines.sort();
        lines.iter().try_for_each(|(at, line)| writeln!(f, "{at:>8} ms  {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn terms(seed: u64, length_ms: u64) -> PlanTerms {
        PlanTerms { seed, length_ms, workers: 3, coordinators: 2, slots: 2, choice: FaultChoice::All }
    }

    #[test]
    fn kills_of_workers_alone() {
        let plan = ChaosPlan::new(&PlanTerms { choice: FaultChoice::WorkerKills, ..terms(1, 240_000) });
        assert!(plan.faults.len() >= 15, "{plan}");
        assert!(plan.faults.windows(2).all(|two| two[1].at_ms >= two[0].at_ms + two[0].lasts_ms + 9000), "{plan}");
        for planned in &plan.faults {
            assert!(matches!(planned.fault, ChaosFault::Kill(p) if p.role == ProcessRole::Worker), "{plan}");
        }
        assert!(plan.arrivals.iter().all(|arrival| arrival.wanted.kind() == "live"), "{plan}");
    }

    #[test]
    fn one_seed_is_one_plan() {
        let plan = |seed| ChaosPlan::new(&terms(seed, 60_000));
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
        let printed = plan(7).to_string();
        assert_eq!(printed.lines().count(), plan(7).arrivals.len() + plan(7).faults.len());
    }

    #[test]
    fn ten_minutes_have_everything() {
        let plan = ChaosPlan::new(&terms(1, 600_000));
        let sorts: BTreeSet<_> =
            plan.faults.iter().map(|p| p.fault.to_string().split(' ').next().unwrap().to_owned()).collect();
        let wanted = ["cut", "delay", "drain", "flush", "kill", "pause", "silence", "stall", "stop"];
        assert_eq!(sorts, wanted.map(str::to_owned).into(), "{plan}");
        let kinds: BTreeSet<_> = plan.arrivals.iter().map(|a| a.wanted.kind()).collect();
        assert_eq!(kinds, ["live", "prepare", "render"].into());
    }

    #[test]
    fn a_single_coordinator_is_left_alone() {
        let plan = ChaosPlan::new(&PlanTerms { coordinators: 1, ..terms(3, 600_000) });
        let killed = |f: &ChaosFault| {
            matches!(f, ChaosFault::Kill(p) | ChaosFault::Pause(p) | ChaosFault::Stop(p)
                if p.role == ProcessRole::Coordinator)
        };
        assert!(!plan.faults.iter().any(|p| killed(&p.fault)), "{plan}");
    }

    proptest! {
        /// Two faults of one lane never meet, so there is always another process of the same role.
        #[test]
        fn one_of_a_role_at_a_time(seed in any::<u64>()) {
            let plan = ChaosPlan::new(&terms(seed, 120_000));
            for role in [ProcessRole::Worker, ProcessRole::Coordinator] {
                let of_role = plan.faults.iter().filter(|p| match p.fault {
                    ChaosFault::Kill(name) | ChaosFault::Pause(name) | ChaosFault::Stop(name) | ChaosFault::Drain(name) => name.role == role,
                    _ => false,
                });
                let ends: Vec<_> = of_role.map(|p| (p.at_ms, p.at_ms + p.lasts_ms)).collect();
                prop_assert!(ends.windows(2).all(|two| two[0].1 < two[1].0), "{ends:?}");
            }
            prop_assert!(plan.faults.iter().all(|p| p.at_ms >= CALM_MS && p.at_ms < 120_000));
            prop_assert!(plan.arrivals.is_sorted_by_key(|a| a.at_ms));
        }
    }
}
