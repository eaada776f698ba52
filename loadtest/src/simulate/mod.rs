//! A fleet under virtual time: the brain of a farm, with thousands of machines that start, cost and are taken away.
//!
//! The brain is the farm's own, [`Control`](mouthpiece_domain::control::Control): it places sessions, works out how many
//! workers are wanted, gives back who is not needed and moves sessions away from machines that are about to be taken. Around
//! it callers come and go by chance, machines take their time to start, and what is paid is brought together with what is
//! delivered by the books that a farm's own report is made of. Nothing waits: a day takes as long as its events do.
//!
//! What is left out, and why that changes nothing, is told in `docs/simulate.md`.

mod books;
mod commands;
mod demand;
mod find;
mod later;
mod machines;
mod options;
mod part;
mod report;
mod sessions;
mod world;

pub use find::{FindTerms, FoundPool, PoolTry, find_warm_pool};
pub use options::{BeatDetail, DemandShape, LengthSpread, SimulateOptions};
pub use report::{SimulateReport, WaitFigures};

use crate::LoadError;

/// How far a simulation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulateProgress {
    /// Hours that have passed, those before the measurement included.
    pub hour: u32,
    /// Hours in all.
    pub hours: u32,
    /// Sessions that are open.
    pub sessions: u32,
    /// Machines that are there.
    pub machines: u32,
}

/// Runs one simulation and tells `progress` of each hour.
///
/// # Errors
/// [`LoadError::Options`]; [`LoadError::Audit`] when a session that was accepted vanished.
pub fn simulate(
    options: &SimulateOptions,
    progress: &mut dyn FnMut(SimulateProgress),
) -> Result<SimulateReport, LoadError> {
    options.check()?;
    part::all_at_once(options, progress)
}
