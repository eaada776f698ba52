//! The pool under a clock that the test turns.

use mouthpiece_domain::fleet::{Capability, Heartbeat, Hold};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::session::{Fence, SlotIndex};
use mouthpiece_embedded::MemoryPool;
use mouthpiece_ports::pool::Pool;
use std::time::Duration;
use tokio::time::advance;

const MS: Duration = Duration::from_millis(1);
const EXPIRY: Duration = Duration::from_secs(6);

fn hold(session: u128) -> Hold {
    Hold { session: SessionId(session), fence: Fence::FIRST, worker: WorkerId(1), slot: SlotIndex(0) }
}

fn heartbeat(worker: u128) -> Heartbeat {
    let capability = Capability {
        name: "a machine".into(),
        engine: "puppet/1".into(),
        instance_type: "local".into(),
        slots: 2,
        frames_per_second: 100,
        impaired: None,
        machine: None,
    };
    Heartbeat {
        worker: WorkerId(worker),
        capability,
        address: None,
        draining: false,
        uptime: EXPIRY,
        busy: Duration::ZERO,
        resident: Vec::new(),
        running: Vec::new(),
        ended: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_lasts_exactly_its_expiry() {
    let pool = MemoryPool::new();
    assert_eq!(pool.claim(&hold(1), EXPIRY).await, Ok(true));
    assert_eq!(pool.remaining(&hold(1)).await, Ok(Some(EXPIRY)));
    advance(EXPIRY - MS).await;
    assert_eq!(pool.remaining(&hold(1)).await, Ok(Some(MS)));
    assert_eq!(pool.claim(&hold(2), EXPIRY).await, Ok(false), "held to the last moment");
    assert_eq!(pool.renew(&hold(1), EXPIRY).await, Ok(true));
    assert_eq!(pool.remaining(&hold(1)).await, Ok(Some(EXPIRY)), "counted from the renewal, not from the claim");
    advance(EXPIRY).await;
    assert_eq!(pool.remaining(&hold(1)).await, Ok(None));
    assert_eq!(pool.renew(&hold(1), EXPIRY).await, Ok(false), "expired, though nobody took it");
    assert_eq!(pool.claim(&hold(2), EXPIRY).await, Ok(true));
    assert_eq!(pool.release(&hold(1)).await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn what_expired_is_forgotten_and_nothing_else() {
    let pool = MemoryPool::new();
    pool.claim(&hold(1), EXPIRY).await.unwrap();
    for worker in 2..100 {
        pool.announce(&heartbeat(worker), EXPIRY).await.unwrap();
        let other = Hold { worker: WorkerId(worker), ..hold(worker) };
        assert_eq!(pool.claim(&other, EXPIRY * 10).await, Ok(true));
    }
    // Long enough that the pool tidies up, several times.
    for _ in 0..9 {
        advance(EXPIRY).await;
        pool.announce(&heartbeat(1), EXPIRY * 2).await.unwrap();
        assert_eq!(pool.workers().await.unwrap(), [heartbeat(1)]);
    }
    for worker in 2..100 {
        let other = Hold { worker: WorkerId(worker), ..hold(worker) };
        assert_eq!(pool.remaining(&other).await, Ok(Some(EXPIRY)), "{other:?}");
    }
    assert_eq!(pool.remaining(&hold(1)).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn an_expiry_beyond_the_clock_is_long() {
    let pool = MemoryPool::new();
    assert_eq!(pool.claim(&hold(1), Duration::MAX).await, Ok(true));
    advance(EXPIRY * 1_000_000).await;
    assert_eq!(pool.claim(&hold(2), EXPIRY).await, Ok(false));
    assert_eq!(pool.claim(&Hold { slot: SlotIndex(1), ..hold(3) }, Duration::ZERO).await, Ok(true));
    assert_eq!(pool.remaining(&Hold { slot: SlotIndex(1), ..hold(3) }).await, Ok(None), "over at once");
}
