//! Auto Scaling: one group and its machines.

use crate::answer::{Done, Members};
use crate::client::{Fields, QueryClient};
use crate::failure::AwsFailure;
use mouthpiece_domain::fleet::MachineId;
use mouthpiece_ports::fleet::FleetError;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Machines that one request may name.
pub(crate) const MOST_NAMED: usize = 50;

/// The group as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MachineGroup {
    /// The size that it is meant to have.
    pub(crate) desired: u32,
    /// No larger size is allowed.
    pub(crate) most: u32,
    pub(crate) machines: BTreeMap<MachineId, GroupMachine>,
}

/// A machine of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupMachine {
    pub(crate) stage: MachineStage,
    /// The group does not take it of its own accord.
    pub(crate) protected: bool,
}

/// How a machine of a group is, as far as that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MachineStage {
    /// It is not in service yet.
    Coming,
    /// It can be protected and be given back.
    InService,
    /// It is being given back already.
    Leaving,
}

impl MachineStage {
    fn of(state: &str) -> Self {
        match state {
            "InService" | "Standby" | "EnteringStandby" => Self::InService,
            _ if state.starts_with("Terminat") || state.starts_with("Detach") => Self::Leaving,
            _ => Self::Coming,
        }
    }
}

/// A group, by its name.
#[derive(Debug)]
pub(crate) struct ScalingGroup {
    pub(crate) client: QueryClient,
    pub(crate) name: String,
}

impl ScalingGroup {
    /// As it is now.
    pub(crate) async fn look(&self) -> Result<MachineGroup, FleetError> {
        let action = "DescribeAutoScalingGroups";
        let fields = vec![("AutoScalingGroupNames.member.1".to_owned(), self.name.clone())];
        let answer: DescribedGroups =
            self.client.ask(action, &fields).await.map_err(|failure| self.client.told(action, &failure))?;
        let found = answer.result.groups.all.into_iter().find(|group| group.name == self.name);
        found.map(MachineGroup::from).ok_or_else(|| self.missing())
    }

    /// Asks for a size, whatever the group did a moment ago.
    pub(crate) async fn set_desired(&self, size: u32) -> Result<(), FleetError> {
        let action = "SetDesiredCapacity";
        let fields = self.fields([("DesiredCapacity", size.to_string()), ("HonorCooldown", "false".to_owned())]);
        self.done(action, &fields).await.map_err(|failure| {
            if failure.says("ValidationError", &["not found"]) {
                self.missing()
            } else if failure.says("ValidationError", &["max"]) {
                self.too_many(size, None)
            } else {
                self.client.told(action, &failure)
            }
        })
    }

    /// Ends a machine; with `decrement`, no other one comes for it.
    pub(crate) async fn terminate(&self, machine: &MachineId, decrement: bool) -> Result<(), AwsFailure> {
        let fields = vec![
            ("InstanceId".to_owned(), machine.0.clone()),
            ("ShouldDecrementDesiredCapacity".to_owned(), decrement.to_string()),
        ];
        self.done(TERMINATE, &fields).await
    }

    /// What is told of a machine that could not be ended.
    pub(crate) fn not_terminated(&self, failure: &AwsFailure) -> FleetError {
        self.client.told(TERMINATE, failure)
    }

    /// Protects up to [`MOST_NAMED`] machines, or lets them be taken.
    pub(crate) async fn set_protection(&self, machines: &[&MachineId], on: bool) -> Result<(), FleetError> {
        let action = "SetInstanceProtection";
        let mut fields = self.fields([("ProtectedFromScaleIn", on.to_string())]);
        let named = machines.iter().enumerate();
        fields.extend(named.map(|(n, machine)| (format!("InstanceIds.member.{}", n + 1), machine.0.clone())));
        self.done(action, &fields).await.map_err(|failure| {
            if failure.says("ValidationError", &["instance"]) {
                FleetError::Unavailable("a machine left the group while it was protected: said again".to_owned())
            } else {
                self.client.told(action, &failure)
            }
        })
    }

