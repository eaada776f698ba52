//! Pool and bus that cannot be used for a while.

use crate::harness::{Rig, eventually, quick};
use crate::worker::{Conduct, Worker};
use async_trait::async_trait;
use mouthpiece_domain::fleet::{Heartbeat, Hold, WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::{EndReason, Phase};
use mouthpiece_ports::bus::{Bus, BusError, BusInbox};
use mouthpiece_ports::farm_ports::ActorPorts;
use mouthpiece_ports::pool::{Pool, PoolError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the coordinator sees of pool and bus. The workers' side is not affected.
struct Away {
    bus: Arc<dyn Bus>,
    pool: Arc<dyn Pool>,
    bus_away: AtomicBool,
    pool_away: AtomicBool,
}

impl Away {
    fn pool(&self) -> Result<&dyn Pool, PoolError> {
        let away = self.pool_away.load(Ordering::SeqCst);
        if away { Err(PoolError("unplugged".into())) } else { Ok(&*self.pool) }
    }

    fn bus(&self) -> Result<&dyn Bus, BusError> {
        let away = self.bus_away.load(Ordering::SeqCst);
        if away { Err(BusError::Unavailable("unplugged".into())) } else { Ok(&*self.bus) }
    }
}

#[async_trait]
impl Pool for Away {
    async fn claim(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError> {
        self.pool()?.claim(hold, expiry).await
    }

    async fn renew(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError> {
        self.pool()?.renew(hold, expiry).await
    }

    async fn release(&self, hold: &Hold) -> Result<bool, PoolError> {
        self.pool()?.release(hold).await
    }

    async fn remaining(&self, hold: &Hold) -> Result<Option<Duration>, PoolError> {
        self.pool()?.remaining(hold).await
    }

    async fn announce(&self, heartbeat: &Heartbeat, expiry: Duration) -> Result<(), PoolError> {
        self.pool()?.announce(heartbeat, expiry).await
    }

    async fn forget(&self, worker: WorkerId) -> Result<(), PoolError> {
        self.pool()?.forget(worker).await
    }

    async fn workers(&self) -> Result<Vec<Heartbeat>, PoolError> {
        self.pool()?.workers().await
    }

    async fn check(&self) -> Result<(), PoolError> {
        self.pool()?.check().await
    }
}

#[async_trait]
impl Bus for Away {
    async fn send(&self, worker: WorkerId, command: &WorkerCommand) -> Result<(), BusError> {
        self.bus()?.send(worker, command).await
    }

    async fn commands(&self, worker: WorkerId, unanswered: u16) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError> {
        self.bus()?.commands(worker, unanswered).await
    }

    async fn remove(&self, worker: WorkerId) -> Result<(), BusError> {
        self.bus()?.remove(worker).await
    }

    async fn emit(&self, event: &WorkerEvent) -> Result<(), BusError> {
        self.bus()?.emit(event).await
    }

    async fn events(&self) -> Result<Box<dyn BusInbox<WorkerEvent>>, BusError> {
        self.bus()?.events().await
    }

    async fn returned(&self) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError> {
        self.bus()?.returned().await
    }

    async fn check(&self) -> Result<(), BusError> {
        self.bus()?.check().await
    }
}

/// A farm with one worker that it knows, and the switch.
async fn rig() -> (Rig, Worker, Arc<Away>) {
    let mut made = None;
    let rig = Rig::start_with(quick(), |ports| {
        let away = Arc::new(Away {
            bus: Arc::clone(&ports.bus),
            pool: Arc::clone(&ports.pool),
            bus_away: AtomicBool::new(false),
            pool_away: AtomicBool::new(false),
        });
        made = Some(Arc::clone(&away));
        ActorPorts { bus: Arc::clone(&away) as _, pool: away, ..ports }
    })
    .await;
    let away = made.unwrap();
    let inside = ActorPorts { bus: Arc::clone(&away.bus), pool: Arc::clone(&away.pool), ..rig.ports.clone() };
    let worker = Worker::start(&inside, 1, rig.settings.lease, Conduct::Work(Duration::from_millis(5))).await;
    rig.shows("mouthpiece_workers{state=\"idle\"} 1").await;
    (rig, worker, away)
}

async fn fails(rig: &Rig, call: &str, port: &str) {
    let line = format!("mouthpiece_port_errors_total{{call=\"{call}\",port=\"{port}\"}}");
    eventually(&line, async || rig.metrics.render().contains(&line).then_some(())).await;
}

#[actix_rt::test]
async fn without_the_pool_sessions_wait() {
    let (rig, worker, away) = rig().await;
    away.pool_away.store(true, Ordering::SeqCst);
    let id = rig.submit().await;
    fails(&rig, "claim", "pool").await;
    assert_eq!(rig.record(id).await.phase, Phase::Requested);
    away.pool_away.store(false, Ordering::SeqCst);
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::Completed);
    assert_eq!(worker.began().len(), 1);
    rig.farm.stop().await;
}

#[actix_rt::test]
async fn without_the_bus_sessions_are_placed_later() {
    let (rig, worker, away) = rig().await;
    away.bus_away.store(true, Ordering::SeqCst);
    let id = rig.submit().await;
    fails(&rig, "send", "bus").await;
    away.bus_away.store(false, Ordering::SeqCst);
    let ended = rig.reaches(id, Phase::Ended).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::Completed);
    assert_eq!(worker.began().len(), 1);
    rig.farm.stop().await;
}
