//! The worker of this process. One that was drained or failed is followed by another: here nobody else starts machines.

use mouthpiece_domain::backoff::Backoff;
use mouthpiece_ports::farm_ports::WorkerPorts;
use mouthpiece_worker::WorkerSettings;
use mouthpiece_worker::farm;
use mouthpiece_worker::metrics::WorkerMetrics;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Between the end of a worker and the next.
const PAUSES: Backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(30), again: None };

/// Keeps a worker until it is told to stop, and tells when the first one has begun; the last one gets `grace` to finish what runs and hands over the rest.
///
/// # Errors
/// The first worker does not start, or the last one did not end in order.
pub async fn keep(
    ports: WorkerPorts,
    settings: WorkerSettings,
    metrics: Arc<WorkerMetrics>,
    grace: Duration,
    began: oneshot::Sender<()>,
    mut stopping: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut failures = 0;
    let mut began = Some(began);
    loop {
        let started = tokio::select! {
            started = farm::start(ports.clone(), settings.clone(), Arc::clone(&metrics)) => started,
            () = asked(&mut stopping) => return Ok(()),
        };
        match started {
            Err(error) if began.is_some() => return Err(error.into()),
            Err(error) => tracing::error!(%error, "no worker can be started just now"),
            Ok(worker) => {
                if let Some(began) = began.take() {
                    let _ = began.send(()); // nobody may wait for it any more
                }
                let ended = tokio::select! {
                    ended = worker.closed() => ended,
                    () = asked(&mut stopping) => return Ok(worker.drain_and_stop(grace).await?),
                };
                match ended {
                    Ok(()) => {
                        tracing::info!(worker_id = %worker.id(), "the worker was drained: another takes its place");
                        failures = 0;
                    }
                    Err(error) => tracing::error!(worker_id = %worker.id(), %error, "the worker failed"),
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSES.pause(failures)) => failures += 1,
            () = asked(&mut stopping) => return Ok(()),
        }
    }
}

async fn asked(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone will not say anything any more: that means the same.
    let _ = stopping.wait_for(|stop| *stop).await;
}
