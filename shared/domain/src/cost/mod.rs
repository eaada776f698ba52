//! What sessions cost.
//!
//! Whoever runs the farm pays for machines by the hour, idle and starting ones included; whoever uses it is delivered
//! minutes. [`CostAccount`] brings the two together, hour by hour and instance type by instance type, and closes into a
//! [`CostReport`] whose rows add up to its total exactly.

mod books;
mod price;
mod report;
mod share;
#[cfg(test)]
mod tests;

pub use books::CostAccount;
pub(crate) use price::pool_or_type;
pub use price::{micro_dollars, prices_at};
pub use report::{CostGroup, CostReport, CostRow, GroupBy};

use crate::ids::{AvatarId, KeyId, SessionId, WorkerId};
use crate::session::{EndReason, SessionKind};
use crate::time::Wall;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What an instance type costs from some time on, until a later price of the same type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The machines' type, for example `g4dn.xlarge`.
    pub instance_type: String,
    /// Valid from.
    pub from: Wall,
    /// Millionths of a US dollar an hour.
    pub micro_usd_per_hour: u64,
}

/// What one session was delivered by one worker in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageHour {
    /// Start of the hour.
    pub hour: Wall,
    /// Which session.
    pub session: SessionId,
    /// Live, render or prepare.
    pub kind: SessionKind,
    /// The API key that asked for it.
    pub key: KeyId,
    /// The avatar that was drawn.
    pub avatar: AvatarId,
    /// Delivered by.
    pub worker: WorkerId,
    /// On a machine of this type; empty when nothing of that worker's machine time was ever booked.
    pub instance_type: String,
    /// Delivered.
    pub delivered: Duration,
    /// Bytes that its viewers were sent, their headers included.
    pub sent_bytes: u64,
    /// How the session ended, if it did.
    pub end: Option<EndReason>,
}

/// One worker's time in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineHour {
    /// Start of the hour.
    pub hour: Wall,
    /// Which worker.
    pub worker: WorkerId,
    /// On a machine of this type.
    pub instance_type: String,
    /// Slots that it offers.
    pub slots: u8,
    /// Time that the worker was up, starting and idle time included.
    pub up: Duration,
    /// Of that, what passed before the farm heard of it for the first time: nothing could run there.
    pub starting: Duration,
    /// Sum over its slots of the time that they were taken.
    pub busy: Duration,
}
