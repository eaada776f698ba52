//! A fleet on AWS: the machines of an EC2 Auto Scaling group, and what spot machines cost.
//!
//! [`AwsFleet`] is the adapter of the port `Fleet`. It asks Auto Scaling for more machines and gives single ones back; that
//! Auto Scaling picks a machine itself is never asked for. Prices come from EC2's history of spot prices. [`MachineMetadata`] is for
//! the other side: a worker learns from it what machine it runs on, and [`MachineWatch`] tells when that machine is about to be taken
//! away.
//!
//! Requests are signed by `aws-sigv4` and sent by `reqwest` (ADR 0019).

mod answer;
mod client;
mod failure;
mod fleet;
mod group;
mod machine;
mod notice;
mod prices;
mod settings;
mod signature;

pub use fleet::AwsFleet;
pub use machine::{MachineIdentity, MachineMetadata, MetadataError};
pub use notice::{MachineNotice, MachineWatch};
pub use settings::{AwsFleetSettings, FleetOpenError};
