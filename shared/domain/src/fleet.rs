//! Workers: what they offer, what they are told, what they report.

pub use crate::hold::Hold;

use crate::ids::{SessionId, WorkerId};
use crate::lease::LeaseTerms;
use crate::session::{End, Fence, Phase, Progress, SessionKind, Slot, Spec};
use crate::time::millis;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Work for one slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// What, where and by which right.
    pub hold: Hold,
    /// What kind of work.
    pub kind: SessionKind,
    /// How it is done.
    pub spec: Arc<Spec>,
    /// How long the right lasts.
    pub lease: LeaseTerms,
}

/// What a coordinator tells a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Run this.
    Assign(Box<Assignment>),
    /// Stop this and free its slot within one tick; report nothing more of it.
    Stop(Hold),
    /// Take nothing new; leave when what runs is done.
    Drain,
}

/// What a worker is and what it measured of itself at boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// A name for people, for example the machine's.
    pub name: String,
    /// The engine and its version, for example `puppet/1`.
    pub engine: String,
    /// What the machine costs is looked up under this, for example `g4dn.xlarge` or `local`.
    pub instance_type: String,
    /// Slots offered: what it sustains, at most the configured number.
    pub slots: u8,
    /// Frames a second that the engine and encoder made at boot, all slots together, at 512 pixels.
    pub frames_per_second: u32,
}

/// One running session in a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The session.
    pub session: SessionId,
    /// Its placement.
    pub fence: Fence,
    /// Where.
    pub slot: Slot,
    /// How far.
    pub phase: Phase,
    /// Frames made.
    pub progress: Progress,
    /// Delivered so far under this fence.
    #[serde(with = "millis")]
    pub delivered: Duration,
}

/// A worker's regular report: everything it knows of itself, so that one lost report costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Who.
    pub worker: WorkerId,
    /// What it offers.
    pub capability: Capability,
    /// It takes nothing new.
    pub draining: bool,
    /// How long it has been up, by its own clock.
    #[serde(with = "millis")]
    pub uptime: Duration,
    /// Sum over its slots of the time that they were taken.
    #[serde(with = "millis")]
    pub busy: Duration,
    /// Content hashes of the avatars that it holds in memory, at most 64, most recently used first.
    pub resident: Vec<String>,
    /// What runs.
    pub running: Vec<Running>,
}

/// News of one session, sent when its phase changes and every second while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What, where, by which right.
    pub hold: Hold,
    /// How far.
    pub phase: Phase,
    /// Frames made.
    pub progress: Progress,
    /// Delivered so far under this fence: cumulative, so that repeats bill nothing.
    #[serde(with = "millis")]
    pub delivered: Duration,
    /// With [`Phase::Ended`]: how.
    pub end: Option<End>,
}

/// Why a worker did not take an assignment, or gave it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The slot holds another session.
    SlotTaken,
    /// The worker is draining.
    Draining,
    /// The lease was not granted or was lost.
    LeaseLost,
    /// The worker stops before the session is done and hands it over.
    Leaving,
}

/// What a worker tells the coordinators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerEvent {
    /// Everything about the worker.
    Heartbeat(Box<Heartbeat>),
    /// News of one session.
    Report(Box<Report>),
    /// The assignment is not (or no longer) run here: place it again.
    Refused {
        /// Which.
        hold: Hold,
        /// Why.
        why: Refusal,
    },
    /// The worker is gone for good; nothing runs there.
    Goodbye {
        /// Who.
        worker: WorkerId,
    },
}
