//! The worker of this process. One that is drained or failed is followed by another: here nobody else starts machines. While a
//! drained one still has sessions both are there, so that its live ones can move.

use mouthpiece_domain::backoff::Backoff;
use mouthpiece_media::face::Runtime;
use mouthpiece_ports::farm_ports::WorkerPorts;
use mouthpiece_worker::RenderError;
use mouthpiece_worker::farm::{self, RunningWorker, WorkerFailure};
use mouthpiece_worker::gpu_metrics::register_gpus;
use mouthpiece_worker::metrics::WorkerMetrics;
use mouthpiece_worker_settings::WorkerSettings;
use prometheus::Registry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// Between the end of a worker and the next.
const PAUSES: Backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(30), again: None };

/// Fails unless the libraries are there that a worker loads while it starts: it is told before anything else is begun.
///
/// # Errors
/// What is missing, and where it is had.
pub fn libraries_are_there() -> Result<(), RenderError> {
    Runtime::get()?;
    Ok(())
}

/// Keeps a worker until it is told to stop, and tells when the first one has begun; the last one gets `grace` to finish what runs and hands over the rest.
///
/// # Errors
/// The first worker does not start, or the last one did not end in order.
pub async fn keep(
    ports: WorkerPorts,
    settings: WorkerSettings,
    registry: Registry,
    grace: Duration,
    began: oneshot::Sender<()>,
    mut stopping: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let metrics = Arc::new(WorkerMetrics::new(&registry)?);
    register_gpus(&registry)?;
    let mut failures = 0;
    let mut began = Some(began);
    let mut leaving = JoinSet::new();
    loop {
        while leaving.try_join_next().is_some() {}
        let started = tokio::select! {
            started = farm::start(ports.clone(), settings.clone(), Arc::clone(&metrics)) => started,
            () = asked(&mut stopping) => break,
        };
        match started {
            Err(error) if began.is_some() => return Err(error.into()),
            Err(error) => tracing::error!(%error, "no worker can be started just now"),
            Ok(worker) => {
                if let Some(began) = began.take() {
                    let _ = began.send(()); // nobody may wait for it any more
                }
                tokio::select! {
                    ended = worker.closed() => {
                        if let Err(error) = ended {
                            tracing::error!(worker_id = %worker.id(), %error, "the worker failed");
                        }
                    }
                    () = worker.drains() => {
                        tracing::info!(worker_id = %worker.id(), "the worker is drained: another takes its place");
                        failures = 0;
                        leaving.spawn_local(see_off(worker, grace, stopping.clone()));
                        continue;
                    }
                    () = asked(&mut stopping) => {
                        leaving.spawn_local(see_off(worker, grace, stopping.clone()));
                        break;
                    }
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSES.pause(failures)) => failures += 1,
            () = asked(&mut stopping) => break,
        }
    }
    let ended = leaving.join_all().await;
    ended.into_iter().collect::<Result<(), _>>().map_err(Into::into)
}

/// Waits for the end of a worker that takes nothing new; it gets `grace` once this process is to end.
async fn see_off(
    worker: RunningWorker,
    grace: Duration,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), WorkerFailure> {
    tokio::select! {
        ended = worker.closed() => {
            match ended {
                Ok(()) => tracing::info!(worker_id = %worker.id(), "the drained worker is gone"),
                // Another has taken its place already: this process goes on in order.
                Err(error) => tracing::error!(worker_id = %worker.id(), %error, "the drained worker is gone"),
            }
            Ok(())
        }
        () = asked(&mut stopping) => worker.drain_and_stop(grace).await,
    }
}

async fn asked(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone will not say anything any more: that means the same.
    let _ = stopping.wait_for(|stop| *stop).await;
}
