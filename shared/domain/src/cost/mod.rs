//! What sessions cost.
//!
//! Whoever runs the farm pays for machines by the hour, idle and starting ones included; whoever uses it is delivered
//! minutes. [`Books`] brings the two together, hour by hour and instance type by instance type, and closes into a
//! [`Report`] whose rows add up to its total exactly.

mod books;
mod price;
mod report;
mod share;
#[cfg(test)]
mod tests;

pub use books::Books;
pub use report::{Group, GroupBy, Report, Row};

use crate::ids::{AvatarId, KeyId, SessionId, WorkerId};
use crate::session::{EndReason, SessionKind};
use crate::time::Wall;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What an instance type costs from some time on, until a later price of the same type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Which machines.
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
    /// What kind.
    pub kind: SessionKind,
    /// Whose.
    pub key: KeyId,
    /// Which face.
    pub avatar: AvatarId,
    /// Delivered by.
    pub worker: WorkerId,
    /// On a machine of this type; empty when nothing of that worker's machine time was ever booked.
    pub instance_type: String,
    /// Delivered.
    pub delivered: Duration,
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
    /// Up.
    pub up: Duration,
    /// Sum over its slots of the time that they were taken.
    pub busy: Duration,
}
