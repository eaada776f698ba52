//! A worker of the small farm.

use mouthpiece_domain::fleet::{Capability, Heartbeat, Hold, RunningSession, SessionReport};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::{EndReason, FrameProgress, Phase, SessionEnd};
use mouthpiece_domain::time::Mono;
use std::time::Duration;

/// What runs in a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunningWork {
    pub(super) hold: Hold,
    /// When the last granted renewal was asked for.
    pub(super) asked: Mono,
    pub(super) reported: Mono,
    pub(super) delivered: Duration,
    pub(super) length: Duration,
    pub(super) phase: Phase,
}

/// A worker and what happens to it.
#[derive(Debug, Clone)]
pub(super) struct SmallWorker {
    pub(super) id: WorkerId,
    /// As the history names it.
    pub(super) label: String,
    pub(super) born: Mono,
    pub(super) slots: Vec<Option<RunningWork>>,
    /// Dead until then; another worker comes in its place.
    pub(super) dead_until: Option<Mono>,
    pub(super) paused_until: Option<Mono>,
    /// It reaches neither pool nor brains until then.
    pub(super) cut_until: Option<Mono>,
}

impl SmallWorker {
    pub(super) fn new(id: WorkerId, label: String, slots: usize, now: Mono) -> Self {
        let (dead_until, paused_until, cut_until) = (None, None, None);
        Self { id, label, born: now, slots: vec![None; slots], dead_until, paused_until, cut_until }
    }

    pub(super) fn is_well(&self) -> bool {
        self.dead_until.is_none() && self.paused_until.is_none() && self.cut_until.is_none()
    }

    pub(super) fn acts(&self) -> bool {
        self.dead_until.is_none() && self.paused_until.is_none()
    }

    pub(super) fn heartbeat(&self, now: Mono) -> Heartbeat {
        let running = |work: &RunningWork| RunningSession {
            session: work.hold.session,
            fence: work.hold.fence,
            slot: work.hold.slot,
            phase: work.phase,
            progress: FrameProgress::default(),
            delivered: work.delivered,
            prepared: false,
        };
        Heartbeat {
            worker: self.id,
            capability: Capability {
                name: self.label.clone(),
                engine: "null/1".to_owned(),
                instance_type: "local".to_owned(),
                slots: self.slots.len() as u8,
                frames_per_second: 100,
                impaired: None,
                machine: None,
            },
            address: None,
            draining: false,
            uptime: now - self.born,
            busy: Duration::ZERO,
            resident: Vec::new(),
            running: self.slots.iter().flatten().map(running).collect(),
            ended: Vec::new(),
        }
    }
}

impl RunningWork {
    /// What there is to say of it now.
    pub(super) fn report(&self) -> SessionReport {
        let end = (self.phase == Phase::Ended).then(|| SessionEnd::new(EndReason::Completed, None));
        let (hold, phase, delivered) = (self.hold, self.phase, self.delivered);
        SessionReport { hold, phase, progress: FrameProgress::default(), delivered, sent_bytes: 0, end }
    }
}
