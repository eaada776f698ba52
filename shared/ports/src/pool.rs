//! The warm pool: which workers there are, which slots are held, for how long.
//!
//! The pool is where a lease lives. Each hold is one slot's; claiming, renewing and releasing are atomic, so however many
//! coordinators there are, a slot has one holder. A hold that is not renewed within its expiry is gone. The pool counts on
//! its own clock, from the moment it grants.

use async_trait::async_trait;
use mouthpiece_domain::fleet::{Heartbeat, Hold};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::session::{Fence, SlotIndex};
use std::time::Duration;
use thiserror::Error;

/// The pool cannot be asked.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("the pool cannot be used just now: {0}")]
pub struct PoolError(pub String);

/// The right of `who` to decide on the fleet: a slot like any other, of a worker that there is not.
pub fn fleet_right(who: u128) -> Hold {
    Hold { session: SessionId(who), fence: Fence::FIRST, worker: WorkerId(0), slot: SlotIndex(0) }
}

/// Slots and their holders.
#[async_trait]
pub trait Pool: Send + Sync {
    /// Takes a slot. True when it was free or its hold had expired. False when it is held, even by an equal hold: two
    /// coordinators may come to the same choice, and only one of them may believe that it was granted to it.
    async fn claim(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError>;

    /// Keeps a slot for `expiry` from now. False when this hold does not have it (any more).
    async fn renew(&self, hold: &Hold, expiry: Duration) -> Result<bool, PoolError>;

    /// Gives a slot back. False when this hold does not have it.
    async fn release(&self, hold: &Hold) -> Result<bool, PoolError>;

    /// How long a hold still lasts; `None` when it is gone.
    async fn remaining(&self, hold: &Hold) -> Result<Option<Duration>, PoolError>;

    /// Notes what a worker said of itself, for `expiry`.
    async fn announce(&self, heartbeat: &Heartbeat, expiry: Duration) -> Result<(), PoolError>;

    /// Forgets a worker and all holds on it.
    async fn forget(&self, worker: WorkerId) -> Result<(), PoolError>;

    /// What the workers that are there said last.
    async fn workers(&self) -> Result<Vec<Heartbeat>, PoolError>;

    /// Takes the right to decide on the fleet of machines, or keeps it, for `expiry` from now. True for at most one
    /// coordinator at a time; `who` is a number of its own that no other has.
    async fn decide(&self, who: u128, expiry: Duration) -> Result<bool, PoolError> {
        let right = fleet_right(who);
        Ok(self.renew(&right, expiry).await? || self.claim(&right, expiry).await?)
    }

    /// Fails when the pool cannot be asked.
    async fn check(&self) -> Result<(), PoolError>;
}
