//! The machine under a worker, where it is one of a fleet: what it is, and when it is taken away.

use super::UNTIL_THERE;
use crate::cloud::said;
use crate::config::{Config, StoreUrl};
use anyhow::Context;
use mouthpiece_aws_fleet::{MachineIdentity, MachineMetadata, MachineNotice, MachineWatch, MetadataError};
use mouthpiece_domain::fleet::MachineId;
use mouthpiece_ports::retry::{CallFailure, ask_again};
use mouthpiece_worker::WorkerSettings;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use std::time::Duration;

/// Handing over and saying goodbye takes so long at most, of the time that is left.
const GOODBYE: Duration = Duration::from_secs(10);
/// What `worker.instance_type` is as long as nobody says otherwise.
const UNSAID: &str = "local";

/// The machine of a fleet that this worker runs on.
pub struct FleetMachine {
    identity: MachineIdentity,
    watch: MachineWatch,
    notices: IntCounterVec,
    failures: IntCounter,
}

/// What runs may go on for so long after a notice; then it is handed over. A machine that is only at risk is left as one that an
/// operator drains.
fn time_to_drain(notice: MachineNotice, drain_timeout: Duration) -> Duration {
    match notice {
        MachineNotice::AtRisk => drain_timeout,
        MachineNotice::Taken { left } => left.saturating_sub(GOODBYE).min(drain_timeout),
    }
}

impl FleetMachine {
    /// The machine, if the farm has a fleet. Metadata that are away are waited for: without them nobody could give the machine back.
    ///
    /// # Errors
    /// The setting cannot be used.
    pub async fn find(config: &Config, registry: &Registry) -> anyhow::Result<Option<Self>> {
        let StoreUrl::MachineGroup(_) = &config.stores.fleet else { return Ok(None) };
        let metadata = MachineMetadata::at(said(&config.farm.aws.metadata_endpoint).as_deref())?;
        let notices = IntCounterVec::new(
            Opts::new("machine_notices_total", "Times that this machine was said to be taken away, or to be at risk"),
            &["notice"],
        )?;
        let failures =
            IntCounter::new("machine_metadata_errors_total", "Times that the machine's metadata could not be read")?;
        for notice in MachineNotice::NAMES {
            notices.with_label_values(&[notice]); // at zero: the first one is an increase
        }
        registry.register(Box::new(notices.clone()))?;
        registry.register(Box::new(failures.clone()))?;
        let failed = |failure: &CallFailure<MetadataError>| {
            failures.inc();
            tracing::warn!(%failure, "waiting for the machine's metadata; for a machine of your own, set stores.fleet to \"none:\"");
        };
        let identity = ask_again(UNTIL_THERE, || metadata.identity(), |_| false, failed).await.context("aws")?;
        tracing::info!(
            machine = identity.id.0,
            instance_type = identity.instance_type,
            zone = identity.zone,
            spot = identity.spot,
            "a machine of the fleet"
        );
        let watch = MachineWatch::new(metadata, config.farm.aws.watch_every);
        Ok(Some(Self { identity, watch, notices, failures }))
    }

    /// The worker's settings with what the machine says of itself; a type that was set stays.
    pub fn told(&self, settings: WorkerSettings) -> WorkerSettings {
        let machine: Option<MachineId> = Some(self.identity.id.clone());
        let instance_type = match settings.instance_type.as_str() {
            UNSAID => self.identity.priced_as(),
            said => said.to_owned(),
        };
        WorkerSettings { machine, instance_type, ..settings }
    }

    /// Waits until the machine is taken away, or may be, and tells how long what runs may go on; for ever where there is no such
    /// machine.
    pub async fn leaves(machine: &mut Option<Self>, drain_timeout: Duration) -> Duration {
        let Some(Self { identity, watch, notices, failures }) = machine else { return std::future::pending().await };
        let failed = |error: &MetadataError, is_first: bool| {
            failures.inc();
            if is_first {
                tracing::warn!(%error, "the machine's metadata are away: an interruption would come unannounced");
            }
        };
        let notice = watch.next(failed).await;
        notices.with_label_values(&[notice.name()]).inc();
        let within = time_to_drain(notice, drain_timeout);
        tracing::warn!(
            machine = identity.id.0,
            notice = notice.name(),
            within_s = within.as_secs(),
            "this machine is taken away: draining"
        );
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_is_kept_for_a_goodbye() {
        let (hour, s) = (Duration::from_secs(3600), Duration::from_secs);
        let within = |notice| time_to_drain(notice, hour);
        assert_eq!(within(MachineNotice::AtRisk), hour);
        assert_eq!(within(MachineNotice::Taken { left: s(120) }), s(110));
        assert_eq!(within(MachineNotice::Taken { left: s(4) }), Duration::ZERO);
        assert_eq!(time_to_drain(MachineNotice::Taken { left: s(120) }, s(5)), s(5));
    }
}
