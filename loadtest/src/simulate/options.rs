//! What is simulated, and what may be asked for.

use crate::LoadError;
use mouthpiece_domain::control::ControlSettings;
use serde::Serialize;
use std::time::Duration;

/// When sessions come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DemandShape {
    /// A day: quiet at its beginning, busiest after twelve hours, quiet at its end.
    Day,
    /// As many at any time, but by chance.
    Constant,
    /// Exactly so many, from before the measurement until after it.
    Held,
}

/// How long sessions last, around their mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LengthSpread {
    /// Many short ones, a few long ones.
    Exponential,
    /// The logarithm is spread evenly around its mean, with a standard deviation of 1: more very short and very long ones.
    LogNormal,
    /// All as long.
    Fixed,
}

/// How much of what workers say is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BeatDetail {
    /// What is decided by: sessions that come and end, machines that come and go, at once; heartbeats every hour, with
    /// leases of three; no reports of sessions that go on; deadlines to the tenth of a second.
    Changes,
    /// As in a farm: a heartbeat and a report of each session every second, leases of five seconds, sweeps every ten.
    EverySecond,
}

/// What is simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulateOptions {
    /// When sessions come.
    pub shape: DemandShape,
    /// Sessions at a time: at the height of the day, or always. 1 to 1,000,000.
    pub sessions: u32,
    /// What is left of that at the quietest time of the day, 0 to 1.
    pub night: f64,
    /// A session's length on average, 1 s to 24 h.
    pub length: Duration,
    /// How lengths are spread around that.
    pub lengths: LengthSpread,
    /// How long callers wait for a slot.
    pub queue_timeout: Duration,
    /// Virtual hours that are measured, 1 to 1000.
    pub hours: u32,
    /// Slots a machine, 1 to 16.
    pub slots: u8,
    /// How long a machine takes until its worker is there: anything between these.
    pub start_up: (Duration, Duration),
    /// Interruptions of a machine in an hour, 0 to 60.
    pub interruptions_per_hour: f64,
    /// From its notice to its end.
    pub notice: Duration,
    /// What a machine costs, millionths of a US dollar an hour: hour by hour from midnight on, then again from the first.
    pub micro_usd_per_hour: Vec<u64>,
    /// How the brain decides. Of these, what is not about the number of workers is set by the simulation.
    pub brain: ControlSettings,
    /// How much of what workers say is simulated.
    pub detail: BeatDetail,
    /// Determines the whole run.
    pub seed: u64,
    /// The measured hours are lived through in so many parts at once, each with a time of its own before it: 1 to 24, at least an hour each.
    pub parts: u32,
}

impl Default for SimulateOptions {
    fn default() -> Self {
        Self {
            shape: DemandShape::Day,
            sessions: 100,
            night: 0.1,
            length: Duration::from_secs(600),
            lengths: LengthSpread::Exponential,
            queue_timeout: Duration::from_secs(20),
            hours: 24,
            slots: 2,
            start_up: (Duration::from_secs(80), Duration::from_secs(140)),
            interruptions_per_hour: 0.01,
            notice: Duration::from_secs(120),
            micro_usd_per_hour: vec![157_000],
            brain: ControlSettings { max_workers: 1_000_000, ..ControlSettings::default() },
            detail: BeatDetail::Changes,
            seed: 1,
            parts: 1,
        }
    }
}

impl SimulateOptions {
    /// Refuses what cannot be simulated.
    ///
    /// # Errors
    /// [`LoadError::Options`] with what would do.
    pub fn check(&self) -> Result<(), LoadError> {
        let (day, second) = (Duration::from_secs(24 * 3600), Duration::from_secs(1));
        let (least, most) = self.start_up;
        for (is_good, remedy) in [
            ((1..=1_000_000).contains(&self.sessions), "sessions from 1 to 1000000"),
            ((0.0..=1.0).contains(&self.night), "night: a share from 0 to 1"),
            ((second..=day).contains(&self.length), "length from 1 s to 24 h"),
            ((second..=day / 24).contains(&self.queue_timeout), "queue timeout from 1 s to 1 h"),
            ((1..=1000).contains(&self.hours), "hours from 1 to 1000"),
            ((1..=16).contains(&self.slots), "slots from 1 to 16"),
            (second <= least && least <= most && most <= day, "start-up from 1 s to 24 h, the shorter first"),
            ((0.0..=60.0).contains(&self.interruptions_per_hour), "interruptions of a machine in an hour from 0 to 60"),
            ((second..=day).contains(&self.notice), "notice from 1 s to 24 h"),
            ((1..=1000).contains(&self.micro_usd_per_hour.len()), "1 to 1000 hourly prices"),
            ((1..=self.hours.min(24)).contains(&self.parts), "parts from 1 to 24, and no more than hours"),
            (self.brain.max_workers >= 1, "at least one worker"),
            (self.brain.billing_period >= second, "a billing period of a second or more"),
        ] {
            if !is_good {
                return Err(LoadError::Options(remedy));
            }
        }
        Ok(())
    }

    /// Sessions that come in a second at the height of the day.
    pub(super) fn rate_at_peak(&self) -> f64 {
        f64::from(self.sessions) / self.length.as_secs_f64()
    }

    /// The sessions of all that there is before the measurement: long enough for as many to be there as will stay.
    pub(super) fn warm_up(&self) -> Duration {
        let hours = (self.length * 3).as_secs().div_ceil(3600).max(1);
        Duration::from_secs(hours * 3600)
    }
}
