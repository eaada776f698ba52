//! What the tests share.
#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_domain::fleet::{Capability, Heartbeat, Hold};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::session::{Fence, SlotIndex};
use mouthpiece_redis::{RedisOptions, RedisPool};
use mouthpiece_servers::RedisServer;
use std::time::Duration;

pub fn hold(session: u128, fence: u32, worker: u128, slot: u8) -> Hold {
    Hold { session: SessionId(session), fence: Fence(fence), worker: WorkerId(worker), slot: SlotIndex(slot) }
}

pub fn heartbeat(worker: u128) -> Heartbeat {
    Heartbeat {
        worker: WorkerId(worker),
        capability: Capability {
            name: "a machine".into(),
            engine: "puppet/1".into(),
            instance_type: "g4dn.xlarge".into(),
            slots: 2,
            frames_per_second: 120,
            impaired: None,
            machine: None,
        },
        draining: false,
        uptime: Duration::from_secs(5),
        busy: Duration::from_secs(1),
        resident: vec!["5e".repeat(32)],
        running: Vec::new(),
        ended: Vec::new(),
        address: None,
    }
}

/// Patient: this machine may be busy with other tests.
pub fn options(server: &RedisServer) -> RedisOptions {
    let mut options = RedisOptions::new(server.url());
    options.call_limit = Duration::from_secs(10);
    options
}

pub fn pool(server: &RedisServer, longest: Duration) -> RedisPool {
    let mut options = options(server);
    options.longest_lease = longest;
    RedisPool::open(&options).unwrap()
}

/// Waits until something holds.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it never came about");
}
