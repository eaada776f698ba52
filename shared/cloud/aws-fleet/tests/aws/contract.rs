//! The port's contract.

use super::rig::{GROUP, fleet};
use mouthpiece_ports::contract;
use mouthpiece_servers::AwsServer;
use std::sync::{Arc, Mutex};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fleet_keeps_the_contract() {
    // Servers live as long as the fleets that the suite asks them for.
    let servers = Mutex::new(Vec::new());
    contract::fleet(async || {
        let server = AwsServer::start(GROUP, 0, 3).await.unwrap();
        for (hour, price) in [(3, "0.2"), (1, "0.15"), (2, "0.15")] {
            server.add_price("m5.large", "us-east-1a", hour * 3_600_000, price);
        }
        server.add_price("m5.large", "us-east-1b", 1, "0.4");
        let fleet = fleet(&server, GROUP, AwsServer::SECRET_KEY).await;
        servers.lock().unwrap().push(server);
        Arc::new(fleet)
    })
    .await;
}