    /// More are wanted than the group allows.
    pub(crate) fn too_many(&self, wanted: u32, most: Option<u32>) -> FleetError {
        let allowed = most.map_or_else(|| "fewer".to_owned(), |most| most.to_string());
        FleetError::Refused(format!(
            "{wanted} workers are wanted and the group '{}' allows {allowed}: raise its maximum size, or lower \
             coordinator.max_workers",
            self.name
        ))
    }

    fn missing(&self) -> FleetError {
        FleetError::Refused(format!(
            "there is no Auto Scaling group '{}' in {}: create it, or correct stores.fleet or aws.region",
            self.name, self.client.region
        ))
    }

    fn fields<const N: usize>(&self, more: [(&str, String); N]) -> Fields {
        let name = ("AutoScalingGroupName", self.name.clone());
        [name].into_iter().chain(more).map(|(field, value)| (field.to_owned(), value)).collect()
    }

    async fn done(&self, action: &str, fields: &Fields) -> Result<(), AwsFailure> {
        self.client.ask::<Done>(action, fields).await.map(|Done {}| ())
    }
}

const TERMINATE: &str = "TerminateInstanceInAutoScalingGroup";

#[derive(Debug, Deserialize)]
struct DescribedGroups {
    #[serde(rename = "DescribeAutoScalingGroupsResult")]
    result: GroupList,
}

#[derive(Debug, Deserialize)]
struct GroupList {
    #[serde(rename = "AutoScalingGroups", default)]
    groups: Members<DescribedGroup>,
}

#[derive(Debug, Deserialize)]
struct DescribedGroup {
    #[serde(rename = "AutoScalingGroupName")]
    name: String,
    #[serde(rename = "DesiredCapacity")]
    desired: u32,
    #[serde(rename = "MaxSize")]
    most: u32,
    #[serde(rename = "Instances", default)]
    instances: Members<DescribedInstance>,
}

#[derive(Debug, Deserialize)]
struct DescribedInstance {
    #[serde(rename = "InstanceId")]
    id: String,
    #[serde(rename = "LifecycleState")]
    state: String,
    #[serde(rename = "ProtectedFromScaleIn", default)]
    protected: bool,
}

impl From<DescribedGroup> for MachineGroup {
    fn from(group: DescribedGroup) -> Self {
        let machine = |instance: DescribedInstance| {
            let stage = MachineStage::of(&instance.state);
            (MachineId(instance.id), GroupMachine { stage, protected: instance.protected })
        };
        let machines = group.instances.all.into_iter().map(machine).collect();
        Self { desired: group.desired, most: group.most, machines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::read;

    #[test]
    fn a_group_is_read_from_its_description() {
        let text = r#"<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
          <DescribeAutoScalingGroupsResult><AutoScalingGroups><member>
            <AutoScalingGroupName>farm</AutoScalingGroupName><MinSize>0</MinSize><MaxSize>5</MaxSize>
            <DesiredCapacity>2</DesiredCapacity><LoadBalancerNames/>
            <Instances>
              <member><InstanceId>i-1</InstanceId><LifecycleState>InService</LifecycleState>
                <ProtectedFromScaleIn>true</ProtectedFromScaleIn></member>
              <member><InstanceId>i-2</InstanceId><LifecycleState>Terminating:Wait</LifecycleState></member>
              <member><InstanceId>i-3</InstanceId><LifecycleState>Pending</LifecycleState></member>
            </Instances>
          </member></AutoScalingGroups></DescribeAutoScalingGroupsResult>
          <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeAutoScalingGroupsResponse>"#;
        let groups: DescribedGroups = read(text).unwrap();
        let group = MachineGroup::from(groups.result.groups.all.into_iter().next().unwrap());
        assert_eq!((group.desired, group.most), (2, 5));
        let stages: Vec<_> = group.machines.values().map(|machine| (machine.stage, machine.protected)).collect();
        let wanted = [(MachineStage::InService, true), (MachineStage::Leaving, false), (MachineStage::Coming, false)];
        assert_eq!(stages, wanted);
        let none = "<a><DescribeAutoScalingGroupsResult><AutoScalingGroups/></DescribeAutoScalingGroupsResult></a>";
        assert!(read::<DescribedGroups>(none).unwrap().result.groups.all.is_empty());
    }
}
