//! An Auto Scaling group. Its refusals have the service's own words, as far as clients go by them.

use super::Refusal;
use super::form::Form;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A group as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupView {
    /// The size that it is meant to have.
    pub desired: u32,
    /// Its machines by id, in the order in which they came: whether each is protected from scale-in.
    pub machines: BTreeMap<String, bool>,
}

#[derive(Debug, Default)]
pub(super) struct Scaling {
    name: String,
    least: u32,
    most: u32,
    group: GroupView,
    started: u32,
}

fn invalid(why: String) -> Refusal {
    (400, "ValidationError", why)
}

impl Scaling {
    pub(super) fn new(name: &str, least: u32, most: u32) -> Self {
        let mut scaling = Self { name: name.to_owned(), least, most, ..Self::default() };
        scaling.group.desired = least;
        scaling.fill();
        scaling
    }

    pub(super) fn view(&self) -> GroupView {
        self.group.clone()
    }

    pub(super) fn handle(&mut self, action: &str, form: &Form) -> Result<String, Refusal> {
        match action {
            "DescribeAutoScalingGroups" => Ok(self.describe(form)),
            "SetDesiredCapacity" => self.set_desired(form),
            "TerminateInstanceInAutoScalingGroup" => self.terminate(form),
            "SetInstanceProtection" => self.protect(form),
            _ => Err((400, "InvalidAction", format!("Could not find operation {action}"))),
        }
    }

    /// Starts and ends machines until there are as many as there shall be; protected ones stay.
    fn fill(&mut self) {
        while self.group.machines.len() < self.group.desired as usize {
            self.started += 1;
            self.group.machines.insert(format!("i-{:017x}", self.started), false);
        }
        while self.group.machines.len() > self.group.desired as usize {
            let free = self.group.machines.iter().find(|(_, protected)| !**protected).map(|(id, _)| id.clone());
            let Some(free) = free else { break };
            self.group.machines.remove(&free);
        }
    }

    fn describe(&self, form: &Form) -> String {
        let mut machines = String::new();
        for (id, protected) in &self.group.machines {
            let _ = write!(
                machines,
                "<member><InstanceId>{id}</InstanceId><LifecycleState>InService</LifecycleState>\
                 <ProtectedFromScaleIn>{protected}</ProtectedFromScaleIn></member>"
            );
        }
        let Self { name, least, most, group, .. } = self;
        let asked = form.list("AutoScalingGroupNames.member");
        let member = if asked.is_empty() || asked.contains(&name.as_str()) {
            format!(
                "<member><AutoScalingGroupName>{name}</AutoScalingGroupName><MinSize>{least}</MinSize><MaxSize>{most}</MaxSize>\
                 <DesiredCapacity>{}</DesiredCapacity><Instances>{machines}</Instances></member>",
                group.desired
            )
        } else {
            String::new()
        };
        format!(
            "<DescribeAutoScalingGroupsResult><AutoScalingGroups>{member}</AutoScalingGroups></DescribeAutoScalingGroupsResult>"
        )
    }

    fn is_this(&self, form: &Form) -> Result<(), Refusal> {
        let known = form.get("AutoScalingGroupName") == self.name;
        known.then_some(()).ok_or_else(|| invalid("AutoScalingGroup name not found - null".to_owned()))
    }

    fn set_desired(&mut self, form: &Form) -> Result<String, Refusal> {
        self.is_this(form)?;
        let Ok(wanted) = form.get("DesiredCapacity").parse::<u32>() else {
            return Err(invalid("DesiredCapacity is no number".to_owned()));
        };
        if form.get("HonorCooldown") != "false" {
            return Err((400, "ScalingActivityInProgress", "A scaling activity is in its cooldown.".to_owned()));
        }
        let (least, most) = (self.least, self.most);
        if wanted > most {
            let why =
                format!("New SetDesiredCapacity value {wanted} is above max value {most} for the AutoScalingGroup.");
            return Err(invalid(why));
        }
        if wanted < least {
            let why =
                format!("New SetDesiredCapacity value {wanted} is below min value {least} for the AutoScalingGroup.");
            return Err(invalid(why));
        }
        self.group.desired = wanted;
        self.fill();
        Ok(String::new())
    }

    fn terminate(&mut self, form: &Form) -> Result<String, Refusal> {
        let id = form.get("InstanceId");
        if !self.group.machines.contains_key(id) {
            return Err(invalid(format!("Instance Id not found - No managed instance found for instance ID: {id}")));
        }
        if form.get("ShouldDecrementDesiredCapacity") == "true" {
            if self.group.desired <= self.least {
                return Err(invalid(format!(
                    "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's \
                     min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
                    self.least
                )));
            }
            self.group.desired -= 1;
        }
        self.group.machines.remove(id);
        self.fill();
        Ok(String::new())
    }

    fn protect(&mut self, form: &Form) -> Result<String, Refusal> {
        self.is_this(form)?;
        let ids = form.list("InstanceIds.member");
        if ids.is_empty() || ids.len() > 50 {
            return Err(invalid(format!("{} instance ids: 1 to 50 are taken", ids.len())));
        }
        if let Some(unknown) = ids.iter().find(|id| !self.group.machines.contains_key(**id)) {
            return Err(invalid(format!("The instance {unknown} is not part of Auto Scaling group {}.", self.name)));
        }
        let on = form.get("ProtectedFromScaleIn") == "true";
        for id in ids {
            self.group.machines.insert(id.to_owned(), on);
        }
        Ok("<SetInstanceProtectionResult/>".to_owned())
    }
}
