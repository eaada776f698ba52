//! What became of effects: writes, claims, sendings, lease checks.

use super::held::{OpenSession, TimedStep};
use super::{Control, ControlEffect, SubmitAnswer};
use crate::fleet::{Assignment, Hold, WorkerCommand};
use crate::ids::SessionId;
use crate::ledger::{LedgerWrite, WriteOutcome};
use crate::session::{EndReason, Phase, Session};
use std::sync::Arc;
use std::time::Duration;

/// A lease that the pool says still lasts is looked at again no sooner than this.
const SOONEST_CHECK: Duration = Duration::from_millis(100);

impl Control {
    pub(super) fn written(&mut self, write: LedgerWrite, outcome: Option<WriteOutcome>) {
        match &write {
            LedgerWrite::Create { session, .. } => self.created(session.id, outcome),
            LedgerWrite::Assign { hold, .. } => self.assigned(*hold, &write, outcome),
            LedgerWrite::Move { from, .. } => self.moved(*from, &write, outcome),
            LedgerWrite::Requeue { hold, .. } => self.requeued(hold.session, write, outcome),
            LedgerWrite::Advance { hold, .. } => self.advanced(*hold, outcome),
            LedgerWrite::End { session, .. } => self.ended(*session, write, outcome),
            // Booked again, cumulatively, with the next one; of a placement that is over, the last report interval at most is lost.
            LedgerWrite::Machine { .. } | LedgerWrite::Egress { .. } | LedgerWrite::HandedOver { .. } => {}
        }
    }

    fn created(&mut self, id: SessionId, outcome: Option<WriteOutcome>) {
        let Some(held) = self.sessions.get_mut(&id).filter(|h| h.step == TimedStep::Creating) else { return };
        let answer = match outcome {
            Some(WriteOutcome::Applied) => {
                self.creating -= 1;
                (held.waiting, held.on_record) = (self.now.mono, self.now.mono);
                let session = held.session.clone();
                self.out.push(ControlEffect::Answer { session: id, answer: SubmitAnswer::Accepted(Box::new(session)) });
                self.enqueue(id);
                self.changed(id);
                self.finish_if_wanted(id);
                return;
            }
            Some(WriteOutcome::Repeated { session, same: true }) => SubmitAnswer::Repeated(session),
            Some(WriteOutcome::Repeated { same: false, .. }) => SubmitAnswer::TokenReused,
            // Should it be in the records after all, the next sweep finds it there.
            Some(WriteOutcome::Stale(_)) | None => SubmitAnswer::StoreFailed,
        };
        self.forget(id);
        self.ended_lately.remove(&id);
        self.out.push(ControlEffect::Answer { session: id, answer });
    }

    pub(super) fn claimed(&mut self, hold: Hold, granted: bool) {
        if self.move_claimed(hold, granted) {
            return;
        }
        let id = hold.session;
        match self.sessions.get_mut(&id) {
            Some(held) if held.step == TimedStep::Claiming(hold) => {
                if granted {
                    held.step = TimedStep::Assigning(hold);
                    self.out.push(ControlEffect::Write(LedgerWrite::Assign { hold, at: self.now.wall }));
                } else {
                    self.slots.not_ours(hold.worker, hold.slot, id);
                    self.enqueue(id);
                }
            }
            Some(held) if held.step.may_know() == Some(hold) => {}
            // It was decided otherwise in the meantime. Only a claim that was granted to this brain may be released: an
            // equal one can be another brain's.
            _ if granted => self.out.push(ControlEffect::Release(hold)),
            _ => {}
        }
    }

    fn assigned(&mut self, hold: Hold, write: &LedgerWrite, outcome: Option<WriteOutcome>) {
        let id = hold.session;
        let Some(held) = self.sessions.get_mut(&id).filter(|h| h.step == TimedStep::Assigning(hold)) else { return };
        match outcome {
            Some(WriteOutcome::Applied) => {
                write.carry_out(&mut held.session);
                held.placed = self.now.mono;
                held.placed_here = true;
                held.step = TimedStep::Sending(hold);
                let assignment = Assignment {
                    hold,
                    kind: held.session.kind,
                    spec: Arc::clone(&held.session.spec),
                    lease: self.settings.lease,
                };
                self.out.push(ControlEffect::Send {
                    worker: hold.worker,
                    command: WorkerCommand::Assign(Box::new(assignment)),
                });
                self.changed(id);
                self.deadline(id, self.settings.lease.expiry());
            }
            Some(WriteOutcome::Stale(row)) => {
                self.release_claim(hold);
                self.overtaken(id, row);
            }
            // Perhaps recorded, certainly not sent. Nothing may be believed of it until the records tell: another brain may
            // make the same choice.
            Some(WriteOutcome::Repeated { .. }) | None => {
                self.release_claim(hold);
                self.slots.give_back(hold.worker, hold.slot, id);
                if let Some(held) = self.sessions.get_mut(&id) {
                    held.step = TimedStep::Foreign;
                }
                self.deadline(id, self.settings.adopt_after);
                self.finish_if_wanted(id);
            }
        }
    }

    /// Releases a claim that nobody was told of, while it is certainly still this brain's: once it has expired an equal one
    /// can be another's. (This brain counts from before it asked, so it never counts too long.)
    pub(super) fn release_claim(&mut self, hold: Hold) {
        let asked = self.sessions.get(&hold.session).map(|h| h.placed);
        if asked.is_some_and(|at| self.now.mono - at < self.settings.lease.expiry()) {
            self.out.push(ControlEffect::Release(hold));
        }
    }

