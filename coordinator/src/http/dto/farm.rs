//! Workers, slots, the queue.

use super::{ProgressBody, state_name};
use mouthpiece_domain::control::{FarmView, SlotSession, SlotView, WorkerState, WorkerView};
use mouthpiece_domain::time::as_millis;
use mouthpiece_domain::warm_pool::ScalingMode;
use serde::Serialize;
use utoipa::ToSchema;

/// The farm now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Farm)]
pub struct FarmBody {
    /// Workers by id.
    pub workers: Vec<WorkerBody>,
    /// Sessions that wait.
    pub queue: QueueBody,
    /// Workers wanted, those in reserve included.
    pub desired_workers: u32,
    /// Machines are started and stopped after that number; false where the workers that are there are all there are.
    pub scaled: bool,
    /// Slots of all workers that are there.
    pub slots: SlotCount,
}

/// Sessions that wait for a slot.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Queue)]
pub struct QueueBody {
    /// How many.
    pub length: u32,
    /// How long the oldest has waited; null when none waits.
    pub oldest_wait_ms: Option<u64>,
    /// At most so many may wait.
    pub limit: u32,
}

/// Slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SlotCount {
    /// Offered by workers that are there.
    pub total: u32,
    /// Those that hold a session.
    pub taken: u32,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Worker)]
pub struct WorkerBody {
    /// Its id: one run of a worker process.
    #[schema(example = "wrk_0197b2c4d5e67f8091a2b3c4d5e6f708")]
    pub id: String,
    /// A name for people.
    pub name: String,
    /// The engine and its version.
    #[schema(example = "puppet/1")]
    pub engine: String,
    /// What the machine costs is looked up under this.
    #[schema(example = "g4dn.xlarge")]
    pub instance_type: String,
    /// The cloud's name for the machine; null where nobody gives machines back.
    #[schema(example = "i-0123456789abcdef0")]
    pub machine: Option<String>,
    /// `idle`, `busy`, `draining` or `lost`.
    #[schema(example = "busy")]
    pub state: &'static str,
    /// What it measured of itself when it started, all slots together.
    pub frames_per_second: u32,
    /// Why it does less than it measured, or nothing any more; null where all is well.
    #[schema(example = "tensorrt failed: cuda draws from now on")]
    pub impaired: Option<String>,
    /// How long it has been up.
    pub up_ms: u64,
    /// How long ago it last reported.
    pub seen_ms_ago: u64,
    /// Its slots.
    pub slots: Vec<SlotBody>,
    /// SHA-256 of the portraits that it holds prepared.
    pub resident: Vec<String>,
}

/// A slot.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Slot)]
pub struct SlotBody {
    /// Counted from 0.
    pub slot: u8,
    /// What is in it; null when it is free.
    pub session: Option<SlotSessionBody>,
}

/// A session in a slot.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SlotSession)]
pub struct SlotSessionBody {
    /// Its id.
    pub id: String,
    /// Whose face.
    pub avatar_id: String,
    /// As of a session.
    #[schema(example = "rendering")]
    pub state: &'static str,
    /// `render`, `live` or `prepare`.
    #[schema(example = "render")]
    pub kind: &'static str,
    /// How far it is.
    pub progress: ProgressBody,
    /// Since it got the slot.
    pub age_ms: u64,
}

/// A worker that is being drained.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DrainBody {
    /// The worker.
    pub worker: WorkerBody,
    /// The sessions that run there and are waited for or moved.
    pub moving: Vec<String>,
}

impl From<&FarmView> for FarmBody {
    fn from(view: &FarmView) -> Self {
        let there = view.workers.iter().filter(|w| w.state != WorkerState::Lost).flat_map(|w| &w.slots);
        let count = |slots: usize| u32::try_from(slots).unwrap_or(u32::MAX);
        Self {
            workers: view.workers.iter().map(WorkerBody::from).collect(),
            queue: QueueBody {
                length: view.queue_length,
                oldest_wait_ms: view.oldest_wait.map(as_millis),
                limit: view.queue_limit,
            },
            desired_workers: view.desired_workers,
            scaled: view.scaling != ScalingMode::Fixed,
            slots: SlotCount {
                total: count(there.clone().count()),
                taken: count(there.filter(|s| s.session.is_some()).count()),
            },
        }
    }
}

impl From<&WorkerView> for WorkerBody {
    fn from(worker: &WorkerView) -> Self {
        let state = match worker.state {
            WorkerState::Idle => "idle",
            WorkerState::Busy => "busy",
            WorkerState::Draining => "draining",
            WorkerState::Lost => "lost",
        };
        let offers = &worker.capability;
        Self {
            id: worker.id.to_string(),
            name: offers.name.clone(),
            engine: offers.engine.clone(),
            instance_type: offers.instance_type.clone(),
            machine: offers.machine.as_ref().map(|machine| machine.0.clone()),
            state,
            frames_per_second: offers.frames_per_second,
            impaired: offers.impaired.clone(),
            up_ms: as_millis(worker.up),
            seen_ms_ago: as_millis(worker.seen_ago),
            slots: worker.slots.iter().map(SlotBody::from).collect(),
            resident: worker.resident.clone(),
        }
    }
}

impl From<&SlotView> for SlotBody {
    fn from(view: &SlotView) -> Self {
        Self { slot: view.slot.0, session: view.session.as_ref().map(SlotSessionBody::from) }
    }
}

impl From<&SlotSession> for SlotSessionBody {
    fn from(session: &SlotSession) -> Self {
        Self {
            id: session.id.to_string(),
            avatar_id: session.avatar.to_string(),
            state: state_name(session.kind, session.phase),
            kind: session.kind.name(),
            progress: session.progress.into(),
            age_ms: as_millis(session.age),
        }
    }
}
