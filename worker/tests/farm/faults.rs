//! Stores and buses that fail for a while.

use crate::farm::{Farm, any, hold};
use crate::media::{SAMPLE, prepare, upload, wav};
use crate::script::Script;
use async_trait::async_trait;
use bytes::Bytes;
use mouthpiece_domain::fleet::{WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::{BlobKey, EndReason, Phase};
use mouthpiece_ports::blobs::{BlobError, BlobReader, Blobs};
use mouthpiece_ports::bus::{Bus, BusError, BusInbox};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A bus that does not take the first reports of an end.
struct HardOfHearing {
    bus: Arc<dyn Bus>,
    deaf_for: AtomicU32,
}

#[async_trait]
impl Bus for HardOfHearing {
    async fn send(&self, worker: WorkerId, command: &WorkerCommand) -> Result<(), BusError> {
        self.bus.send(worker, command).await
    }

    async fn commands(&self, worker: WorkerId, unanswered: u16) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError> {
        self.bus.commands(worker, unanswered).await
    }

    async fn remove(&self, worker: WorkerId) -> Result<(), BusError> {
        self.bus.remove(worker).await
    }

    async fn emit(&self, event: &WorkerEvent) -> Result<(), BusError> {
        let is_end = matches!(event, WorkerEvent::Report(r) if r.phase == Phase::Ended);
        let deaf = |left: u32| left.checked_sub(1);
        if is_end && self.deaf_for.fetch_update(Ordering::Relaxed, Ordering::Relaxed, deaf).is_ok() {
            return Err(BusError::Unavailable("as the test wants".to_owned()));
        }
        self.bus.emit(event).await
    }

    async fn events(&self) -> Result<Box<dyn BusInbox<WorkerEvent>>, BusError> {
        self.bus.events().await
    }

    async fn returned(&self) -> Result<Box<dyn BusInbox<WorkerCommand>>, BusError> {
        self.bus.returned().await
    }

    async fn check(&self) -> Result<(), BusError> {
        self.bus.check().await
    }
}

/// A store that counts who fetches files, fails at first, and lets some wait for ever.
struct Slow {
    blobs: Arc<dyn Blobs>,
    fetched: AtomicU32,
    failing: AtomicU32,
    hanging: AtomicU32,
}

#[async_trait]
impl Blobs for Slow {
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError> {
        self.blobs.put(key, content).await
    }

    async fn put_file(&self, key: &BlobKey, file: &Path) -> Result<(), BlobError> {
        self.blobs.put_file(key, file).await
    }

    async fn get(&self, key: &BlobKey, allowed: u64) -> Result<Bytes, BlobError> {
        self.blobs.get(key, allowed).await
    }

    async fn local(&self, key: &BlobKey, folder: &Path) -> Result<PathBuf, BlobError> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        let take = |left: u32| left.checked_sub(1);
        if self.hanging.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            std::future::pending::<()>().await;
        }
        if self.failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            return Err(BlobError::Unavailable("as the test wants".to_owned()));
        }
        self.blobs.local(key, folder).await
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, BlobError> {
        self.blobs.size(key).await
    }

    async fn read(&self, key: &BlobKey, start: u64, length: u64) -> Result<Box<dyn BlobReader>, BlobError> {
        self.blobs.read(key, start, length).await
    }

    async fn delete(&self, key: &BlobKey) -> Result<bool, BlobError> {
        self.blobs.delete(key).await
    }

    async fn list(&self, folder: &BlobKey, most: usize) -> Result<Vec<(BlobKey, u64)>, BlobError> {
        self.blobs.list(folder, most).await
    }

    async fn check(&self) -> Result<(), BlobError> {
        self.blobs.check().await
    }
}

async fn slow_farm(failing: u32, hanging: u32) -> (Farm, Arc<Slow>) {
    let folder = tempfile::tempdir().unwrap();
    let mut ports = crate::media::ports(folder.path()).await;
    let slow = Arc::new(Slow {
        blobs: ports.blobs,
        fetched: AtomicU32::new(0),
        failing: AtomicU32::new(failing),
        hanging: AtomicU32::new(hanging),
    });
    ports.blobs = slow.clone();
    (Farm::of(ports, folder).await, slow)
}

#[actix_rt::test]
async fn an_end_is_told_until_it_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let mut ports = crate::media::ports(folder.path()).await;
    let bus = Arc::new(HardOfHearing { bus: ports.bus, deaf_for: AtomicU32::new(3) });
    ports.bus = bus.clone();
    let (farm, script) = (Farm::of(ports, folder).await, Script::new());
    let worker = farm.worker_with(script.clone()).await;
    let hold = farm.assign(&any(hold(&worker, 1, 1, 0))).await;
    script.finish(1);
    let (end, _) = farm.hears_end(hold).await;
    assert_eq!((end.reason, bus.deaf_for.load(Ordering::Relaxed)), (EndReason::Completed, 0));
    farm.is_given_back(hold).await;
}

#[actix_rt::test]
async fn two_sessions_that_want_one_avatar_prepare_it_once() {
    let (farm, slow) = slow_farm(2, 0).await;
    let worker = farm.worker().await;
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(0.1)).await;
    let first = farm.assign(&prepare(hold(&worker, 1, 1, 0), &spec)).await;
    let second = farm.assign(&prepare(hold(&worker, 2, 1, 1), &spec)).await;
    let [a, b] = [farm.hears_end(first).await.0, farm.hears_end(second).await.0];
    assert_eq!((a.reason, a.output), (EndReason::Completed, b.output));
    assert_eq!(slow.fetched.load(Ordering::Relaxed), 3, "twice in vain, then once");
}

#[actix_rt::test]
async fn a_store_that_is_away_for_seconds_fails_no_session() {
    let (farm, slow) = slow_farm(5, 0).await;
    let worker = farm.worker().await;
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(0.1)).await;
    let hold = farm.assign(&prepare(hold(&worker, 1, 1, 0), &spec)).await;
    assert_eq!(farm.hears_end(hold).await.0.reason, EndReason::Completed);
    assert_eq!(slow.fetched.load(Ordering::Relaxed), 6, "five times in vain, then once");
}

#[actix_rt::test]
async fn whoever_waits_takes_over_from_one_that_is_stopped() {
    let (farm, slow) = slow_farm(0, 1).await;
    let worker = farm.worker().await;
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(0.1)).await;
    let first = farm.assign(&prepare(hold(&worker, 1, 1, 0), &spec)).await;
    let hangs = async {
        while slow.hanging.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(crate::farm::SOON, hangs).await.unwrap();
    let second = farm.assign(&prepare(hold(&worker, 2, 1, 1), &spec)).await;
    farm.hears_phase(second, Phase::Preparing).await;
    farm.tell(worker.id(), WorkerCommand::Stop(first)).await;
    assert_eq!(farm.hears_end(second).await.0.reason, EndReason::Completed);
    farm.is_given_back(first).await;
}
