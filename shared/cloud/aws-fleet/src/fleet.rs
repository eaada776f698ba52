//! The adapter of the port.

use crate::client::{QueryClient, http};
use crate::failure::AwsFailure;
use crate::group::{MOST_NAMED, MachineStage, ScalingGroup};
use crate::prices::SpotPrices;
use crate::settings::{AwsFleetSettings, FleetOpenError, endpoint};
use async_trait::async_trait;
use mouthpiece_aws_access::Access;
use mouthpiece_domain::cost::Price;
use mouthpiece_domain::fleet::{DepartedWorker, MachineId};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::fleet::{Fleet, FleetError, MachineUse};
use std::sync::Arc;

/// The machines of an Auto Scaling group.
#[derive(Debug)]
pub struct AwsFleet {
    group: ScalingGroup,
    prices: Option<SpotPrices>,
}

impl AwsFleet {
    /// Makes what is needed to ask; nothing is asked yet.
    ///
    /// # Errors
    /// [`FleetOpenError`]: the settings cannot be used.
    pub fn open(settings: &AwsFleetSettings, access: Access) -> Result<Self, FleetOpenError> {
        let region = access.region().ok_or(FleetOpenError::Region)?.to_owned();
        let direct = settings.scaling_endpoint.is_some() || settings.ec2_endpoint.is_some();
        let (http, access) = (http(&access, direct)?, Arc::new(access));
        let client = |service, version, setting, given: &Option<String>| {
            let endpoint = endpoint(setting, given.as_deref(), service, &region)?;
            let (http, access, region) = (http.clone(), Arc::clone(&access), region.clone());
            Ok(QueryClient { http, access, service, version, region, endpoint })
        };
        let scaling = client("autoscaling", "2011-01-01", "aws.autoscaling_endpoint", &settings.scaling_endpoint)?;
        let ec2 = client("ec2", "2016-11-15", "aws.ec2_endpoint", &settings.ec2_endpoint)?;
        let group = ScalingGroup { client: scaling, name: settings.group.clone() };
        Ok(Self { group, prices: settings.spot_prices.then_some(SpotPrices { client: ec2 }) })
    }
}

#[async_trait]
impl Fleet for AwsFleet {
    async fn desire(&self, workers: u32) -> Result<(), FleetError> {
        let group = self.group.look().await?;
        let size = workers.min(group.most);
        // A smaller size is never asked for: the group would choose the machines that go.
        if size > group.desired {
            self.group.set_desired(size).await?;
            tracing::info!(group = self.group.name, from = group.desired, to = size, "machines asked for");
        }
        if workers > group.most { Err(self.group.too_many(workers, Some(group.most))) } else { Ok(()) }
    }

    async fn retire(&self, left: &DepartedWorker) -> Result<(), FleetError> {
        let Some(machine) = &left.machine else {
            tracing::info!(worker_id = %left.worker, "a worker left, and its machine stays: other workers are on it, or it is not known");
            return Ok(());
        };
        // A machine is believed to be what the group says, not what a worker says: nothing else is ever ended.
        match self.group.look().await?.machines.get(machine) {
            None => {
                tracing::info!(worker_id = %left.worker, machine = machine.0, group = self.group.name, "not of the group (any more)");
                return Ok(());
            }
            Some(known) if known.stage == MachineStage::Leaving => return Ok(()),
            Some(known) if known.protected => self.group.set_protection(&[machine], false).await?,
            Some(_) => {}
        }
        self.end(machine).await?;
        tracing::info!(worker_id = %left.worker, machine = machine.0, group = self.group.name, "machine given back");
        Ok(())
    }

    async fn protect(&self, machines: &[MachineUse]) -> Result<(), FleetError> {
        if machines.is_empty() {
            return Ok(());
        }
        let group = self.group.look().await?;
        let differs = |use_: &&MachineUse| {
            let known = group.machines.get(&use_.machine);
            known.is_some_and(|known| known.stage == MachineStage::InService && known.protected != use_.busy)
        };
        // What must not be taken goes first.
        for on in [true, false] {
            let changed: Vec<&MachineId> =
                machines.iter().filter(differs).filter(|use_| use_.busy == on).map(|use_| &use_.machine).collect();
            for some in changed.chunks(MOST_NAMED) {
                self.group.set_protection(some, on).await?;
            }
        }
        Ok(())
    }

    async fn prices(&self, instance_types: &[String], since: Wall) -> Result<Vec<Price>, FleetError> {
        match &self.prices {
            Some(prices) => prices.history(instance_types, since).await,
            None => Ok(Vec::new()),
        }
    }
}

impl AwsFleet {
    /// Ends a machine so that no other one comes for it, unless the group's minimum size wants one.
    async fn end(&self, machine: &MachineId) -> Result<(), FleetError> {
        let gone = |failure: &AwsFailure| failure.says("ValidationError", &["not found", "not part of"]);
        let mut ended = self.group.terminate(machine, true).await;
        if ended.as_ref().is_err_and(|failure| failure.says("ValidationError", &["min size", "minsize", "minimum"])) {
            tracing::info!(
                machine = machine.0,
                group = self.group.name,
                "the group's minimum size wants another machine for it"
            );
            ended = self.group.terminate(machine, false).await;
        }
        match ended {
            Err(failure) if !gone(&failure) => Err(self.group.not_terminated(&failure)),
            _ => Ok(()),
        }
    }
}
