//! Workers: what they offer, what they are told, what they report.

pub use crate::hold::Hold;

use crate::ids::{SessionId, WorkerId};
use crate::lease::LeaseTerms;
use crate::session::{Fence, FrameProgress, Phase, SessionEnd, SessionKind, SessionSpec, SlotIndex};
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
    pub spec: Arc<SessionSpec>,
    /// How long the right lasts.
    pub lease: LeaseTerms,
}

/// What a coordinator tells a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerCommand {
    /// Run this.
    Assign(Box<Assignment>),
    /// Be ready to run this under the fence that it will have once it is moved here: hold the lease, get the avatar, and wait.
    /// [`RunningSession::prepared`] tells that it is ready, [`WorkerCommand::Assign`] of the same hold that it has moved.
    Prepare(Box<Assignment>),
    /// This was prepared in vain: give it up, unless it has moved there meanwhile.
    LetGo(Hold),
    /// Stop this and free its slot within one tick; report nothing more of it.
    Stop(Hold),
    /// This was moved to another worker: go on showing it to those who watch, until they have gone there or for some seconds,
    /// then free its slot. What is shown from now on is not billed; [`WorkerEvent::HandedOver`] is the last word of it.
    HandOver(Hold),
    /// Take nothing new; leave when what runs is done.
    Drain,
}

/// What the cloud calls a machine, for example `i-0123456789abcdef0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MachineId(pub String);

/// A worker that has left, and what it ran on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartedWorker {
    /// Which.
    pub worker: WorkerId,
    /// Its machine; `None` where that is not known, or where other workers still use it.
    pub machine: Option<MachineId>,
}

/// What a worker is and what it measured of itself at boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// A name for people, for example the machine's.
    pub name: String,
    /// The engine and its version, for example `puppet/1`.
    pub engine: String,
    /// What the machine costs is looked up under this, for example `g4dn.xlarge` or `local`; for a spot machine it is
    /// its capacity pool, the type and the zone: `g4dn.xlarge@eu-central-1a`.
    pub instance_type: String,
    /// The cloud's name for the machine, by which it is given back; `None` where nobody gives machines back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineId>,
    /// Slots offered: what it sustains, at most the configured number.
    pub slots: u8,
    /// Frames a second that the engine and encoder made at boot, all slots together, at 512 pixels.
    pub frames_per_second: u32,
    /// Why it does less than was measured, or nothing any more, in a sentence without a full stop; `None` where all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impaired: Option<String>,
}

/// One running session in a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningSession {
    /// The session.
    pub session: SessionId,
    /// Its placement.
    pub fence: Fence,
    /// The slot that it runs in.
    pub slot: SlotIndex,
    /// The phase that it is in.
    pub phase: Phase,
    /// Frames made.
    pub progress: FrameProgress,
    /// Delivered so far under this fence.
    #[serde(with = "millis")]
    pub delivered: Duration,
    /// It was only prepared ([`WorkerCommand::Prepare`]), and is ready to be moved here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prepared: bool,
}

/// A worker's regular report: everything it knows of itself, so that one lost report costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The worker that this is about.
    pub worker: WorkerId,
    /// What it offers.
    pub capability: Capability,
    /// Where coordinators call it for lines and questions, `host:port`; `None` where they go another way.
    #[serde(default)]
    pub address: Option<String>,
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
    pub running: Vec<RunningSession>,
    /// The last reports of sessions that ended here lately, told once more: the first of each may lie with a coordinator that is cut
    /// off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<SessionReport>,
}

/// News of one session, sent when its phase changes and every second while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionReport {
    /// What, where, by which right.
    pub hold: Hold,
    /// The phase that it is in.
    pub phase: Phase,
    /// Frames made.
    pub progress: FrameProgress,
    /// Delivered so far under this fence: cumulative, so that repeats bill nothing.
    #[serde(with = "millis")]
    pub delivered: Duration,
    /// Bytes sent to viewers so far under this fence, cumulative as well; their headers included.
    #[serde(default)]
    pub sent_bytes: u64,
    /// With [`Phase::Ended`]: how.
    pub end: Option<SessionEnd>,
}

/// Why a worker did not take an assignment, or gave it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerRefusal {
    /// The slot holds another session.
    SlotTaken,
    /// The worker is draining.
    Draining,
    /// The lease was not granted or was lost.
    LeaseLost,
    /// The worker stops before the session is done and hands it over.
    Leaving,
    /// It could not be prepared there, or was prepared and not moved there in time. The same hold may be prepared there again.
    NotPrepared,
}

/// What a worker tells the coordinators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerEvent {
    /// Everything about the worker.
    Heartbeat(Box<Heartbeat>),
    /// News of one session.
    Report(Box<SessionReport>),
    /// The assignment is not (or no longer) run here: place it again.
    Refused {
        /// The assignment: session, fence, worker and slot.
        hold: Hold,
        /// The reason that the worker gave.
        why: WorkerRefusal,
    },
    /// The last word of a placement that was moved away ([`WorkerCommand::HandOver`]).
    HandedOver {
        /// The placement that it had there.
        hold: Hold,
        /// Delivered in all under that fence, until it was handed over.
        #[serde(with = "millis")]
        delivered: Duration,
        /// Bytes sent to viewers in all under that fence, until the last one had gone.
        sent_bytes: u64,
    },
    /// The worker is gone for good; nothing runs there.
    Goodbye {
        /// The worker that this is about.
        worker: WorkerId,
        /// As [`Heartbeat::ended`]: what ended there lately is not lost with the worker.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ended: Vec<SessionReport>,
    },
}
