//! The farm as the brain sees it, for pages and metrics.

use crate::fleet::Capability;
use crate::ids::{AvatarId, SessionId, WorkerId};
use crate::session::{Kind, Phase, Progress, Slot};
use std::time::Duration;

/// How a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// Nothing runs there.
    Idle,
    /// Something runs there.
    Busy,
    /// It takes nothing new.
    Draining,
    /// It was not heard of for longer than a lease.
    Lost,
}

/// What is in a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotView {
    /// Which.
    pub slot: Slot,
    /// The session in it.
    pub session: Option<SlotSession>,
}

/// A session in a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotSession {
    /// Its id.
    pub id: SessionId,
    /// What it does.
    pub kind: Kind,
    /// Whose face.
    pub avatar: AvatarId,
    /// How far.
    pub phase: Phase,
    /// Frames made.
    pub progress: Progress,
    /// Since it got the slot.
    pub age: Duration,
}

/// One worker.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerView {
    /// Its id.
    pub id: WorkerId,
    /// What it offers.
    pub capability: Capability,
    /// How it is.
    pub state: WorkerState,
    /// By its own clock.
    pub up: Duration,
    /// Since its last report.
    pub seen_ago: Duration,
    /// Its slots in order.
    pub slots: Vec<SlotView>,
    /// Content hashes of the avatars that it holds.
    pub resident: Vec<String>,
}

/// The whole farm.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FarmView {
    /// Workers by id.
    pub workers: Vec<WorkerView>,
    /// Sessions that wait for a slot.
    pub queue_length: u32,
    /// How long the oldest of them has waited.
    pub oldest_wait: Option<Duration>,
    /// At most so many may wait.
    pub queue_limit: u32,
    /// Workers wanted, the warm pool included.
    pub desired_workers: u32,
}
