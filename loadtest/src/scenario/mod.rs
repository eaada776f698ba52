//! Scenarios: a file says who comes, what is said, what goes wrong and what has to come of it; the run is judged by that.
//!
//! Callers and viewers are those of [`live`](crate::live()), against a farm that is given or one that is started for the run.

mod file;
mod html;
mod own_farm;
mod report;
mod sampling;
mod svg;

pub use file::{
    PushStyle, Scenario, ScenarioCost, ScenarioError, ScenarioFaults, ScenarioLoad, ScenarioSpeech, ScenarioTargets,
    ScenarioVideo,
};
pub use html::page;
pub use report::{FarmUse, JudgedTarget, ScenarioCostReport, ScenarioReport, UseLine};

use crate::live::live_in_detail;
use crate::{LoadError, setup};
use own_farm::OwnFarm;
use sampling::UseSampling;
use std::path::PathBuf;
use std::time::Instant;

/// Where a scenario is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScenarioFarm {
    /// A farm of its own, started from this program and ended with the run.
    Own(PathBuf),
    /// A farm that runs.
    Given {
        /// Where it is.
        url: String,
        /// An API key's secret.
        key: String,
        /// Its process, where that is on this machine and what it uses is to be measured.
        process: Option<u32>,
    },
}

/// Runs a scenario; `began` is what the calendar says, RFC 3339.
///
/// # Errors
/// [`LoadError`] when the farm does not start or refuses, or no session comes to be watched. Missed targets are none.
pub fn run_scenario(scenario: &Scenario, farm: &ScenarioFarm, began: String) -> Result<ScenarioReport, LoadError> {
    let (own, url, key, process) = match farm {
        ScenarioFarm::Own(program) => {
            let own = OwnFarm::start(program, scenario.load.sessions)?;
            let (url, key, process) = (own.url.clone(), own.key.clone(), own.process());
            (Some(own), url, key, Some(process))
        }
        ScenarioFarm::Given { url, key, process } => (None, url.clone(), key.clone(), *process),
    };
    let options = scenario.options(&url, &key).map_err(setup)?;
    let mut loading = None;
    let measured = live_in_detail(&options, || loading = Some((Instant::now(), process.map(UseSampling::begin))))?;
    let (begun, sampling) = loading.ok_or_else(|| setup("the load never began"))?;
    let seconds = begun.elapsed().as_secs_f64();
    let used = sampling.map(|sampling| sampling.end(scenario.load.sessions)).transpose()?;
    drop(own);
    Ok(ScenarioReport::new(scenario, began, seconds, measured, used))
}
