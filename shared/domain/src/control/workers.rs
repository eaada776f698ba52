//! Workers coming, reporting and going.

use super::held::TimedStep;
use super::slots::KnownWorker;
use super::{Control, ControlEffect};
use crate::fleet::{
    DepartedWorker, Heartbeat, Hold, MachineId, RunningSession, SessionReport, WorkerCommand, WorkerEvent,
};
use crate::ids::{SessionId, WorkerId};
use crate::ledger::LedgerWrite;
use crate::session::Phase;
use std::time::Duration;

/// A lost worker is shown for so long before it is given up: far longer than any lease, and than most interruptions.
const SHOW_LOST: Duration = Duration::from_secs(300);
/// A goodbye is remembered for so long. What was said before it may come after it, and it may come twice.
const REMEMBER_DEPARTED: Duration = Duration::from_secs(600);

/// A worker that does not drain although it was told to is told again after this.
const REMIND_AFTER: Duration = Duration::from_secs(30);

impl Control {
    pub(super) fn worker_event(&mut self, event: WorkerEvent) {
        match event {
            WorkerEvent::Heartbeat(beat) => self.heartbeat(*beat),
            WorkerEvent::Report(report) => self.report(*report),
            WorkerEvent::Refused { hold, why } => self.refused(hold, why),
            WorkerEvent::HandedOver { hold, delivered, sent_bytes } => {
                let at = self.now.wall;
                self.out.push(ControlEffect::Write(LedgerWrite::HandedOver { hold, delivered, sent_bytes, at }));
            }
            WorkerEvent::Goodbye { worker, ended } => self.goodbye(worker, ended),
        }
    }

    /// Takes in what is newer than what the bus brought, and begins when this is the first time.
    pub(super) fn roster(&mut self, beats: Vec<Heartbeat>) {
        if self.begun {
            self.asked_pool = Some(self.now.mono);
        }
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
        for report in std::mem::take(&mut beat.ended) {
            // Of what this brain does not hold there will be more to hear.
            if self.sessions.contains_key(&report.hold.session) {
                self.heard_of_end(report);
            }
        }
        let running = std::mem::take(&mut beat.running);
        for r in &running {
            self.heard_of(id, r);
        }
        beat.running = running;
        let (is_new, up, says_draining) = (self.slots.get(id).is_none(), beat.uptime, beat.draining);
        let sessions = &self.sessions;
        let ours = |session: SessionId, slot| {
            let hold = sessions.get(&session).and_then(|h| h.step.hold());
            hold.is_some_and(|h| h.worker == id && h.slot == slot)
        };
        if self.slots.heard(beat, self.now.mono, ours) {
            self.out.push(ControlEffect::WorkerChanged(id));
        }
        if is_new && self.begun {
            self.scaling.worker_came(up, self.now.mono);
        }
        if !says_draining {
            self.remind_to_drain(id);
        }
        self.worker_timers.at_latest(id, self.now.mono + self.settings.lease.expiry());
        let now = self.now.mono;
        let due = |w: &KnownWorker| w.booked.is_none_or(|b| now - b >= self.settings.book_every);
        if self.slots.get(id).is_some_and(due) {
            self.book(id);
        }
    }

    /// A session is listed in a heartbeat: its lease is alive.
    fn heard_of(&mut self, worker: WorkerId, r: &RunningSession) {
        let hold = Hold { session: r.session, fence: r.fence, worker, slot: r.slot };
        let Some(held) = self.sessions.get_mut(&r.session) else { return };
        if held.step.may_know() != Some(hold) {
            // It runs what was placed again since: it must not.
            if hold.fence < held.session.fence {
                let moved = self.may_have_moved(hold);
                self.is_outdated(hold, moved);
            } else if r.prepared {
                self.prepared(hold);
            } else if hold.fence > held.session.fence && r.phase == Phase::Running {
                // Another brain placed or moved it, and was told so.
                self.report(reported(hold, r));
            }
            return;
        }
        let is_behind = r.phase > held.session.phase && r.phase < Phase::Ended;
        self.is_alive(r.session);
        if is_behind {
            // The report of it was lost or is late.
            self.report(reported(hold, r));
        }
        if r.prepared {
            self.prepared(hold);
        }
    }

