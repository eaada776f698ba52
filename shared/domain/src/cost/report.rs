//! A closed report.

use super::Price;
use crate::ids::{AvatarId, KeyId, SessionId};
use crate::session::SessionKind;
use crate::time::Wall;
use std::time::Duration;

/// What the rows of a report stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupBy {
    /// No rows, only the total.
    #[default]
    None,
    /// A row a UTC day.
    Day,
    /// A row an hour.
    Hour,
    /// A row a session.
    Session,
    /// A row a caller.
    Key,
    /// A row a face.
    Avatar,
    /// A row an instance type.
    InstanceType,
    /// A row a kind of session.
    Kind,
}

impl CostRow {
    /// Of the slots' time, the share in which they could have been taken and were not.
    pub fn idle_share(&self) -> Option<f64> {
        let (busy, starting) = (self.busy_share?, self.starting_share?);
        Some((1.0 - busy - starting).max(0.0))
    }
}

impl GroupBy {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::None, Self::Day, Self::Hour, Self::Session, Self::Key, Self::Avatar, Self::InstanceType, Self::Kind];

    /// The word in requests and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Session => "session",
            Self::Key => "key",
            Self::Avatar => "avatar",
            Self::InstanceType => "instance_type",
            Self::Kind => "kind",
        }
    }

    /// The grouping of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }
}

/// What one row stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CostGroup {
    /// The day that starts then, UTC.
    Day(Wall),
    /// The hour that starts then.
    Hour(Wall),
    /// One session.
    Session(SessionId),
    /// One caller's sessions.
    Key(KeyId),
    /// The sessions of one face.
    Avatar(AvatarId),
    /// The machines of one instance type.
    InstanceType(String),
    /// The sessions of one kind.
    Kind(SessionKind),
    /// Machines of an instance type in hours in which these delivered nothing to anyone. Always the last row.
    Idle,
}

/// One row, or the total.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CostRow {
    /// Delivered to users; minutes of sessions that failed are not among them.
    pub delivered: Duration,
    /// Delivered by sessions that then failed, were lost or had unusable input. They cost, but nobody got what they asked
    /// for.
    pub failed: Duration,
    /// Time that machines were up, idle and starting ones included.
    pub up: Duration,
    /// Of the slots' time, the share in which they were taken, 0 to 1. `None` where no machine was up.
    pub busy_share: Option<f64>,
    /// Of the slots' time, the share in which their machines were starting, 0 to 1. What is neither is idle.
    pub starting_share: Option<f64>,
    /// The machines' cost in billionths of a US dollar. `None`: some of them have no known price.
    pub nano_usd: Option<u128>,
    /// US dollars of cost, idle time included, a delivered minute. `None` also where nothing was delivered.
    pub usd_per_minute: Option<f64>,
    /// US dollars that a minute of a slot costs: what a delivered minute would cost if all slots were always taken.
    pub marginal_usd_per_minute: Option<f64>,
    /// Bytes that viewers were sent, their headers included.
    pub sent_bytes: u64,
    /// What that costs, in billionths of a US dollar. Not among the machines' cost.
    pub egress_nano_usd: u128,
    /// Sessions that were delivered (or tried) something. A session counts in each hour, day or instance type that it
    /// touched, and once in the total.
    pub sessions: u64,
}

/// What was delivered in a period, and what that cost.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CostReport {
    /// Everything.
    pub total: CostRow,
    /// By group, in order of time, id or name. Times and costs add up to the total exactly (costs, where all are known).
    pub rows: Vec<(CostGroup, CostRow)>,
    /// Instance types of machines without a known price, by name.
    pub unpriced: Vec<String>,
    /// The prices that counted, by instance type and start.
    pub prices: Vec<Price>,
}
