//! Workers under virtual time, and the pool that keeps their slots.

use crate::dice::Dice;
use mouthpiece_domain::fleet::{Capability, Heartbeat, Hold, RunningSession, SessionReport};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::{EndReason, FrameProgress, Phase, SessionEnd};
use mouthpiece_domain::time::Mono;
use std::time::Duration;

/// A session in a slot, as its worker sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiveAssignment {
    pub hold: Hold,
    pub since: Mono,
    pub length: Duration,
    pub phase: Phase,
}

impl LiveAssignment {
    fn progress(&self, now: Mono) -> FrameProgress {
        let frames = |d: Duration| (d.as_millis() / 40) as u64;
        FrameProgress { done: frames((now - self.since).min(self.length)), total: frames(self.length) }
    }

    fn delivered(&self, now: Mono) -> Duration {
        (now - self.since).min(self.length)
    }

    /// The next thing to say: preparing, running every second, ended.
    pub(super) fn report(&mut self, now: Mono) -> SessionReport {
        self.phase = match self.phase {
            Phase::Assigned => Phase::Preparing,
            _ if now - self.since >= self.length => Phase::Ended,
            _ => Phase::Running,
        };
        let end = (self.phase == Phase::Ended).then(|| SessionEnd::new(EndReason::Completed, None));
        let (progress, delivered) = (self.progress(now), self.delivered(now));
        SessionReport { hold: self.hold, phase: self.phase, progress, delivered, sent_bytes: 0, end }
    }
}

/// One worker. When it was lost its successor is another worker at the same place.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub id: WorkerId,
    /// Says nothing before then, and what it ran is gone.
    pub silent_until: Option<Mono>,
    born: Mono,
    held: Vec<Option<Hold>>,
    live: Vec<Option<LiveAssignment>>,
    resident: Vec<String>,
    instance_type: String,
}

impl Machine {
    pub(super) fn new(id: WorkerId, slots: u8, now: Mono) -> Self {
        Self {
            id,
            silent_until: None,
            born: now,
            held: vec![None; usize::from(slots)],
            live: vec![None; usize::from(slots)],
            resident: Vec::new(),
            instance_type: "local".to_owned(),
        }
    }

    pub(super) fn slots(&self) -> u8 {
        self.held.len() as u8
    }

    pub(super) fn claim(&mut self, hold: &Hold) -> bool {
        let Some(slot) = self.held.get_mut(usize::from(hold.slot.0)) else { return false };
        let free = slot.is_none_or(|h| h == *hold);
        if free {
            *slot = Some(*hold);
        }
        free
    }

    pub(super) fn release(&mut self, hold: &Hold) {
        if let Some(slot) = self.held.get_mut(usize::from(hold.slot.0)).filter(|s| **s == Some(*hold)) {
            *slot = None;
        }
    }

    pub(super) fn holds(&self, hold: &Hold) -> bool {
        self.silent_until.is_none() && self.held.get(usize::from(hold.slot.0)).is_some_and(|s| *s == Some(*hold))
    }

    /// Takes up a session, if the pool lets it and the slot is free.
    pub(super) fn take(&mut self, live: LiveAssignment, content: &str) -> bool {
        let good = self.holds(&live.hold);
        let Some(slot) = self.live.get_mut(usize::from(live.hold.slot.0)).filter(|s| good && s.is_none()) else {
            return false;
        };
        *slot = Some(live);
        if !self.resident.iter().any(|r| r == content) {
            self.resident.insert(0, content.to_owned());
            self.resident.truncate(4);
        }
        true
    }

    pub(super) fn live(&mut self, hold: &Hold) -> Option<&mut LiveAssignment> {
        self.live.get_mut(usize::from(hold.slot.0))?.as_mut().filter(|l| l.hold == *hold)
    }

    /// Ends what a hold runs; the slot is free again.
    pub(super) fn stop(&mut self, hold: &Hold) {
        if let Some(slot) = self.live.get_mut(usize::from(hold.slot.0)).filter(|s| s.is_some_and(|l| l.hold == *hold)) {
            *slot = None;
        }
        self.release(hold);
    }

    /// Falls silent; all that it runs and holds is gone.
    pub(super) fn fall_silent(&mut self, until: Mono) {
        self.silent_until = Some(until);
        self.held.fill(None);
        self.live.fill(None);
    }

    pub(super) fn heartbeat(&self, now: Mono, dice: &mut Dice) -> Heartbeat {
        let running = |l: &LiveAssignment| RunningSession {
            session: l.hold.session,
            fence: l.hold.fence,
            slot: l.hold.slot,
            phase: l.phase,
            progress: l.progress(now),
            delivered: l.delivered(now),
            prepared: false,
        };
        let uptime = now - self.born;
        Heartbeat {
            worker: self.id,
            capability: Capability {
                name: String::new(),
                engine: "null/1".to_owned(),
                instance_type: self.instance_type.clone(),
                slots: self.slots(),
                frames_per_second: 100,
                impaired: None,
                machine: None,
            },
            address: None,
            draining: false,
            uptime,
            busy: uptime / (1 + dice.below(4) as u32),
            resident: self.resident.clone(),
            running: self.live.iter().flatten().map(running).collect(),
            ended: Vec::new(),
        }
    }
}
