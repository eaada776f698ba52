//! Machines and the workers on them, as far as the brain sees them.

use mouthpiece_domain::fleet::{Capability, Heartbeat, Hold, MachineId, RunningSession};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::{FrameProgress, Phase};
use mouthpiece_domain::time::Mono;
use std::time::Duration;

/// What is in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotUse {
    Free,
    /// The pool gave it to a hold; the worker was not told yet.
    Claimed(Hold),
    /// A session is prepared there, to be moved to it, until then.
    Preparing(Hold, Mono),
    /// It is ready.
    Prepared(Hold),
    /// A session runs there since then.
    Live(Hold, Mono),
}

impl SlotUse {
    pub(super) fn hold(self) -> Option<Hold> {
        match self {
            Self::Free => None,
            Self::Claimed(hold) | Self::Prepared(hold) | Self::Preparing(hold, _) | Self::Live(hold, _) => Some(hold),
        }
    }
}

/// Where a machine is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MachineState {
    /// Paid for, and nobody is there yet.
    Starting,
    /// Its worker is there since then.
    Up(Mono),
    Gone,
}

/// A machine with one worker.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) state: MachineState,
    pub(super) draining: bool,
    /// Its worker is about to say goodbye.
    pub(super) leaves: bool,
    pub(super) slots: Vec<SlotUse>,
}

impl Machine {
    pub(super) fn starting(slots: u8) -> Self {
        let slots = vec![SlotUse::Free; usize::from(slots)];
        Self { state: MachineState::Starting, draining: false, leaves: false, slots }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, MachineState::Up(_))
    }

    /// Nothing more runs there, or will.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, SlotUse::Free | SlotUse::Claimed(_)))
    }

    pub(super) fn slot(&mut self, hold: &Hold) -> Option<&mut SlotUse> {
        self.slots.get_mut(usize::from(hold.slot.0))
    }

    /// The slot, if that hold has it.
    pub(super) fn held(&mut self, hold: &Hold) -> Option<&mut SlotUse> {
        self.slot(hold).filter(|slot| slot.hold() == Some(*hold))
    }

    pub(super) fn heartbeat(&self, id: WorkerId, now: Mono) -> Heartbeat {
        let running = |slot: &SlotUse| {
            let (hold, since, prepared) = match *slot {
                SlotUse::Live(hold, since) => (hold, since, false),
                SlotUse::Prepared(hold) => (hold, now, true),
                SlotUse::Free | SlotUse::Claimed(_) | SlotUse::Preparing(..) => return None,
            };
            Some(RunningSession {
                session: hold.session,
                fence: hold.fence,
                slot: hold.slot,
                phase: if prepared { Phase::Preparing } else { Phase::Running },
                progress: progress(now - since),
                delivered: now - since,
                prepared,
            })
        };
        let uptime = match self.state {
            MachineState::Up(since) => now - since,
            MachineState::Starting | MachineState::Gone => Duration::ZERO,
        };
        Heartbeat {
            worker: id,
            capability: Capability {
                name: String::new(),
                engine: "null/1".to_owned(),
                instance_type: "simulated".to_owned(),
                machine: Some(MachineId(format!("i-{:x}", id.0))),
                slots: self.slots.len() as u8,
                frames_per_second: 100,
                impaired: None,
            },
            address: None,
            draining: self.draining,
            uptime,
            busy: Duration::ZERO,
            resident: Vec::new(),
            running: self.slots.iter().filter_map(running).collect(),
            ended: Vec::new(),
        }
    }
}

/// Frames made in so long.
pub(super) fn progress(running: Duration) -> FrameProgress {
    FrameProgress { done: (running.as_millis() / 40) as u64, total: 0 }
}

/// All machines that ever were, by their worker's number.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    pub(super) machines: Vec<Machine>,
    /// Those that are paid for.
    pub(super) there: u32,
    pub(super) most: u32,
    pub(super) started: u64,
    /// As many as the brain wants.
    pub(super) wished: u32,
}

impl Fleet {
    pub(super) fn worker(index: u32) -> WorkerId {
        WorkerId(u128::from(index) + 1)
    }

    pub(super) fn index(worker: WorkerId) -> u32 {
        u32::try_from(worker.0.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&mut self, index: u32) -> Option<&mut Machine> {
        self.machines.get_mut(index as usize)
    }

    /// A worker that is there.
    pub(super) fn up(&mut self, worker: WorkerId) -> Option<&mut Machine> {
        self.get(Self::index(worker)).filter(|machine| machine.is_up())
    }
}
