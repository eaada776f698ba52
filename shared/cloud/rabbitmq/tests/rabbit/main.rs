//! The bus against a real broker, one for all tests that leave it alone, and one each for those that harm it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod bad_input;
mod contract;
mod faults;
mod queues;
mod speed;

use mouthpiece_domain::fleet::{Hold, WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::session::{Fence, SlotIndex};
use mouthpiece_ports::bus::{BusError, BusInbox, Delivery};
use mouthpiece_rabbitmq::{RabbitBus, RabbitOptions};
use mouthpiece_servers::RabbitServer;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// The longest that anything is waited for.
const BOUND: Duration = Duration::from_secs(60);

const WORKER: WorkerId = WorkerId(1);

/// The broker of the tests that leave it alone: it is gone when none of them runs any more.
async fn shared() -> Arc<RabbitServer> {
    static SERVER: Mutex<Weak<RabbitServer>> = Mutex::const_new(Weak::new());
    let mut held = SERVER.lock().await;
    if let Some(server) = held.upgrade() {
        return server;
    }
    let server = Arc::new(RabbitServer::start().await.unwrap());
    *held = Arc::downgrade(&server);
    server
}

/// Options for a farm of its own.
fn fresh(server: &RabbitServer) -> RabbitOptions {
    static FARMS: AtomicU32 = AtomicU32::new(0);
    let mut options = RabbitOptions::new(server.url());
    options.prefix = format!("farm{}", FARMS.fetch_add(1, Ordering::Relaxed));
    options.patience = Duration::from_secs(10); // machines of tests may be slow
    options.connect_patience = Duration::from_secs(20);
    options
}

async fn open(options: RabbitOptions) -> RabbitBus {
    RabbitBus::open(options).await.unwrap()
}

fn stop(n: u128) -> WorkerCommand {
    WorkerCommand::Stop(Hold { session: SessionId(n), fence: Fence::FIRST, worker: WORKER, slot: SlotIndex(0) })
}

fn number(command: &WorkerCommand) -> u128 {
    if let WorkerCommand::Stop(hold) = command { hold.session.0 } else { u128::MAX }
}

fn event(n: u128) -> WorkerEvent {
    WorkerEvent::Goodbye { worker: WorkerId(n), ended: Vec::new() }
}

async fn comes<T>(what: impl Future<Output = T>) -> T {
    timeout(BOUND, what).await.expect("it does not come")
}

async fn next<M>(inbox: &mut Box<dyn BusInbox<M>>) -> Delivery<M> {
    comes(inbox.next()).await.expect("the inbox ended")
}

/// Looks until it is so.
async fn until(mut look: impl AsyncFnMut() -> bool) {
    comes(async {
        while !look().await {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

fn unavailable(error: &BusError) -> &str {
    if let BusError::Unavailable(text) = error { text } else { panic!("not {error}") }
}
