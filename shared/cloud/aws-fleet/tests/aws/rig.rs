//! A fleet on a server of its own.

use mouthpiece_aws_access::{Access, AccessSettings};
use mouthpiece_aws_fleet::{AwsFleet, AwsFleetSettings};
use mouthpiece_domain::fleet::{DepartedWorker, MachineId};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::fleet::MachineUse;
use mouthpiece_servers::AwsServer;
use std::path::PathBuf;

pub const GROUP: &str = "workers of the farm";

pub struct Rig {
    pub server: AwsServer,
    pub fleet: AwsFleet,
}

/// A group of `least` machines that may have `most`.
pub async fn rig(least: u32, most: u32) -> Rig {
    let server = AwsServer::start(GROUP, least, most).await.unwrap();
    let fleet = fleet(&server, GROUP, AwsServer::SECRET_KEY).await;
    Rig { server, fleet }
}

/// A fleet with another group's name, or other keys.
pub async fn fleet(server: &AwsServer, group: &str, secret: &str) -> AwsFleet {
    let keys = server.credentials_file(AwsServer::ACCESS_KEY, secret).unwrap();
    fleet_at(&server.endpoint(), group, AwsServer::REGION, keys).await
}

pub async fn fleet_at(endpoint: &str, group: &str, region: &str, keys: PathBuf) -> AwsFleet {
    let settings =
        AccessSettings { region: Some(region.to_owned()), credentials_file: Some(keys), ..AccessSettings::default() };
    let access = Access::open(&settings).await.unwrap();
    let mut settings = AwsFleetSettings::at(&format!("aws:{group}")).unwrap();
    settings.scaling_endpoint = Some(endpoint.to_owned());
    settings.ec2_endpoint = Some(endpoint.to_owned());
    AwsFleet::open(&settings, access).unwrap()
}

pub fn left(machine: &str) -> DepartedWorker {
    DepartedWorker { worker: WorkerId(7), machine: Some(MachineId(machine.to_owned())) }
}

pub fn says(machine: &str, busy: bool) -> MachineUse {
    MachineUse { machine: MachineId(machine.to_owned()), busy }
}

impl Rig {
    /// The machines' ids.
    pub fn machines(&self) -> Vec<String> {
        self.server.group().machines.into_keys().collect()
    }

    /// The protected ones.
    pub fn protected(&self) -> Vec<String> {
        self.server.group().machines.into_iter().filter(|(_, protected)| *protected).map(|(id, _)| id).collect()
    }
}
