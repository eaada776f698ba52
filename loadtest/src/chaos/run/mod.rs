//! Carrying a plan out: real processes, real servers, callers and viewers, all in one history.

mod callers;
mod client;
mod ending;
mod farm;
mod process;
mod recorder;
mod recording;
mod servers;
mod viewer;

use super::checker::{ChaosVerdict, CheckTerms, check};
use super::plan::{ChaosPlan, FaultChoice, PlanTerms};
use crate::processes::until_asked_to_end;
use crate::{LoadError, setup};
use farm::ChaosFarm;
use recorder::Recorder;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, sleep_until};

/// Once nothing breaks any more, what is still open gets further within this, however slow the machine is. Callers wait for an answer
/// for less.
const STUCK_AFTER: Duration = Duration::from_secs(120);
/// ...and has ended within this.
const SETTLED_WITHIN: Duration = Duration::from_secs(900);

/// What workers report last is in the books after this.
const LAST_REPORTS: Duration = Duration::from_secs(3);

/// How a run is to be.
#[derive(Debug, Clone)]
pub struct ChaosOptions {
    /// The command `mouthpiece`, with the feature `cloud`.
    pub program: PathBuf,
    /// Determines the plan (not the run: the machine has its say).
    pub seed: u64,
    /// Callers come and things break for so long.
    pub length: Duration,
    /// Workers, 2 or more.
    pub workers: u8,
    /// Coordinators, 1 or more.
    pub coordinators: u8,
    /// Slots of each worker.
    pub slots: u8,
    /// What may break.
    pub choice: FaultChoice,
    /// How long leases last. Sessions of killed workers wait for it.
    pub lease: ChaosLease,
    /// Whose face.
    pub portrait: PathBuf,
    /// Where the history is written, if it is to be kept.
    pub history: Option<PathBuf>,
    /// A folder for the logs of all processes, if they are to be kept.
    pub logs: Option<PathBuf>,
}

/// Lease terms of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChaosLease {
    /// Given away after 2.5 s, so that a run sees many losses.
    #[default]
    Short,
    /// As the program's settings have them.
    Usual,
}

/// What a run showed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChaosReport {
    /// The rules that were broken, and the numbers.
    pub verdict: ChaosVerdict,
    /// From the first caller to the last record, seconds.
    pub seconds: f64,
}

/// Runs a farm under the plan of a seed and checks its history. Blocks until it is done; `tell` hears what is under way.
///
/// # Errors
/// [`LoadError`]: options that cannot be used, servers that are missing, a farm that does not start or does not come back. A broken
/// rule is no error, it stands in the report.
pub fn chaos(options: &ChaosOptions, tell: &(dyn Fn(&str) + Sync)) -> Result<ChaosReport, LoadError> {
    if options.workers < 2 || options.coordinators < 1 || options.slots < 1 || options.length < Duration::from_secs(5) {
        return Err(LoadError::Options("workers from 2, coordinators and slots from 1, 5 s or longer"));
    }
    let plan = ChaosPlan::new(&PlanTerms {
        seed: options.seed,
        length_ms: u64::try_from(options.length.as_millis()).unwrap_or(u64::MAX),
        workers: options.workers,
        coordinators: options.coordinators,
        slots: options.slots,
        choice: options.choice,
    });
    // Children die with the thread that started them: faults are carried out on this one, which lives as long as the run.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(setup)?;
    let local = LocalSet::new();
    runtime.block_on(async {
        tokio::select! {
            done = local.run_until(run(options, &plan, tell)) => done,
            asked = until_asked_to_end() => Err(asked),
        }
    })
}

async fn run(options: &ChaosOptions, plan: &ChaosPlan, tell: &(dyn Fn(&str) + Sync)) -> Result<ChaosReport, LoadError> {
    let folder = tempfile::tempdir().map_err(setup)?;
    if let Some(logs) = &options.logs {
        std::fs::create_dir_all(logs).map_err(setup)?;
    }
    let recorder = Recorder::new(options.history.as_deref())?;
    tell("starting the servers, the coordinators and the workers");
    let mut farm = ChaosFarm::start(options, folder.path(), recorder.clone()).await?;
    farm.avatar = ending::prepare(&farm, callers::avatar_body(&farm, 0)).await?;
    let farm = Arc::new(farm);

    let (begun, base) = (Instant::now(), recorder.now_ms());
    tell(&format!("{} callers and {} faults", plan.arrivals.len(), plan.faults.len()));
    let mut calls = JoinSet::new();
    for arrival in plan.arrivals.iter().copied() {
        let (farm, at) = (Arc::clone(&farm), recorder.at(base + arrival.at_ms));
        calls.spawn(async move {
            sleep_until(at).await;
            callers::call(farm, arrival).await;
        });
    }
    let mut faults = JoinSet::new();
    for (number, planned) in (0..).zip(plan.faults.iter().copied()) {
        let (farm, at) = (Arc::clone(&farm), recorder.at(base + planned.at_ms));
        faults.spawn_local(async move {
            sleep_until(at).await;
            farm.carry_out(number, planned).await
        });
    }
    sleep_until(recorder.at(base) + options.length).await;
    while let Some(done) = faults.join_next().await {
        done.map_err(setup)??;
    }
    tell("nothing breaks any more: waiting until all sessions have ended");
    farm.is_whole().await?;
    let settled = async {
        while calls.join_next().await.is_some() {}
        ending::all_ended(&farm).await
    };
    tokio::select! {
        settled = settled => settled?,
        stuck = ending::nothing_gets_further(&farm, STUCK_AFTER) => {
            stuck?;
            tell("what is still open gets no further");
        }
        () = sleep(SETTLED_WITHIN) => tell("some sessions are still open"),
    }
    farm.end();
    sleep(LAST_REPORTS).await;
    ending::read_records(&farm).await?;
    let verdict = check(&recorder.finish(), &CheckTerms::default());
    Ok(ChaosReport { verdict, seconds: begun.elapsed().as_secs_f64() })
}