    /// A session's end is told once more. It matters where the first time was not heard of: with a coordinator that is cut off.
    fn heard_of_end(&mut self, report: SessionReport) {
        let hold = report.hold;
        let is_news = match self.sessions.get(&hold.session) {
            Some(held) => held.session.fence <= hold.fence && !matches!(held.step, TimedStep::Ending(_)),
            None => !self.ended_lately.contains(&hold.session),
        };
        if is_news && report.phase == Phase::Ended {
            self.report(report);
        }
    }

    /// Books a worker's time.
    fn book(&mut self, id: WorkerId) {
        let Some(worker) = self.slots.get(id) else { return };
        self.out.push(ControlEffect::Write(LedgerWrite::Machine {
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
    fn goodbye(&mut self, id: WorkerId, ended: Vec<SessionReport>) {
        let until = self.now.mono + REMEMBER_DEPARTED;
        if self.departed.insert(id, until).is_some() {
            return;
        }
        for report in ended {
            self.heard_of_end(report);
        }
        self.book(id);
        let departed = DepartedWorker { worker: id, machine: self.machine_to_give_back(id) };
        let left: Vec<SessionId> = self.running_on(id).unwrap_or_default();
        for session in left {
            let Some(held) = self.sessions.get(&session) else { continue };
            // What it never took up was not lost with it.
            let taken_up = held.session.phase > Phase::Assigned;
            if let Some(hold) = held.step.may_know().filter(|hold| hold.worker == id) {
                self.given_up(hold, taken_up);
            }
        }
        self.slots.remove(id);
        self.worker_timers.cancel(id);
        self.worker_timers.at_latest(id, until);
        self.out.extend([ControlEffect::Forget(id), ControlEffect::Retire(departed), ControlEffect::WorkerChanged(id)]);
        self.scaling.retired();
    }

    /// A worker's machine, unless another worker is on it.
    fn machine_to_give_back(&self, id: WorkerId) -> Option<MachineId> {
        let machine = self.slots.get(id)?.capability.machine.clone()?;
        self.slots.tally().is_alone_on(&machine).then_some(machine)
    }

    pub(super) fn drain(&mut self, id: WorkerId) {
        if self.slots.get(id).is_some() {
            self.slots.drain(id, self.now.mono);
            self.slots.told_to_drain(id, self.now.mono);
            self.out.push(ControlEffect::Send { worker: id, command: WorkerCommand::Drain });
            self.out.push(ControlEffect::WorkerChanged(id));
        }
    }

    /// A worker that was told to drain and says that it does not was never told: commands are lost when the bus is away.
    fn remind_to_drain(&mut self, id: WorkerId) {
        let told = self.slots.get(id).and_then(|worker| worker.told_to_drain);
        if told.is_some_and(|told| told + REMIND_AFTER <= self.now.mono) {
            self.slots.told_to_drain(id, self.now.mono);
            self.out.push(ControlEffect::Send { worker: id, command: WorkerCommand::Drain });
        }
    }

    /// Nothing more is placed there until it is heard of again. Its sessions' leases decide about them.
    pub(super) fn lose_worker(&mut self, id: WorkerId) {
        if self.slots.get(id).is_some_and(|w| !w.lost) {
            self.slots.lose(id);
            self.book(id);
            self.out.push(ControlEffect::WorkerChanged(id));
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
        } else if self.asked_pool.is_some_and(|asked| asked > lost_at) {
            // Its leases are long gone; should it be alive after all, it begins anew.
            self.slots.remove(id);
            self.out.extend([ControlEffect::Abandon(id), ControlEffect::WorkerChanged(id)]);
        } else {
            // It may be this brain that hears nothing.
            self.worker_timers.at_latest(id, now + SHOW_LOST);
        }
    }

    /// The sessions that this brain knows to be on a worker; `None` when it does not know the worker.
    pub fn running_on(&self, id: WorkerId) -> Option<Vec<SessionId>> {
        self.slots.get(id).map(|w| w.slots().filter_map(|(_, session)| session).collect())
    }
}

/// What a heartbeat tells of a session, as a report tells it.
fn reported(hold: Hold, r: &RunningSession) -> SessionReport {
    let RunningSession { phase, progress, delivered, .. } = *r;
    SessionReport { hold, phase, progress, delivered, sent_bytes: 0, end: None }
}
