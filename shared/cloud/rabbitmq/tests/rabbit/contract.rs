//! It is a bus.

use super::{fresh, open, shared};
use mouthpiece_ports::contract;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bus_on_a_broker() {
    let server = shared().await;
    contract::bus(async || Arc::new(open(fresh(&server)).await)).await;
}