    pub(super) fn sent(&mut self, hold: Hold, accepted: bool) {
        if self.move_sent(hold, accepted) {
            return;
        }
        let id = hold.session;
        let waiting = [TimedStep::Sending(hold), TimedStep::Checking(hold)];
        let Some(held) = self.sessions.get_mut(&id).filter(|h| waiting.contains(&h.step)) else { return };
        if !accepted {
            self.lose_worker(hold.worker);
            self.requeue(id, false);
        } else if held.step == TimedStep::Sending(hold) {
            held.step = TimedStep::Running(hold);
        }
    }

    fn requeued(&mut self, id: SessionId, write: LedgerWrite, outcome: Option<WriteOutcome>) {
        let Some(held) = self.sessions.get_mut(&id).filter(|h| h.step == TimedStep::Requeueing) else { return };
        match outcome {
            Some(WriteOutcome::Applied) => {
                write.carry_out(&mut held.session);
                held.counts_anew();
                held.waiting = self.now.mono;
                self.enqueue(id);
                self.changed(id);
                self.finish_if_wanted(id);
            }
            Some(WriteOutcome::Stale(row)) => {
                // It was somebody else's to lose.
                held.ending.take_if(|end| end.reason == EndReason::Lost);
                self.overtaken(id, row);
            }
            Some(WriteOutcome::Repeated { .. }) | None => self.again(id, write),
        }
    }

    /// Ends a session whose end was decided while a write was under way.
    fn finish_if_wanted(&mut self, id: SessionId) {
        if let Some(end) = self.sessions.get_mut(&id).and_then(|h| h.ending.take()) {
            self.finish(id, end);
        }
    }

    fn advanced(&mut self, hold: Hold, outcome: Option<WriteOutcome>) {
        let Some(WriteOutcome::Stale(row)) = outcome else { return };
        let id = hold.session;
        let row = row.map(|r| *r);
        // Whoever runs it must not: the record has gone on without it.
        let outdated = row.as_ref().is_none_or(|r| r.fence > hold.fence || r.phase == Phase::Ended);
        if outdated {
            let moved = row.as_ref().is_some_and(|r| r.handed_over() == Some(hold));
            self.is_outdated(hold, moved);
        }
        let behind = |h: &OpenSession, r: &Session| r.version() > h.session.version() && !h.writing();
        match (self.sessions.get(&id), row) {
            (Some(held), Some(row)) if behind(held, &row) => self.overtaken(id, Some(Box::new(row))),
            _ => {}
        }
    }

    fn ended(&mut self, id: SessionId, write: LedgerWrite, outcome: Option<WriteOutcome>) {
        let LedgerWrite::End { fence, .. } = &write else { return };
        let Some(held) = self.sessions.get_mut(&id) else { return };
        if !matches!(held.step, TimedStep::Ending(_)) || held.session.fence != *fence {
            return;
        }
        match outcome {
            Some(WriteOutcome::Applied) => {
                write.carry_out(&mut held.session);
                self.changed(id);
                self.forget(id);
            }
            Some(WriteOutcome::Stale(row)) => self.overtaken(id, row),
            Some(WriteOutcome::Repeated { .. }) | None => self.again(id, write),
        }
    }

    pub(super) fn lease(&mut self, hold: Hold, remaining: Option<Duration>) {
        let id = hold.session;
        let Some(held) = self.sessions.get_mut(&id).filter(|h| h.step == TimedStep::Checking(hold)) else { return };
        match remaining {
            Some(left) => {
                held.step = TimedStep::Running(hold);
                self.deadline(id, left.max(SOONEST_CHECK));
            }
            None => self.requeue(id, true),
        }
    }

    /// The records went on without this brain: takes over what they say.
    pub(super) fn overtaken(&mut self, id: SessionId, row: Option<Box<Session>>) {
        let Some(held) = self.sessions.get_mut(&id) else { return };
        let Some(row) = row else { return self.forget(id) };
        if let Some(hold) = held.step.hold() {
            self.slots.give_back(hold.worker, hold.slot, id);
        }
        self.queue.remove(held.turn, self.now.mono);
        held.again = None;
        held.deadline = None;
        if held.session.fence != row.fence {
            held.counts_anew();
        }
        let before = held.session.delivered_before.max(row.delivered_before);
        held.session = Session { delivered_before: before, ..*row };
        match (held.session.phase, held.recorded_hold()) {
            (Phase::Ended, _) => {
                held.step = TimedStep::Queued;
                self.changed(id);
                self.forget(id);
            }
            (Phase::Requested, _) | (_, None) => {
                // Whoever put it back is about to place it: watched before it is taken over.
                held.step = TimedStep::Foreign;
                self.changed(id);
                self.deadline(id, self.settings.adopt_after);
                self.finish_if_wanted(id);
            }
            (_, Some(hold)) => self.found_running(id, hold),
        }
    }

    /// A session runs where this brain did not know it to.
    pub(super) fn found_running(&mut self, id: SessionId, hold: Hold) {
        let Some(held) = self.sessions.get_mut(&id) else { return };
        held.step = TimedStep::Running(hold);
        held.placed = self.now.mono;
        held.placed_here = false;
        self.slots.take(hold.worker, hold.slot, id);
        self.changed(id);
        self.deadline(id, self.settings.lease.expiry());
        self.finish_if_wanted(id);
    }
}
