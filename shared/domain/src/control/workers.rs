//! Workers coming, reporting and going.

use super::held::Step;
use super::{Control, Effect};
use crate::fleet::{Command, Heartbeat, Hold, Report, Running, WorkerEvent};
use crate::ids::{SessionId, WorkerId};
use crate::ledger::Write;
use crate::session::Phase;
use std::time::Duration;

/// A lost worker is shown for so long before it is forgotten.
const SHOW_LOST: Duration = Duration::from_secs(60);
/// A goodbye is remembered for so long. What was said before it may come after it, and it may come twice.
const REMEMBER_DEPARTED: Duration = Duration::from_secs(600);

impl Control {
    pub(super) fn worker_event(&mut self, event: WorkerEvent) {
        match event {
            WorkerEvent::Heartbeat(beat) => self.heartbeat(*beat),
            WorkerEvent::Report(report) => self.report(*report),
            WorkerEvent::Refused { hold, why } => self.refused(hold, why),
            WorkerEvent::Goodbye { worker } => self.goodbye(worker),
        }
    }

    /// Takes in what is newer than what the bus brought, and begins when this is the first time.
    pub(super) fn roster(&mut self, beats: Vec<Heartbeat>) {
        for beat in beats {
            if self.slots.get(beat.worker).is_none_or(|worker| worker.uptime < beat.uptime) {
                self.heartbeat(beat);
            }
        }
        if !self.begun {
            self.begun = true;
            self.tick();
        }
    }

    fn heartbeat(&mut self, mut beat: Heartbeat) {
        let id = beat.worker;
        if self.departed.contains_key(&id) {
            return;
        }
        let running = std::mem::take(&mut beat.running);
        for r in &running {
            self.heard_of(id, r);
        }
        beat.running = running;
        let sessions = &self.sessions;
        let ours = |session: SessionId, slot| {
            let hold = sessions.get(&session).and_then(|h| h.step.hold());
            hold.is_some_and(|h| h.worker == id && h.slot == slot)
        };
        if self.slots.heard(beat, self.now.mono, ours) {
            self.out.push(Effect::WorkerChanged(id));
        }
        self.worker_timers.at_latest(id, self.now.mono + self.settings.lease.expiry());
        let now = self.now.mono;
        let due = |w: &super::slots::Worker| w.booked.is_none_or(|b| now - b >= self.settings.book_every);
        if self.slots.get(id).is_some_and(due) {
            self.book(id);
        }
    }

    /// A session is listed in a heartbeat: its lease is alive.
    fn heard_of(&mut self, worker: WorkerId, r: &Running) {
        let hold = Hold { session: r.session, fence: r.fence, worker, slot: r.slot };
        let Some(held) = self.sessions.get_mut(&r.session) else { return };
        if held.step.may_know() != Some(hold) {
            // It runs what was placed again since: it must not.
            if hold.fence < held.session.fence {
                self.out.push(Effect::Send { worker, command: Command::Stop(hold) });
            }
            return;
        }
        if let Step::Checking(hold) = held.step {
            held.step = Step::Running(hold);
        }
        held.deadline = Some(self.now.mono + self.settings.lease.expiry());
        if r.phase > held.session.phase && r.phase < Phase::Ended {
            // The report of it was lost or is late.
            let (phase, progress, delivered) = (r.phase, r.progress, r.delivered);
            self.report(Report { hold, phase, progress, delivered, end: None });
        }
        self.rearm(r.session);
    }

    /// Books a worker's time.
    fn book(&mut self, id: WorkerId) {
        let Some(worker) = self.slots.get(id) else { return };
        self.out.push(Effect::Write(Write::Machine {
            worker: id,
            capability: Box::new(worker.capability.clone()),
            uptime: worker.uptime,
            busy: worker.busy,
            at: self.now.wall,
        }));
        self.slots.booked(id, self.now.mono);
    }

    /// It is gone for good and holds no lease any more, even if this brain never heard of it before. A worker that is merely
    /// lost may be frozen with a valid lease: the pool is never told to forget that one.
    fn goodbye(&mut self, id: WorkerId) {
        let until = self.now.mono + REMEMBER_DEPARTED;
        if self.departed.insert(id, until).is_some() {
            return;
        }
        self.book(id);
        let left: Vec<SessionId> = self.running_on(id).unwrap_or_default();
        for session in left {
            let told = self.sessions.get(&session).and_then(|h| h.step.may_know());
            if let Some(hold) = told.filter(|h| h.worker == id) {
                self.given_up(hold, true);
            }
        }
        self.slots.remove(id);
        self.worker_timers.cancel(id);
        self.worker_timers.at_latest(id, until);
        self.out.extend([Effect::Forget(id), Effect::Retire(id), Effect::WorkerChanged(id)]);
    }

    pub(super) fn drain(&mut self, id: WorkerId) {
        if self.slots.get(id).is_some() {
            self.slots.drain(id);
            self.out.push(Effect::Send { worker: id, command: Command::Drain });
            self.out.push(Effect::WorkerChanged(id));
        }
    }

    /// Nothing more is placed there until it is heard of again. Its sessions' leases decide about them.
    pub(super) fn lose_worker(&mut self, id: WorkerId) {
        if self.slots.get(id).is_some_and(|w| !w.lost) {
            self.slots.lose(id);
            self.book(id);
            self.out.push(Effect::WorkerChanged(id));
        }
    }

    pub(super) fn worker_due(&mut self, id: WorkerId) {
        if self.departed.remove(&id).is_some() {
            return;
        }
        let Some(worker) = self.slots.get(id) else { return };
        let (now, expiry) = (self.now.mono, self.settings.lease.expiry());
        let lost_at = worker.heard + expiry;
        if lost_at > now {
            self.worker_timers.at_latest(id, lost_at);
        } else if lost_at + SHOW_LOST > now {
            self.lose_worker(id);
            self.worker_timers.at_latest(id, lost_at + SHOW_LOST);
        } else {
            self.slots.remove(id);
            self.out.push(Effect::WorkerChanged(id));
        }
    }

    /// The sessions that this brain knows to be on a worker; `None` when it does not know the worker.
    pub fn running_on(&self, id: WorkerId) -> Option<Vec<SessionId>> {
        self.slots.get(id).map(|w| w.slots().filter_map(|(_, session)| session).collect())
    }
}
