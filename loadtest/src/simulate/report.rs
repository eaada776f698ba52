//! What came of it.

use crate::LoadError;
use crate::latency::StageTimes;
use mouthpiece_domain::cost::CostRow;
use serde::Serialize;
use std::time::Duration;

/// How long callers waited for a slot, seconds: those of the measurement that got one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WaitFigures {
    /// Half waited for less.
    pub p50: f64,
    /// 95% waited for less.
    pub p95: f64,
    /// 99% waited for less.
    pub p99: f64,
    /// The longest.
    pub max: f64,
    /// The share that waited at all.
    pub waited: f64,
}

/// What a simulation found. All but the last three lines is of the measured hours alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulateReport {
    /// Sessions at a time that were asked for.
    pub sessions: u32,
    /// Idle workers that were kept ready.
    pub warm_workers: u32,
    /// Callers that came.
    pub asked: u64,
    /// Callers that got a slot.
    pub served: u64,
    /// Callers that were turned away at once.
    pub turned_away: u64,
    /// Callers that waited in vain.
    pub gave_up: u64,
    /// The share of callers that got no slot, of either sort.
    pub unserved_share: f64,
    /// How long those waited that got one.
    pub wait_s: WaitFigures,
    /// Sessions open at the busiest moment.
    pub most_sessions: u32,
    /// Machines at the most, starting and leaving ones included.
    pub most_machines: u32,
    /// Machines that were started.
    pub started: u64,
    /// Of the slots' paid time, the share in which they were taken.
    pub busy_share: f64,
    /// That before their machine's worker was there.
    pub starting_share: f64,
    /// The rest.
    pub idle_share: f64,
    /// Machines that were taken away.
    pub interruptions: u64,
    /// Sessions that were moved away in time; nobody noticed.
    pub moved: u64,
    /// Sessions that were cut off and had to be placed again.
    pub placed_again: u64,
    /// Paid machine time.
    pub machine_hours: f64,
    /// Delivered minutes.
    pub delivered_minutes: f64,
    /// What the machines cost, US dollars.
    pub usd: f64,
    /// For a delivered minute: idle and starting machines included. `None` where nothing was delivered.
    pub usd_per_minute: Option<f64>,
    /// What a minute of a slot costs: a delivered minute's price if every slot were always taken.
    pub marginal_usd_per_minute: Option<f64>,
    /// How long the brain believes that a machine takes, at the end, seconds.
    pub start_up_learned_s: f64,
    /// Virtual hours that passed, those before the measurement included.
    pub virtual_hours: u32,
    /// Events that the brain was told.
    pub events: u64,
    /// Seconds that it took.
    pub wall_seconds: f64,
}

/// What is counted.
pub(super) struct Counts {
    pub(super) asked: u64,
    pub(super) turned_away: u64,
    pub(super) gave_up: u64,
    pub(super) interruptions: u64,
    pub(super) moved: u64,
    pub(super) placed_again: u64,
    waited: u64,
    waits: StageTimes,
}

impl Counts {
    pub(super) fn new() -> Result<Self, LoadError> {
        Ok(Self {
            asked: 0,
            turned_away: 0,
            gave_up: 0,
            interruptions: 0,
            moved: 0,
            placed_again: 0,
            waited: 0,
            waits: StageTimes::new()?,
        })
    }

    pub(super) fn take_in(&mut self, other: &Self) {
        self.asked += other.asked;
        self.turned_away += other.turned_away;
        self.gave_up += other.gave_up;
        self.interruptions += other.interruptions;
        self.moved += other.moved;
        self.placed_again += other.placed_again;
        self.waited += other.waited;
        self.waits.take_in(&other.waits);
    }

    pub(super) fn served(&mut self, wait: Duration) {
        self.waited += u64::from(wait > Duration::ZERO);
        self.waits.add(wait);
    }

    pub(super) fn wait_figures(&self) -> (u64, WaitFigures) {
        // Whoever got a slot at once is counted with the shortest time that can be told.
        let seconds = |q: f64| self.waits.at(q).as_millis() as f64 / 1e3;
        let count = self.waits.latency().count;
        let waited = share(self.waited, count);
        (count, WaitFigures { p50: seconds(0.5), p95: seconds(0.95), p99: seconds(0.99), max: seconds(1.0), waited })
    }
}

/// A part of a whole, 0 where there is none.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// US dollars of a row of the books.
pub(super) fn usd(row: &CostRow) -> f64 {
    row.nano_usd.unwrap_or_default() as f64 / 1e9
}
