//! What came of a scenario, and whether that is what was asked for.

use super::file::Scenario;
use crate::live::{LiveDetail, LiveReport, SecondLine, SessionLine};
use serde::Serialize;

/// What the farm's process used in one second.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct UseLine {
    /// Cores.
    pub cpu: f64,
    /// Resident memory, MiB.
    pub resident_mib: f64,
}

/// What the farm used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FarmUse {
    /// Cores, on average over the load.
    pub cpu: f64,
    /// Resident memory before the load, MiB.
    pub resident_before_mib: f64,
    /// At its most, MiB.
    pub resident_most_mib: f64,
    /// Cores for a session.
    pub cpu_per_session: f64,
    /// What its memory grew by, for a session, MiB.
    pub mib_per_session: f64,
    /// Second by second since the load began.
    pub seconds: Vec<UseLine>,
}

/// What delivered minutes cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScenarioCostReport {
    /// The machine's price, US dollars an hour.
    pub usd_per_hour: f64,
    /// How long the load lasted, minutes: what is paid.
    pub paid_minutes: f64,
    /// Video that was delivered to sessions, minutes.
    pub delivered_minutes: f64,
    /// One over the other, at that price.
    pub usd_per_minute: f64,
}

/// One target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct JudgedTarget {
    /// Its name in the scenario.
    pub name: &'static str,
    /// What was asked for.
    pub bound: f64,
    /// What was measured; `None`: nothing was, and the target is missed.
    pub measured: Option<f64>,
    /// It is met.
    pub met: bool,
}

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScenarioReport {
    /// The scenario as it was run, what it did not say included.
    pub scenario: Scenario,
    /// When it began, RFC 3339.
    pub began: String,
    /// How long the load lasted, seconds.
    pub seconds: f64,
    /// All targets are met.
    pub met: bool,
    /// Each of them.
    pub targets: Vec<JudgedTarget>,
    /// What viewers saw and the farm told.
    pub live: LiveReport,
    /// Each session.
    pub sessions: Vec<SessionLine>,
    /// Each second since the load began.
    pub by_second: Vec<SecondLine>,
    /// What the farm used, where its process is on this machine.
    pub farm: Option<FarmUse>,
    /// What delivered minutes cost, where a price was named.
    pub cost: Option<ScenarioCostReport>,
}

impl ScenarioReport {
    pub(super) fn new(
        scenario: &Scenario,
        began: String,
        seconds: f64,
        (live, detail): (LiveReport, LiveDetail),
        farm: Option<FarmUse>,
    ) -> Self {
        let mut report = Self {
            scenario: scenario.clone(),
            began,
            seconds,
            met: false,
            targets: Vec::new(),
            cost: cost(scenario.cost.usd_per_hour, seconds, detail.delivered_s),
            live,
            sessions: detail.sessions,
            by_second: detail.seconds,
            farm,
        };
        report.targets = report.judged();
        report.met = report.targets.iter().all(|target| target.met);
        report
    }

    fn judged(&self) -> Vec<JudgedTarget> {
        let named = self.scenario.targets.named().into_iter();
        let judge = |(name, bound): (&'static str, Option<f64>)| {
            let (bound, measured) = (bound?, self.measured(name));
            let is_kept = |measured: f64| if name == "least_fps" { measured >= bound } else { measured <= bound };
            Some(JudgedTarget { name, bound, measured, met: measured.is_some_and(is_kept) })
        };
        named.filter_map(judge).collect()
    }

    /// What a target is held against.
    fn measured(&self, target: &str) -> Option<f64> {
        let live = &self.live;
        let p99 = |of: &crate::Latency| (of.count > 0).then_some(of.p99);
        match target {
            "join_p99_ms" => p99(&live.join_ms),
            "first_frame_p99_ms" => p99(&live.first_frame_ms),
            "voice_p99_ms" => p99(&live.voice_ms),
            "lips_p99_ms" => p99(&live.lips_ms),
            "silence_p99_ms" => p99(&live.silence_ms),
            "missing_percent" => Some(live.missing * 100.0),
            "ticks_missed_percent" => Some(live.ticks_missed * 100.0),
            "skew_p99_ms" => live.skew_ms.map(|skew| skew.p99),
            "least_fps" => Some(live.fps),
            "cpu_per_session" => self.farm.as_ref().map(|farm| farm.cpu_per_session),
            "mib_per_session" => self.farm.as_ref().map(|farm| farm.mib_per_session),
            "usd_per_minute" => self.cost.map(|cost| cost.usd_per_minute),
            _ => None,
        }
    }
}

