//! One at a time opens or removes a worker's queue, in all processes.
//!
//! An exclusive queue belongs to one connection and goes with it, so its name is a lock that nobody can leave behind. What is
//! done under it goes over the same connection: who lost the lock cannot act any more.

use crate::link::{CallError, Link, OwnedChannel};
use crate::names::Names;
use lapin::Channel;
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::retry::jittered;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::sleep;

/// Locks within this process: the broker's are a connection's, not a task's.
#[derive(Default)]
pub(crate) struct WorkerLocks(Mutex<HashMap<WorkerId, Weak<tokio::sync::Mutex<()>>>>);

/// A lock that is held until it is dropped.
pub(crate) struct WorkerLock {
    name: String,
    channel: Arc<OwnedChannel>,
    guard: Option<OwnedMutexGuard<()>>,
}

impl WorkerLocks {
    fn of(&self, worker: WorkerId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(&worker).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        locks.insert(worker, Arc::downgrade(&lock));
        lock
    }

    /// Waits for the lock. The caller bounds the time.
    pub(crate) async fn take(&self, link: &Link, names: &Names, worker: WorkerId) -> Result<WorkerLock, CallError> {
        let mut guard = Some(self.of(worker).lock_owned().await);
        let name = names.lock(worker);
        loop {
            // Before it is asked for, so that it is given back when the caller gives up while the broker grants it.
            let mut lock =
                WorkerLock { name: name.clone(), channel: Arc::new(link.channel().await?), guard: guard.take() };
            let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
            let declared = lock.channel.queue_declare(name.as_str().into(), options, FieldTable::default());
            match link.call(declared).await {
                Ok(_) => return Ok(lock),
                Err(error) if error.is_locked() => guard = lock.guard.take(),
                Err(error) => return Err(error),
            }
            drop(lock);
            sleep(jittered(Duration::from_millis(50))).await;
        }
    }
}

impl WorkerLock {
    /// The channel for what is done under the lock. The lock is given back over it, so the broker has done all of that before,
    /// also when the call was given up in the middle.
    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }
}

impl Drop for WorkerLock {
    fn drop(&mut self) {
        let (name, channel) = (std::mem::take(&mut self.name), Arc::clone(&self.channel));
        // Without it, another connection has the lock.
        let Some(guard) = self.guard.take() else { return };
        // Without a runtime the connection ends, and the lock with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let deleted = channel.queue_delete(name.into(), QueueDeleteOptions::default());
                let _ = tokio::time::timeout(Duration::from_secs(1), deleted).await;
                drop(guard);
            });
        }
    }
}
