//! Leases: kept while a session runs, given up in time.

use crate::farm::{Farm, any, hold};
use crate::script::Script;
use async_trait::async_trait;
use mouthpiece_domain::fleet::{Heartbeat, Hold, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::session::Phase;
use mouthpiece_ports::pool::{Pool, PoolError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// A pool that can be cut off.
struct Cut {
    pool: Arc<dyn Pool>,
    cut: AtomicBool,
    renewals: AtomicU32,
}

impl Cut {
    fn check(&self) -> Result<(), PoolError> {
        if self.cut.load(Ordering::Relaxed) { Err(PoolError("cut off".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl Pool for Cut {
    async fn claim(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError> {
        self.pool.claim(hold, expiry).await
    }

    async fn renew(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError> {
        self.check()?;
        self.renewals.fetch_add(1, Ordering::Relaxed);
        self.pool.renew(hold, expiry).await
    }

    async fn release(&self, hold: &Hold) -> Result<bool, PoolError> {
        self.check()?;
        self.pool.release(hold).await
    }

    async fn remaining(&self, hold: &Hold) -> Result<Option<Duration>, PoolError> {
        self.pool.remaining(hold).await
    }

    async fn announce(&self, heartbeat: &Heartbeat, expiry: Duration) -> Result<(), PoolError> {
        self.check()?;
        self.pool.announce(heartbeat, expiry).await
    }

    async fn forget(&self, worker: WorkerId) -> Result<(), PoolError> {
        self.pool.forget(worker).await
    }

    async fn workers(&self) -> Result<Vec<Heartbeat>, PoolError> {
        self.pool.workers().await
    }

    async fn check(&self) -> Result<(), PoolError> {
        self.pool.check().await
    }
}

async fn farm() -> (Farm, Arc<Cut>) {
    let folder = tempfile::tempdir().unwrap();
    let mut ports = crate::media::ports(folder.path()).await;
    let (cut, renewals) = (AtomicBool::new(false), AtomicU32::new(0));
    let pool = Arc::new(Cut { pool: ports.pool, cut, renewals });
    ports.pool = pool.clone();
    (Farm::of(ports, folder).await, pool)
}

fn hasty() -> LeaseTerms {
    let ms = Duration::from_millis;
    LeaseTerms::new(ms(30), ms(300), ms(400), ms(600)).unwrap()
}

#[actix_rt::test]
async fn a_lease_is_renewed_while_the_session_runs() {
    let (farm, pool) = farm().await;
    let script = Script::new();
    let worker = farm.worker_with(script.clone()).await;
    let mut assignment = any(hold(&worker, 1, 1, 0));
    assignment.lease = LeaseTerms::new(Duration::from_millis(30), calm(20), calm(25), calm(30)).unwrap();
    let hold = farm.assign(&assignment).await;
    let renewed = async {
        while pool.renewals.load(Ordering::Relaxed) < 5 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(crate::farm::SOON, renewed).await.unwrap();
    script.finish(1);
    farm.hears_end(hold).await;
}

fn calm(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[actix_rt::test]
async fn a_lease_that_is_taken_away_stops_the_session() {
    let (farm, _) = farm().await;
    let script = Script::new();
    let worker = farm.worker_with(script.clone()).await;
    let hold = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    farm.hears_phase(hold, Phase::Running).await;
    assert!(farm.ports.pool.release(&hold).await.unwrap());
    assert_eq!(farm.hears_refusal(hold).await, WorkerRefusal::LeaseLost);
    script.saw_stop(1, 1).await;
    farm.hears_beat("that the slot is free", |b| b.running.is_empty()).await;
    let ended = |e: &WorkerEvent| matches!(e, WorkerEvent::Report(r) if r.phase == Phase::Ended);
    assert!(!farm.heard().iter().any(ended));
}

#[actix_rt::test]
async fn a_pool_that_is_out_of_reach_stops_the_session_in_the_end() {
    let (farm, pool) = farm().await;
    let script = Script::new();
    let worker = farm.worker_with(script.clone()).await;
    let mut assignment = any(hold(&worker, 1, 1, 0));
    assignment.lease = hasty();
    let hold = farm.assign(&assignment).await;
    pool.cut.store(true, Ordering::Relaxed);
    assert_eq!(farm.hears_refusal(hold).await, WorkerRefusal::LeaseLost);
    pool.cut.store(false, Ordering::Relaxed);
    let next = farm.assign(&any(crate::farm::hold(&worker, 2, 1, 1))).await;
    farm.hears_phase(next, Phase::Running).await;
}
