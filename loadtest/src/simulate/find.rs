//! The smallest warm pool that will do.

use super::{SimulateOptions, SimulateProgress, SimulateReport, simulate};
use crate::LoadError;
use mouthpiece_domain::control::ControlSettings;
use serde::Serialize;
use std::time::Duration;

/// What a warm pool has to achieve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FindTerms {
    /// 99% of the callers get their slot within this.
    pub most_wait: Duration,
    /// At most this share of the callers gets none.
    pub most_unserved: f64,
}

impl Default for FindTerms {
    fn default() -> Self {
        Self { most_wait: Duration::from_secs(1), most_unserved: 0.001 }
    }
}

impl FindTerms {
    fn are_met(&self, report: &SimulateReport) -> bool {
        report.wait_s.p99 <= self.most_wait.as_secs_f64() && report.unserved_share <= self.most_unserved
    }
}

/// One size that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolTry {
    /// Idle workers kept ready.
    pub warm_workers: u32,
    /// It does what is asked of it.
    pub is_enough: bool,
    /// What came of it.
    pub report: SimulateReport,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundPool {
    /// The smallest that will do, to within a sixteenth of it. `None`: none up to as many as there are sessions will.
    pub warm_workers: Option<u32>,
    /// All that was tried, by size.
    pub tries: Vec<PoolTry>,
}

impl FoundPool {
    /// What came of the size that was found.
    pub fn report(&self) -> Option<&SimulateReport> {
        self.tries.iter().find(|one| Some(one.warm_workers) == self.warm_workers).map(|one| &one.report)
    }
}

/// Tries warm pools until the smallest is known that meets the terms. A larger pool is never worse but for chance, so sizes are
/// doubled until one will do, and then the gap below it is halved. `told` hears of each try and of its hours.
///
/// # Errors
/// As [`simulate`]; [`LoadError::Options`] for terms that cannot be met.
pub fn find_warm_pool(
    options: &SimulateOptions,
    terms: &FindTerms,
    told: &mut dyn FnMut(u32, SimulateProgress),
) -> Result<FoundPool, LoadError> {
    if !(0.0..=1.0).contains(&terms.most_unserved) {
        return Err(LoadError::Options("an unserved share from 0 to 1"));
    }
    let mut tries: Vec<PoolTry> = Vec::new();
    let mut attempt = |warm_workers: u32| {
        let brain = ControlSettings { warm_workers, ..options.brain.clone() };
        let report = simulate(&SimulateOptions { brain, ..options.clone() }, &mut |at| told(warm_workers, at))?;
        let is_enough = terms.are_met(&report);
        tries.push(PoolTry { warm_workers, is_enough, report });
        Ok::<bool, LoadError>(is_enough)
    };
    let (mut too_small, mut enough) = (None, None);
    while let Some(size) = next_size(options, too_small, enough) {
        if attempt(size)? {
            enough = Some(size);
        } else {
            too_small = Some(size);
        }
    }
    tries.sort_by_key(|one| one.warm_workers);
    Ok(FoundPool { warm_workers: enough, tries })
}

/// The size that is tried next, when the largest that was too small and the smallest that was enough are known; `None` when that is
/// near enough.
fn next_size(options: &SimulateOptions, too_small: Option<u32>, enough: Option<u32>) -> Option<u32> {
    let most = options.sessions.max(1);
    match (too_small, enough) {
        // Chance alone makes demand go up and down by its root.
        (None, None) => {
            let sessions = f64::from(options.sessions).sqrt().ceil() as u32;
            Some(sessions.div_ceil(options.slots.max(1).into()).clamp(1, most))
        }
        (None, Some(0)) => None,
        (None, Some(good)) => Some(good / 2),
        (Some(bad), None) if bad >= most => None,
        (Some(bad), None) => Some(bad.saturating_mul(2).clamp(1, most)),
        (Some(bad), Some(good)) if good - bad <= (good / 16).max(1) => None,
        (Some(bad), Some(good)) => Some(bad + (good - bad) / 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sessions: u32, least_that_will_do: u32) -> (Option<u32>, usize) {
        let options = SimulateOptions { sessions, ..SimulateOptions::default() };
        let (mut too_small, mut enough, mut tries) = (None, None, 0);
        while let Some(size) = next_size(&options, too_small, enough) {
            tries += 1;
            if size >= least_that_will_do { enough = Some(size) } else { too_small = Some(size) }
        }
        (enough, tries)
    }

    #[test]
    fn the_least_is_found_wherever_it_is_and_soon() {
        for sessions in [1, 2, 100, 100_000] {
            for least in [0, 1, 2, 3, 17, 160, 4000, 90_000] {
                let (enough, tries) = found(sessions, least);
                assert!(tries <= 24, "{sessions}, {least}: {tries} tries");
                match enough {
                    Some(size) => assert!(size >= least && size - least <= size / 16, "{sessions}, {least}: {size}"),
                    None => assert!(least > sessions.max(1), "{sessions}, {least}"),
                }
            }
        }
    }
}