fn cost(usd_per_hour: f64, seconds: f64, delivered_s: f64) -> Option<ScenarioCostReport> {
    let (paid_minutes, delivered_minutes) = (seconds / 60.0, delivered_s / 60.0);
    (usd_per_hour > 0.0 && delivered_minutes > 0.0).then(|| ScenarioCostReport {
        usd_per_hour,
        paid_minutes,
        delivered_minutes,
        usd_per_minute: usd_per_hour / 60.0 * paid_minutes / delivered_minutes,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{Latency, LipSkew};

    /// A report with figures that are all different.
    pub(in crate::scenario) fn report(targets: &str) -> ScenarioReport {
        let scenario = format!(
            "name = \"<two> & \\\"more\\\"\"\nabout = \"a </style><script>alert(1)</script> b\"\n\
             [cost]\nusd_per_hour = 0.157\n[targets]\n{targets}"
        );
        let latency = |mean: f64| Latency {
            count: 7,
            mean,
            p50: mean + 0.25,
            p90: mean + 1.5,
            p99: mean + 2.75,
            max: mean + 3.125,
        };
        let live = LiveReport {
            sessions: 2,
            join_ms: latency(41.0),
            first_frame_ms: latency(310.0),
            voice_ms: latency(71.0),
            lips_ms: latency(88.0),
            silence_ms: Latency { count: 0, ..latency(0.0) },
            frames: 1481,
            missing: 0.0125,
            fps: 24.75,
            bits_per_second: 431_000.0,
            skew_ms: Some(LipSkew { at_start: 1.5, at_end: -2.5, p99: 9.25, most: 14.5 }),
            ticks_missed: 0.002,
            stages: vec![("chunk".to_owned(), 12.5, 31.5), ("encode<".to_owned(), 3.5, 6.25)],
        };
        let line = |asked_s: f64| SessionLine {
            asked_s,
            first_frame_ms: 300.0 + asked_s,
            join_ms: 40.0,
            frames: 740,
            missing: 0.01,
            skew_p99_ms: Some(8.5),
        };
        let second = |frames| SecondLine { frames, expected: 50.0, skew_ms: (frames > 0).then_some(3.5) };
        let detail = LiveDetail {
            sessions: vec![line(0.0), line(5.0)],
            seconds: vec![second(0), second(48), second(51)],
            delivered_s: 59.0,
        };
        let farm = FarmUse {
            cpu: 0.875,
            resident_before_mib: 101.5,
            resident_most_mib: 167.25,
            cpu_per_session: 0.4375,
            mib_per_session: 32.875,
            seconds: vec![UseLine { cpu: 0.5, resident_mib: 110.0 }, UseLine { cpu: 1.25, resident_mib: 167.25 }],
        };
        let began = "2026-11-30T05:00:00Z".to_owned();
        ScenarioReport::new(&Scenario::read(&scenario).unwrap(), began, 31.0, (live, detail), Some(farm))
    }

    #[test]
    fn targets_are_judged_by_what_was_measured() {
        let judged = |targets: &str| {
            let report = report(targets);
            (report.met, report.targets.iter().map(|one| (one.name, one.met)).collect::<Vec<_>>())
        };
        let (met, all) = judged("least_fps = 24.75\nfirst_frame_p99_ms = 312.75\nmissing_percent = 1.25\n");
        assert_eq!((met, all.len()), (true, 3), "a bound is kept by what reaches it: {all:?}");
        let (met, all) = judged("least_fps = 24.8\nusd_per_minute = 1\ncpu_per_session = 0.4\n");
        assert!(!met);
        assert_eq!(all, [("least_fps", false), ("cpu_per_session", false), ("usd_per_minute", true)]);
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        let mut report = report("skew_p99_ms = 20\ncpu_per_session = 9\n");
        (report.live.skew_ms, report.farm) = (None, None);
        assert!(report.judged().iter().all(|target| !target.met && target.measured.is_none()));
    }

    #[test]
    fn a_minute_costs_what_the_machine_does_while_it_is_delivered() {
        let cost = report("least_fps = 1").cost.unwrap();
        // 31 s paid, 59 s delivered to two sessions.
        assert!((cost.usd_per_minute - 0.157 / 60.0 * 31.0 / 59.0).abs() < 1e-12);
        assert!(super::cost(0.0, 31.0, 59.0).is_none() && super::cost(1.0, 31.0, 0.0).is_none());
    }
}
