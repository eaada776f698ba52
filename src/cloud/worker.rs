//! `mouthpiece worker`: one worker in a process of its own, for coordinators elsewhere.

mod boot;
mod health;
mod machine;

use super::check_shared;
use crate::config::{Config, Sources, load};
use crate::up::stop_signals::StopSignals;
use crate::wiring::Between;
use crate::{logging, wiring};
use anyhow::Context;
use clap::Args;
use health::{Health, WorkerStage};
use machine::FleetMachine;
use mouthpiece_media::face::Runtime;
use mouthpiece_ports::farm_ports::WorkerPorts;
use mouthpiece_ports::retry::{CallFailure, RetryPolicy, ask_again};
use mouthpiece_worker::farm::{self, RunningWorker, StartError};
use mouthpiece_worker::gpu_metrics::register_gpus;
use mouthpiece_worker::metrics::WorkerMetrics;
use mouthpiece_worker::{RenderError, WorkerSettings};
use prometheus::Registry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Servers that are away at the start are asked for again, for as long as it takes.
const UNTIL_THERE: RetryPolicy = RetryPolicy { backoff: super::UNTIL_THERE, call: None };

/// Callers of sessions that go on elsewhere are sent there; the end waits for that at most so long.
const CALLERS_SENT_ON: Duration = Duration::from_secs(8);

/// Run one worker, for coordinators in other processes.
#[derive(Debug, Args)]
#[command(
    after_help = "It needs stores.bus (amqp:), stores.pool (redis:), stores.blobs and farm.secret as the coordinators have them; see \
                  docs/several-processes.md. It answers /healthz, /readyz and /metrics at health.bind and health.port.\n\n\
                  Ctrl-C (or SIGTERM) drains it: what runs may finish within worker.grace, or is handed over to other workers. Once \
                  more ends it at once. A worker that a coordinator drained ends by itself with exit code 0.\n\n\
                  Example: MOUTHPIECE_FARM__SECRET=... MOUTHPIECE_STORES__BUS=amqp://... mouthpiece worker --config farm.toml"
)]
pub struct WorkerArgs {
    /// The folder for what is only needed while it runs [default: mouthpiece in $XDG_DATA_HOME or ~/.local/share]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Read settings from this file; mouthpiece.toml in this folder, if it is there, when none is named
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The port for /healthz, /readyz and /metrics, 0 for any free one [default: health.port of the settings, 8001]
    #[arg(long, value_name = "N")]
    health_port: Option<u16>,
}

/// Runs the command.
pub fn run(args: &WorkerArgs) -> anyhow::Result<()> {
    let data = args.data.as_ref().map(|data| data.display().to_string());
    let sources = Sources::here(args.config.clone()).flag("stores.data", "--data", data).flag(
        "health.port",
        "--health-port",
        args.health_port,
    );
    let config = load(&sources)?.config;
    wiring::check(&config.stores)?;
    check_shared(&config)?;
    logging::start(&config.log)?;
    Runtime::get().map_err(RenderError::from)?;
    let data = crate::data::DataFolder::open(&config.stores.data)?;
    let up_before = if config.counts_from_boot { boot::up_before(data.folder()) } else { Duration::ZERO };
    if actix_rt::System::new().block_on(work(config, data.folder(), up_before))? {
        Ok(())
    } else {
        // What is cut off here is placed again, as after a crash.
        std::process::exit(0)
    }
}

/// Whether it ended in order.
async fn work(config: Config, folder: &Path, up_before: Duration) -> anyhow::Result<bool> {
    let mut asked = StopSignals::listen()?;
    let registry = Registry::new_custom(Some("mouthpiece".to_owned()), None)?;
    let metrics = Arc::new(WorkerMetrics::new(&registry)?);
    register_gpus(&registry)?;
    let ports = tokio::select! {
        ports = ports(&config, folder, &registry) => ports?,
        () = asked.again() => return Ok(true),
    };
    let health = Health::serve(config.farm.health, ports.clone(), registry.clone())?;
    let mut machine = tokio::select! {
        machine = FleetMachine::find(&config, &registry) => machine?,
        () = asked.again() => return Ok(true),
    };
    let settings = WorkerSettings { scratch: folder.join("scratch"), up_before, ..config.worker };
    let settings = match &machine {
        Some(machine) => machine.told(settings),
        None => settings,
    };
    let worker = tokio::select! {
        worker = started(&ports, &settings, &metrics) => worker?,
        () = asked.again() => return Ok(true),
    };
    health.is_now(WorkerStage::Running);
    crate::say::result(format_args!("worker {} is ready: http://{}/readyz", worker.id(), health.address()))?;
    loop {
        tokio::select! {
            () = asked.again() => break,
            ended = worker.closed() => {
                ended.context("the worker failed")?;
                tracing::info!(worker_id = %worker.id(), "drained");
                ports.lines.send_callers_on(CALLERS_SENT_ON).await;
                return Ok(true);
            }
            within = FleetMachine::leaves(&mut machine, settings.drain_timeout) => {
                health.is_now(WorkerStage::Draining);
                worker.drain(within);
            }
        }
    }
    health.is_now(WorkerStage::Draining);
    tracing::info!(grace_s = config.grace.as_secs(), "asked to end: taking nothing new; ask again to end at once");
    tokio::select! {
        ended = worker.drain_and_stop(config.grace) => {
            ended?;
            ports.lines.send_callers_on(CALLERS_SENT_ON).await;
            Ok(true)
        }
        () = asked.again() => { tracing::warn!("asked again: ending at once"); Ok(false) }
    }
}

async fn ports(config: &Config, folder: &Path, registry: &Registry) -> anyhow::Result<WorkerPorts> {
    let Between { bus, pool, lines, questions } = wiring::open_between(config, registry, true).await?;
    let blobs = wiring::open_blobs(config, folder, true).await?;
    Ok(WorkerPorts { bus, questions, pool, blobs, lines })
}

/// Starts the worker; servers that are away are waited for.
async fn started(
    ports: &WorkerPorts,
    settings: &WorkerSettings,
    metrics: &Arc<WorkerMetrics>,
) -> anyhow::Result<RunningWorker> {
    let start = || farm::start(ports.clone(), settings.clone(), Arc::clone(metrics));
    let hopeless = |error: &StartError| !matches!(error, StartError::Bus(_) | StartError::Lines(_));
    let failed = |failure: &CallFailure<StartError>| tracing::warn!(%failure, "the worker cannot start yet");
    match ask_again(UNTIL_THERE, start, hopeless, failed).await {
        Ok(worker) => Ok(worker),
        Err(CallFailure::Port(error)) => Err(error.into()),
        Err(silent) => anyhow::bail!("the worker does not start: {silent}"),
    }
}
