//! Addresses come from heartbeats.

use crate::net::WORKER;
use mouthpiece_direct::{PoolDirectory, WorkerDirectory};
use mouthpiece_domain::fleet::{Capability, Heartbeat, RunningSession};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::session::{Fence, FrameProgress, Phase, SlotIndex};
use mouthpiece_embedded::MemoryPool;
use mouthpiece_ports::pool::Pool;
use std::sync::Arc;
use std::time::Duration;

fn heartbeat(worker: WorkerId, address: Option<&str>) -> Heartbeat {
    let capability = Capability {
        name: "w".into(),
        engine: "puppet/1".into(),
        instance_type: "local".into(),
        slots: 2,
        frames_per_second: 60,
        impaired: None,
        machine: None,
    };
    let (uptime, busy) = (Duration::ZERO, Duration::ZERO);
    let address = address.map(Into::into);
    Heartbeat {
        worker,
        capability,
        address,
        draining: false,
        uptime,
        busy,
        resident: vec![],
        running: vec![],
        ended: vec![],
    }
}

#[tokio::test]
async fn the_pool_knows_where_workers_are_called() {
    let pool = Arc::new(MemoryPool::new());
    let directory = PoolDirectory::new(Arc::clone(&pool) as _);
    let minute = Duration::from_secs(60);
    assert_eq!(directory.address(WORKER).await, None);
    pool.announce(&heartbeat(WORKER, Some("10.0.0.7:9000")), minute).await.unwrap();
    pool.announce(&heartbeat(WorkerId(2), None), minute).await.unwrap();
    assert_eq!(directory.address(WORKER).await.as_deref(), Some("10.0.0.7:9000"));
    assert_eq!(directory.address(WorkerId(2)).await, None, "it goes another way");
    assert_eq!(directory.address(WorkerId(3)).await, None);
    directory.learn(&heartbeat(WorkerId(3), Some("w3:9000")));
    assert_eq!(directory.address(WorkerId(3)).await.as_deref(), Some("w3:9000"));
}

#[tokio::test]
async fn the_pool_knows_where_sessions_went_on() {
    let pool = Arc::new(MemoryPool::new());
    let directory = PoolDirectory::new(Arc::clone(&pool) as _);
    let minute = Duration::from_secs(60);
    let running = |fence, phase, prepared| RunningSession {
        session: SessionId(5),
        fence: Fence(fence),
        slot: SlotIndex(1),
        phase,
        progress: FrameProgress::default(),
        delivered: Duration::ZERO,
        prepared,
    };
    let announce = async |worker, running| {
        let beat = Heartbeat { running: vec![running], ..heartbeat(WorkerId(worker), None) };
        pool.announce(&beat, minute).await.unwrap();
        directory.runs(SessionId(5)).await.map(|hold| (hold.worker.0, hold.fence.0, hold.slot.0))
    };
    assert_eq!(directory.runs(SessionId(5)).await, None);
    assert_eq!(announce(1, running(1, Phase::Running, false)).await, Some((1, 1, 1)));
    assert_eq!(announce(2, running(2, Phase::Running, true)).await, Some((1, 1, 1)), "it has not moved yet");
    assert_eq!(announce(2, running(2, Phase::Running, false)).await, Some((2, 2, 1)), "the newest counts");
    assert_eq!(
        announce(2, running(2, Phase::Draining, false)).await,
        Some((1, 1, 1)),
        "it does not run there any more"
    );
}

#[test]
fn a_heartbeat_without_an_address_is_read() {
    let mut written = serde_json::to_value(heartbeat(WORKER, Some("w:1"))).unwrap();
    assert_eq!(written["address"], "w:1");
    written.as_object_mut().unwrap().remove("address");
    let read: Heartbeat = serde_json::from_value(written).unwrap();
    assert_eq!(read, heartbeat(WORKER, None));
}
