//! The fleet against moto, the nearest thing to AWS that runs here. It checks no signatures; the stand-in does.

use super::rig::{fleet_at, left, says};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::contract;
use mouthpiece_ports::fleet::Fleet;
use mouthpiece_servers::MotoServer;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

const REGION: &str = "us-east-1";

struct MotoRig {
    server: MotoServer,
    folder: TempDir,
    groups: AtomicU32,
}

impl MotoRig {
    /// `None` where moto is not installed; that is said.
    async fn start() -> Option<Self> {
        if !MotoServer::is_installed() {
            eprintln!(
                "LEFT OUT: moto is not installed here (pip install 'moto[server]'), so nothing was checked against it"
            );
            return None;
        }
        let rig = Self {
            server: MotoServer::start().await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            groups: AtomicU32::new(0),
        };
        rig.ask(
            "Action=CreateLaunchConfiguration&LaunchConfigurationName=lc&ImageId=ami-12345678&InstanceType=m5.large",
        )
        .await;
        Some(rig)
    }

    /// A request that only moto takes: its signature is none.
    async fn ask(&self, form: &str) -> String {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260131/{REGION}/autoscaling/aws4_request, SignedHeaders=host, Signature=0"
        );
        let asked = reqwest::Client::builder().no_proxy().build().unwrap().post(self.server.endpoint());
        let asked =
            asked.header("authorization", credential).header("content-type", "application/x-www-form-urlencoded");
        let answer = asked.body(format!("Version=2011-01-01&{form}")).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{text}");
        text
    }

    /// A group of its own.
    async fn group(&self, most: u32) -> String {
        let name = format!("farm-{}", self.groups.fetch_add(1, Ordering::Relaxed));
        self.ask(&format!(
            "Action=CreateAutoScalingGroup&AutoScalingGroupName={name}&LaunchConfigurationName=lc&MinSize=0&MaxSize={most}\
             &AvailabilityZones.member.1={REGION}a"
        ))
        .await;
        name
    }

    async fn described(&self, group: &str) -> String {
        self.ask(&format!("Action=DescribeAutoScalingGroups&AutoScalingGroupNames.member.1={group}")).await
    }

    async fn fleet(&self, group: &str) -> mouthpiece_aws_fleet::AwsFleet {
        fleet_at(&self.server.endpoint(), group, REGION, self.keys()).await
    }

    fn keys(&self) -> PathBuf {
        let path = self.folder.path().join("credentials");
        std::fs::write(&path, "[default]\naws_access_key_id = test\naws_secret_access_key = test\n").unwrap();
        path
    }
}

/// The text of all elements of this name.
fn values(text: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    text.split(&open).skip(1).filter_map(|rest| Some(rest.split_once(&close)?.0.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fleet_keeps_the_contract_on_moto() {
    let Some(rig) = MotoRig::start().await else { return };
    contract::fleet(async || {
        let group = rig.group(3).await;
        Arc::new(rig.fleet(&group).await)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_of_moto_are_asked_for_protected_and_given_back() {
    let Some(rig) = MotoRig::start().await else { return };
    let group = rig.group(5).await;
    let fleet = rig.fleet(&group).await;
    fleet.desire(3).await.unwrap();
    let machines = values(&rig.described(&group).await, "InstanceId");
    assert_eq!(machines.len(), 3);
    fleet.protect(&[says(&machines[0], true), says(&machines[1], false)]).await.unwrap();
    let protection = values(&rig.described(&group).await, "ProtectedFromScaleIn");
    assert_eq!(protection.iter().filter(|on| *on == "true").count(), 1, "{protection:?}");
    for machine in [&machines[0], &machines[1]] {
        fleet.retire(&left(machine)).await.unwrap();
    }
    let after = rig.described(&group).await;
    assert_eq!(values(&after, "DesiredCapacity"), ["1"]);
    assert_eq!(values(&after, "InstanceId"), [machines[2].clone()]);
    let told = fleet.desire(9).await.unwrap_err().to_string();
    assert!(told.contains("allows 5"), "{told}");
    assert_eq!(values(&rig.described(&group).await, "DesiredCapacity"), ["5"]);
    let missing = rig.fleet("no-such-group").await.desire(1).await.unwrap_err().to_string();
    assert!(missing.contains("no Auto Scaling group 'no-such-group'"), "{missing}");
}

/// Its prices are made up, so that only their form is looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_of_moto_are_read() {
    let Some(rig) = MotoRig::start().await else { return };
    let group = rig.group(1).await;
    let pools = [format!("m5.large@{REGION}a"), format!("m5.large@{REGION}b")];
    let prices = rig.fleet(&group).await.prices(&pools, Wall(0)).await.unwrap();
    assert!(!prices.is_empty());
    assert!(prices.iter().all(|p| pools.contains(&p.instance_type) && p.micro_usd_per_hour > 0), "{prices:?}");
}
