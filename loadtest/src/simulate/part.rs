//! Parts of the measured time, lived through at once: each begins on its own, as the whole does, some time before it is measured.

use super::books::{BookedHour, total};
use super::report::{Counts, share, usd};
use super::world::World;
use super::{SimulateOptions, SimulateProgress, SimulateReport};
use crate::LoadError;
use mouthpiece_domain::time::{HOUR_MS, Mono};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Hours of the measurement, and what chance has for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// The first hour, counted from the measurement's midnight.
    pub(super) from: u32,
    pub(super) hours: u32,
    /// Hours that are lived through before these.
    pub(super) before: u32,
    pub(super) seed: u64,
}

impl Part {
    /// The measurement's hour that ends at `now`; `None` before this part is measured.
    pub(super) fn hour_before(&self, now: Mono) -> Option<u32> {
        let ended = self.hours_at(now).checked_sub(1)?;
        ended.checked_sub(self.before).map(|hour| self.from + hour)
    }

    /// The measurement's hour that begins at `now`: the first one before that.
    pub(super) fn hour_at(&self, now: Mono) -> u32 {
        self.from + self.hours_at(now).saturating_sub(self.before)
    }

    /// Hours that have passed, those before the measurement included.
    pub(super) fn hours_at(&self, now: Mono) -> u32 {
        u32::try_from(now.0 / HOUR_MS.unsigned_abs()).unwrap_or(u32::MAX)
    }

    /// When it begins, seconds after the midnight of the measurement.
    pub(super) fn begin(&self) -> f64 {
        3600.0 * (f64::from(self.from) - f64::from(self.before))
    }
}

/// The parts of a simulation.
pub(super) fn parts(options: &SimulateOptions) -> Vec<Part> {
    let (hours, parts) = (options.hours, options.parts);
    let before = u32::try_from(options.warm_up().as_secs() / 3600).unwrap_or(u32::MAX);
    let until = |part: u32| (u64::from(hours) * u64::from(part) / u64::from(parts)) as u32;
    let part = |n: u32| Part {
        from: until(n),
        hours: until(n + 1) - until(n),
        before,
        seed: options.seed.wrapping_add(u64::from(n) << 40),
    };
    (0..parts).map(part).collect()
}

/// What came of a part.
pub(super) struct Measured {
    pub(super) counts: Counts,
    pub(super) booked: Vec<BookedHour>,
    pub(super) most_sessions: u32,
    pub(super) most_machines: u32,
    pub(super) started: u64,
    /// How long the brain believes that a machine takes, at the end.
    pub(super) start_up: Duration,
    pub(super) virtual_hours: u32,
    pub(super) events: u64,
}

impl Measured {
    /// The same with the part that comes after it.
    fn and(mut self, later: Self) -> Self {
        self.counts.take_in(&later.counts);
        self.booked.extend(later.booked);
        self.most_sessions = self.most_sessions.max(later.most_sessions);
        self.most_machines = self.most_machines.max(later.most_machines);
        self.started += later.started;
        self.start_up = later.start_up;
        self.virtual_hours += later.virtual_hours;
        self.events += later.events;
        self
    }
}

/// Lives through all parts at once and brings together what came of them.
pub(super) fn all_at_once(
    options: &SimulateOptions,
    told: &mut dyn FnMut(SimulateProgress),
) -> Result<SimulateReport, LoadError> {
    let began = Instant::now();
    let parts = parts(options);
    let hours = parts.iter().map(|part| part.before + part.hours).sum();
    let (tell, hear) = mpsc::channel::<SimulateProgress>();
    let measured: Vec<Result<Measured, LoadError>> = thread::scope(|scope| {
        let live = |part: Part| {
            let tell = tell.clone();
            scope.spawn(move || {
                let mut world = World::new(options, part)?;
                // Nobody hears the last hours when another part has failed.
                world.run(&mut |at| tell.send(at).unwrap_or_default())?;
                world.measured()
            })
        };
        let living: Vec<_> = parts.iter().map(|part| live(*part)).collect();
        drop(tell);
        for (hour, at) in (1..).zip(hear) {
            told(SimulateProgress { hour, hours, ..at });
        }
        let died = |_| Err(LoadError::Setup("a part of the simulation panicked".to_owned()));
        living.into_iter().map(|part| part.join().unwrap_or_else(died)).collect()
    });
    let measured = measured.into_iter().collect::<Result<Vec<_>, _>>()?;
    let all = measured.into_iter().reduce(Measured::and).ok_or(LoadError::Options("at least one part"))?;
    Ok(report(options, &all, began.elapsed()))
}

fn report(options: &SimulateOptions, measured: &Measured, took: Duration) -> SimulateReport {
    let (served, wait_s) = measured.counts.wait_figures();
    let row = total(options, &measured.booked);
    let Counts { asked, turned_away, gave_up, interruptions, moved, placed_again, .. } = measured.counts;
    SimulateReport {
        sessions: options.sessions,
        warm_workers: options.brain.warm_workers,
        asked,
        served,
        turned_away,
        gave_up,
        unserved_share: share(turned_away + gave_up, asked),
        wait_s,
        most_sessions: measured.most_sessions,
        most_machines: measured.most_machines,
        started: measured.started,
        busy_share: row.busy_share.unwrap_or_default(),
        starting_share: row.starting_share.unwrap_or_default(),
        idle_share: row.idle_share().unwrap_or_default(),
        interruptions,
        moved,
        placed_again,
        machine_hours: row.up.as_secs_f64() / 3600.0,
        delivered_minutes: row.delivered.as_secs_f64() / 60.0,
        usd: usd(&row),
        usd_per_minute: row.usd_per_minute,
        marginal_usd_per_minute: row.marginal_usd_per_minute,
        start_up_learned_s: measured.start_up.as_secs_f64(),
        virtual_hours: measured.virtual_hours,
        events: measured.events,
        wall_seconds: took.as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_are_all_of_it() {
        for (hours, count) in [(24, 1), (24, 2), (24, 5), (7, 7), (1000, 24)] {
            let all = parts(&SimulateOptions { hours, parts: count, ..SimulateOptions::default() });
            assert_eq!(all.len(), count as usize);
            assert_eq!((all[0].from, all.iter().map(|part| part.hours).sum::<u32>()), (0, hours));
            assert!(all.windows(2).all(|two| two[0].from + two[0].hours == two[1].from && two[0].seed != two[1].seed));
        }
        let part = Part { from: 12, hours: 12, before: 1, seed: 1 };
        let at = |hours: u64| Mono(hours * 3_600_000);
        assert_eq!([0, 1, 2, 13].map(|hours| part.hour_before(at(hours))), [None, None, Some(12), Some(23)]);
        assert_eq!([0, 1, 2].map(|hours| part.hour_at(at(hours))), [12, 12, 13]);
        assert!((part.begin() - 11.0 * 3600.0).abs() < 1e-9);
    }
}
