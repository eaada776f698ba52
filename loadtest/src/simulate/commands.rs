//! What the brain wants done, and how it is done here: at once.

use super::BeatDetail;
use super::later::Later;
use super::machines::{Fleet, MachineState, SlotUse};
use super::sessions::OpenSessions;
use super::world::World;
use mouthpiece_domain::control::{ControlEffect, ControlEvent, SubmitAnswer};
use mouthpiece_domain::fleet::{Hold, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{EndReason, FrameProgress, Phase, SlotIndex};
use mouthpiece_domain::time::Mono;
use std::time::Duration;

/// A worker that has nothing more to do is gone after this.
const LEAVES: Duration = Duration::from_secs(2);
/// A session is prepared elsewhere within this.
const PREPARES: Duration = Duration::from_secs(2);

impl World<'_> {
    pub(super) fn perform(&mut self, effect: ControlEffect) {
        match effect {
            ControlEffect::Write(write) => self.write(write),
            ControlEffect::Claim { hold, .. } => {
                let granted = self.claim(hold);
                self.outcomes.push_back(ControlEvent::Claimed { hold, granted });
            }
            ControlEffect::Release(hold) => {
                // What runs is freed by its worker.
                let index = Fleet::index(hold.worker);
                let is_claim = |slot: &mut SlotUse| matches!(slot, SlotUse::Claimed(_));
                if self.fleet.get(index).and_then(|machine| machine.held(&hold)).is_some_and(is_claim) {
                    self.free(index, &hold);
                }
            }
            ControlEffect::Send { worker, command } => self.command(worker, command),
            ControlEffect::CheckLease(hold) => {
                let is_held = self.fleet.up(hold.worker).is_some_and(|machine| machine.held(&hold).is_some());
                let remaining = is_held.then(|| self.lease().expiry());
                self.outcomes.push_back(ControlEvent::Lease { hold, remaining });
            }
            ControlEffect::Sweep => self.outcomes.push_back(ControlEvent::Swept(self.sessions.records())),
            ControlEffect::Retire(left) => self.retire(left.worker),
            ControlEffect::Answer { session, answer } => {
                if !matches!(answer, SubmitAnswer::Accepted(_)) {
                    self.counts.turned_away += u64::from(self.measures());
                    self.sessions.forget(session);
                }
            }
            ControlEffect::Desired(workers) => {
                self.fleet.wished = workers;
                self.start_machines();
            }
            // There are no queues to be emptied and nobody watches.
            ControlEffect::Forget(_)
            | ControlEffect::Abandon(_)
            | ControlEffect::Changed(_)
            | ControlEffect::WorkerChanged(_) => {}
        }
    }

    fn write(&mut self, write: LedgerWrite) {
        let Some(id) = write.session() else {
            return self.outcomes.push_back(ControlEvent::Written { write, outcome: Some(WriteOutcome::Applied) });
        };
        let outcome = self.sessions.write(id, &write);
        if let (LedgerWrite::End { end, .. }, WriteOutcome::Applied) = (&write, &outcome) {
            self.ended(id, end.reason);
        }
        if let (LedgerWrite::Move { from, to, .. }, WriteOutcome::Applied) = (&write, &outcome) {
            self.goes_on(*from, *to);
        }
        self.outcomes.push_back(ControlEvent::Written { write, outcome: Some(outcome) });
    }

    fn ended(&mut self, id: SessionId, reason: EndReason) {
        let measures = self.measures();
        if let Some(cell) = self.sessions.forget(id)
            && reason == EndReason::NoCapacity
            && !cell.served
        {
            self.counts.gave_up += u64::from(measures);
        }
    }

    fn claim(&mut self, hold: Hold) -> bool {
        let Some(slot) = self.fleet.up(hold.worker).and_then(|machine| machine.slot(&hold)) else { return false };
        if *slot != SlotUse::Free {
            return slot.hold() == Some(hold);
        }
        *slot = SlotUse::Claimed(hold);
        self.books.count(self.now);
        self.books.level.taken += 1;
        true
    }

    fn command(&mut self, worker: WorkerId, command: WorkerCommand) {
        match command {
            WorkerCommand::Assign(assignment) => self.assign(assignment.hold),
            WorkerCommand::Prepare(assignment) => self.prepare(assignment.hold),
            WorkerCommand::LetGo(hold) => {
                let is_prepared = |slot: &mut SlotUse| !matches!(slot, SlotUse::Live(..));
                if self.fleet.up(worker).and_then(|machine| machine.held(&hold)).is_some_and(is_prepared) {
                    self.free(Fleet::index(worker), &hold);
                }
            }
            WorkerCommand::Stop(hold) => {
                self.free(Fleet::index(worker), &hold);
                self.leave_if_done(Fleet::index(worker));
            }
            WorkerCommand::HandOver(hold) => {
                let since = self.free(Fleet::index(worker), &hold);
                let delivered = self.now - since;
                let told = WorkerEvent::HandedOver { hold, delivered, sent_bytes: 0 };
                self.outcomes.push_back(ControlEvent::Worker(told));
                self.leave_if_done(Fleet::index(worker));
            }
            WorkerCommand::Drain => {
                if let Some(machine) = self.fleet.up(worker) {
                    machine.draining = true;
                    self.leave_if_done(Fleet::index(worker));
                }
            }
        }
    }

    /// A worker is told to run a session: one that the pool gave it the slot for, or that it has prepared.
    fn assign(&mut self, hold: Hold) {
        let now = self.now;
        let machine = self.fleet.up(hold.worker);
        self.outcomes.push_back(ControlEvent::Sent { hold, accepted: machine.is_some() });
        let Some(machine) = machine else { return };
        let draining = machine.draining;
        let Some(slot) = machine.held(&hold) else { return };
        match *slot {
            SlotUse::Claimed(_) if draining => {
                self.free(Fleet::index(hold.worker), &hold);
                let why = WorkerRefusal::Draining;
                self.outcomes.push_back(ControlEvent::Worker(WorkerEvent::Refused { hold, why }));
            }
            SlotUse::Claimed(_) => {
                *slot = SlotUse::Live(hold, now);
                self.begins(hold);
            }
            SlotUse::Preparing(..) | SlotUse::Prepared(_) => *slot = SlotUse::Live(hold, now),
            SlotUse::Free | SlotUse::Live(..) => {}
        }
    }

    /// A session begins, or goes on after it was cut off.
    fn begins(&mut self, hold: Hold) {
        let (now, measures) = (self.now, self.measures());
        let Some(cell) = self.sessions.get(hold.session) else { return };
        let until = now + cell.left;
        cell.runs = Some((hold, until));
        let wait = now - cell.asked;
        if !std::mem::replace(&mut cell.served, true) && measures {
            self.counts.served(wait);
        }
        self.books.count(now);
        self.books.level.running += 1;
        let (cell, serial) = (OpenSessions::cell_of(hold.session), OpenSessions::serial_of(hold.session));
        self.agenda.plan(until, Later::Over { cell, serial });
        if self.options.detail == BeatDetail::EverySecond {
            let (phase, progress, delivered) = (Phase::Running, FrameProgress::default(), Duration::ZERO);
            let report = SessionReport { hold, phase, progress, delivered, sent_bytes: 0, end: None };
            self.outcomes.push_back(ControlEvent::Worker(WorkerEvent::Report(Box::new(report))));
        }
    }

    fn prepare(&mut self, hold: Hold) {
        let until = self.now + PREPARES;
        let machine = self.fleet.up(hold.worker);
        self.outcomes.push_back(ControlEvent::Sent { hold, accepted: machine.is_some() });
        let Some(machine) = machine else { return };
        let draining = machine.draining;
        let Some(slot) = machine.held(&hold).filter(|slot| matches!(slot, SlotUse::Claimed(_))) else { return };
        if draining {
            self.free(Fleet::index(hold.worker), &hold);
            let why = WorkerRefusal::Draining;
            return self.outcomes.push_back(ControlEvent::Worker(WorkerEvent::Refused { hold, why }));
        }
        *slot = SlotUse::Preparing(hold, until);
        let (machine, slot) = (Fleet::index(hold.worker), hold.slot.0);
        self.agenda.plan(until, Later::Prepared { machine, slot });
    }

    pub(super) fn prepared(&mut self, index: u32, slot: u8) {
        let now = self.now;
        let Some(slot) = self.fleet.get(index).and_then(|machine| machine.slots.get_mut(usize::from(slot))) else {
            return;
        };
        if let SlotUse::Preparing(hold, until) = *slot
            && until == now
        {
            *slot = SlotUse::Prepared(hold);
            self.say_how(index);
        }
    }

    /// A session goes on elsewhere, for as long as it would have gone on.
    fn goes_on(&mut self, from: Hold, (worker, slot): (WorkerId, SlotIndex)) {
        let measures = self.measures();
        let to = Hold { session: from.session, fence: from.fence.next(), worker, slot };
        if let Some((hold, _)) = self.sessions.get(from.session).and_then(|cell| cell.runs.as_mut()) {
            *hold = to;
            self.counts.moved += u64::from(measures);
        }
    }

    /// Starts what is wished for. Nothing is stopped because there is more.
    fn start_machines(&mut self) {
        let (least, most) = self.options.start_up;
        while self.fleet.there < self.fleet.wished {
            let index = self.add_machine();
            let takes = least + (most - least).mul_f64(self.dice_of(index, 2).share());
            self.agenda.plan(self.now + takes, Later::Ready(index));
        }
    }

    /// A machine is given back, by name, and none replaces it.
    fn retire(&mut self, worker: WorkerId) {
        let now: Mono = self.now;
        if self.fleet.get(Fleet::index(worker)).is_some_and(|machine| machine.state == MachineState::Gone) {
            self.books.count(now);
            self.books.level.machines -= 1;
            self.fleet.there -= 1;
            self.fleet.wished = self.fleet.wished.saturating_sub(1);
        }
    }

    /// A draining worker without sessions ends.
    pub(super) fn leave_if_done(&mut self, index: u32) {
        let at = self.now + LEAVES;
        let Some(machine) = self.fleet.get(index).filter(|machine| machine.is_up()) else { return };
        if machine.draining && machine.is_empty() && !machine.leaves {
            machine.leaves = true;
            self.agenda.plan(at, Later::Left(index));
        }
    }
}
