//! The brain alone, under virtual time: how many events a second it handles with many workers known.
//!
//! A small world answers its effects at once and in memory: a store that keeps the conditions of each write, a pool, and
//! workers that report every second, are lost now and then, refuse now and then, and repeat themselves. Only the time
//! inside [`Control::handle`] counts.

mod farm;
mod store;
mod world;

use crate::LoadError;
use crate::latency::Latency;
use serde::Serialize;
use std::collections::BTreeMap;
use world::World;

/// What the brain is given to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlOptions {
    /// Events to handle, 1 or more.
    pub events: u64,
    /// Workers known, 1 to 1,000,000.
    pub workers: u32,
    /// Slots a worker, 1 to 16.
    pub slots: u8,
    /// Slots' worth of sessions that arrive: 0.5 keeps half of the slots busy, more than 1 fills the queue.
    pub load: f64,
    /// Determines the whole run.
    pub seed: u64,
}

impl Default for ControlOptions {
    fn default() -> Self {
        Self { events: 1_000_000, workers: 10_000, slots: 2, load: 0.5, seed: 1 }
    }
}

/// How the brain did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ControlReport {
    /// Events handled.
    pub events: u64,
    /// Seconds inside the brain.
    pub seconds: f64,
    /// One over the other.
    pub events_per_second: f64,
    /// Seconds that making the events and answering the effects took; not part of the above.
    pub making_seconds: f64,
    /// Time of one event.
    pub event_ms: Latency,
    /// Events by sort.
    pub sorts: BTreeMap<&'static str, EventSort>,
    /// Effects that came out.
    pub effects: u64,
    /// Virtual seconds that passed.
    pub virtual_seconds: f64,
    /// Workers known at the end.
    pub workers: u32,
    /// Sessions accepted; every one of them ended.
    pub accepted: u64,
    /// Sessions turned away: no capacity, or a full queue.
    pub turned_away: u64,
    /// Placements given up: lost workers, refusals.
    pub requeued: u64,
}

/// One sort of event.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct EventSort {
    /// Events that the brain handled.
    pub events: u64,
    /// Mean microseconds inside the brain.
    pub mean_us: f64,
}

/// Runs the brain alone.
///
/// # Errors
/// [`LoadError::Options`]; [`LoadError::Audit`] when an accepted session does not end.
pub fn control_events(options: &ControlOptions) -> Result<ControlReport, LoadError> {
    let in_range = options.events > 0
        && (1..=1_000_000).contains(&options.workers)
        && (1..=16).contains(&options.slots)
        && (0.0..=100.0).contains(&options.load);
    if !in_range {
        return Err(LoadError::Options("events from 1, workers 1 to 1000000, slots 1 to 16, load 0 to 100"));
    }
    let mut world = World::new(options)?;
    while world.events() < options.events {
        world.pass_a_millisecond();
    }
    let report = world.report();
    world.finish()?;
    Ok(report)
}
