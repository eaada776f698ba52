//! The coordinator's actors: the hands of the brain.
//!
//! ```text
//!            Submit, Cancel, Drain, View                      desired size, retired workers
//!  Handle ------------------------------> control ---------------------------------------> fleet
//!     ^  answers, news                    |  ^  ^
//!     +-----------------------------------+  |  +---- what was written --- ledger --- records
//!                                            |
//!                  what happened, in groups  +------- dispatch --- pool, bus
//! ```
//! [`control`] owns a [`Control`](mouthpiece_domain::control::Control) by value and feeds it one event after the other.
//! What it decides is carried out by the others; what comes of it returns as messages. Nothing is shared, nothing waits
//! inside a handler, and this folder is the only one that knows of the actor crate.
//!
//! Beside them [`keep`] removes what is old, and [`look_after`] looks after the machines of a fleet, in [`Rounds`]; they know nobody.
//!
//! All actors of one farm live on one thread of their own, so HTTP workers never block them, and they die with it.

mod clock;
mod control;
mod dispatch;
mod errand;
mod fleet;
mod handle;
mod lanes;
mod ledger;
mod listen;
mod machines;
mod messages;
mod observe;
mod prices;
mod retention;
mod retry;
mod rounds;

pub use handle::FarmHandle;
pub use machines::look_after;
pub use retention::{RetentionCalendar, keep};
pub use rounds::Rounds;

use crate::metrics::Metrics;
use actix::{Actor, Arbiter, AsyncContext};
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_domain::warm_pool::ScalingMode;
use mouthpiece_ports::farm_ports::ActorPorts;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

/// News that wait for a slow watcher; it loses the oldest beyond that.
const NEWS_KEPT: usize = 4096;
/// Messages that wait for an actor before senders that can wait do so.
const MAILBOX: usize = 4096;

/// Starts the farm's actors on a thread of their own. Workers that the pool knows are made known to the brain, then it
/// picks up the sessions that are open in the records.
///
/// # Panics
/// When no actix system runs on this thread, or no thread can be started.
pub fn start(ports: ActorPorts, settings: ControlSettings, metrics: Arc<Metrics>) -> FarmHandle {
    let (hub, _) = broadcast::channel(NEWS_KEPT);
    let handle_hub = hub.downgrade();
    let arbiter = Arbiter::new();
    let control = control::Control::start_in_arbiter(&arbiter.handle(), move |ctx| {
        ctx.set_mailbox_capacity(MAILBOX);
        let (behind, listeners) = watch::channel(false);
        let expiry = settings.lease.expiry();
        let decides = (settings.scaling == ScalingMode::Own).then(|| (Uuid::now_v7().as_u128(), expiry));
        let roster = dispatch::RosterTerms { every: expiry / 3, decides, books: ports.books };
        let ledger = ledger::Ledger::new(Arc::clone(&ports.ledger), ctx.address(), Arc::clone(&metrics)).start();
        let fleet = fleet::Fleet::new(Arc::clone(&ports.fleet), Arc::clone(&metrics)).start();
        let errands = errand::Errands {
            records: ports.ledger,
            bus: ports.bus,
            pool: ports.pool,
            control: ctx.address(),
            metrics: Arc::clone(&metrics),
        };
        let dispatch = dispatch::Dispatch::new(errands, listeners, roster).start();
        control::Control::new(settings, control::Others { ledger, dispatch, fleet, hub, behind, metrics })
    });
    FarmHandle::new(control, handle_hub, arbiter)
}
