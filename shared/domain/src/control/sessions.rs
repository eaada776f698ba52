//! Sessions coming, ending, and what is due for them.

use super::held::{OpenSession, TimedStep};
use super::{AGAIN_AFTER, Control, ControlEffect, SessionChange, SubmitAnswer};
use crate::fleet::{Hold, WorkerCommand};
use crate::ids::SessionId;
use crate::ledger::{Idempotency, LedgerWrite};
use crate::session::{EndReason, Session, SessionEnd};
use std::time::Duration;

/// A session requeued this often, for whatever reason, is given up.
const MOST_FENCES: u32 = 50;

impl Control {
    pub(super) fn submit(&mut self, session: Box<Session>, idempotency: Option<Idempotency>, max_open: u32) {
        let id = session.id;
        let open = self.open_by_key.get(&session.key).copied().unwrap_or(0);
        let short = self.short_of();
        let retry_after = self.retry_after();
        let wait = self.wait_for(short);
        let refusal = if self.sessions.contains_key(&id) {
            Some(SubmitAnswer::StoreFailed) // ids are random: this is the same submission again
        } else if open >= max_open {
            Some(SubmitAnswer::OverQuota { open, retry_after })
        } else if short > self.settings.queue_limit || wait.is_some_and(|w| w > session.queue_timeout) {
            Some(SubmitAnswer::NoCapacity { retry_after })
        } else {
            None
        };
        if let Some(answer) = refusal {
            if matches!(answer, SubmitAnswer::NoCapacity { .. }) {
                let may_have = max_open.saturating_sub(open);
                self.scaling.turned_away(session.key, may_have, self.now.mono);
            }
            self.out.push(ControlEffect::Answer { session: id, answer });
            return;
        }
        self.creating += 1;
        self.scaling.came(self.now.mono);
        let turn = self.queue.turn();
        self.hold(OpenSession::new((*session).clone(), TimedStep::Creating, turn, self.now.mono));
        self.out.push(ControlEffect::Write(LedgerWrite::Create { session, idempotency }));
    }

    pub(super) fn cancel(&mut self, id: SessionId) {
        self.finish(id, SessionEnd::new(EndReason::Cancelled, None));
    }

    /// Ends a session by this brain's decision.
    pub(super) fn finish(&mut self, id: SessionId, end: SessionEnd) {
        let Some(held) = self.sessions.get_mut(&id) else { return };
        // What is being written is waited for; its outcome comes back to this decision.
        if matches!(held.step, TimedStep::Creating | TimedStep::Requeueing | TimedStep::Ending(_)) {
            held.ending.get_or_insert(end);
            return;
        }
        let step = held.step;
        self.queue.remove(held.turn, self.now.mono);
        held.ending = Some(end.clone());
        let write = LedgerWrite::End {
            session: id,
            fence: held.session.fence,
            end: Box::new(end),
            progress: None,
            delivered: None,
            at: self.now.wall,
        };
        if let Some(hold) = step.may_know() {
            self.write_all_egress(hold);
            self.out.push(ControlEffect::Send { worker: hold.worker, command: WorkerCommand::Stop(hold) });
            self.out.push(ControlEffect::Release(hold));
        } else if let TimedStep::Assigning(hold) = step {
            self.release_claim(hold);
        }
        self.write_end(id, step.hold(), write);
    }

    /// Writes an end; the session is forgotten when that is durable.
    pub(super) fn write_end(&mut self, id: SessionId, hold: Option<Hold>, write: LedgerWrite) {
        if let Some(held) = self.sessions.get_mut(&id) {
            held.step = TimedStep::Ending(hold);
            held.deadline = None;
            self.out.push(ControlEffect::Write(write));
        }
    }

    /// Gives a session's slot up and puts it back into the queue, under a higher fence. `lost`: not by agreement.
    pub(super) fn requeue(&mut self, id: SessionId, lost: bool) {
        let Some(hold) = self.sessions.get(&id).and_then(|held| held.step.hold()) else { return };
        self.write_all_egress(hold);
        let Some(held) = self.sessions.get_mut(&id) else { return };
        let (placements, losses) = (held.session.placements(), held.session.losses + u32::from(lost));
        let given_up = if lost && losses >= self.settings.max_attempts {
            Some(format!("it was lost with its worker {losses} times: they stopped, crashed or could not be reached"))
        } else {
            (placements >= MOST_FENCES).then(|| format!("it was placed {placements} times and could stay nowhere"))
        };
        if let Some(detail) = given_up {
            held.ending.get_or_insert_with(|| SessionEnd::new(EndReason::Lost, detail));
        }
        self.out.push(ControlEffect::Release(hold));
        self.slots.give_back(hold.worker, hold.slot, id);
        let write = LedgerWrite::Requeue { hold, lost, at: self.now.wall };
        held.step = TimedStep::Requeueing;
        held.deadline = None;
        self.out.push(ControlEffect::Write(write));
    }

    /// A session's time has come: looks at what is due.
    pub(super) fn session_due(&mut self, id: SessionId) {
        let now = self.now.mono;
        let Some(held) = self.sessions.get_mut(&id) else { return };
        match held.wake() {
            None => return,
            Some(at) if at > now => return self.session_timers.at_latest(id, at),
            Some(_) => {}
        }
        if let Some(write) = held.again.take() {
            held.deadline = None;
            self.out.push(ControlEffect::Write(*write));
            return;
        }
        match held.step {
            TimedStep::Foreign => {
                held.waiting = now;
                self.enqueue(id);
                self.changed(id);
            }
            TimedStep::Queued => {
                let waited = held.session.queue_timeout.as_secs();
                let detail = format!("no slot became free within {waited} s: try again later or allow a longer wait");
                self.finish(id, SessionEnd::new(EndReason::NoCapacity, detail));
            }
            step if step.may_know().is_some() && held.must_be_over() <= now => {
                let longest = held.session.max_duration.as_secs();
                let detail = format!("it ran for {longest} s, as long as it was allowed to");
                self.finish(id, SessionEnd::new(EndReason::MaxDuration, detail));
            }
            TimedStep::Sending(hold) | TimedStep::Running(hold) => {
                held.step = TimedStep::Checking(hold);
                held.deadline = None;
                self.out.push(ControlEffect::CheckLease(hold));
                self.rearm(id);
            }
            // Nothing is due for these: what they wait for comes back as an event.
            TimedStep::Creating
            | TimedStep::Claiming(_)
            | TimedStep::Assigning(_)
            | TimedStep::Checking(_)
            | TimedStep::Requeueing
            | TimedStep::Ending(_) => {}
        }
    }

    /// Tries a write of unknown fate again, a little later.
    pub(super) fn again(&mut self, id: SessionId, write: LedgerWrite) {
        if let Some(held) = self.sessions.get_mut(&id) {
            held.again = Some(Box::new(write));
            held.deadline = Some(self.now.mono + AGAIN_AFTER);
            self.rearm(id);
        }
    }

    /// There is news of a session: its lease need not be looked at for as long as one lasts. Old news is none.
    pub(super) fn is_alive(&mut self, id: SessionId) {
        if let Some(held) = self.sessions.get_mut(&id) {
            if let TimedStep::Checking(hold) = held.step {
                held.step = TimedStep::Running(hold);
            }
            held.deadline = Some(self.now.mono + self.settings.lease.expiry());
        }
        self.rearm(id);
    }

    /// Sets the current step's deadline, counted from now.
    pub(super) fn deadline(&mut self, id: SessionId, span: Duration) {
        if let Some(held) = self.sessions.get_mut(&id) {
            held.deadline = Some(self.now.mono + span);
        }
        self.rearm(id);
    }

    pub(super) fn rearm(&mut self, id: SessionId) {
        if let Some(at) = self.sessions.get(&id).and_then(|held| held.wake()) {
            self.session_timers.at_latest(id, at);
        }
    }

    /// Starts holding a session.
    pub(super) fn hold(&mut self, held: OpenSession) {
        *self.open_by_key.entry(held.session.key).or_default() += 1;
        self.sessions.insert(held.session.id, Box::new(held));
    }

    /// Stops holding a session and frees what it held.
    pub(super) fn forget(&mut self, id: SessionId) {
        let Some(held) = self.sessions.remove(&id) else { return };
        self.session_timers.cancel(id);
        self.queue.remove(held.turn, self.now.mono);
        if let Some(hold) = held.step.hold() {
            self.slots.give_back(hold.worker, hold.slot, id);
        }
        if held.step == TimedStep::Creating {
            self.creating -= 1;
        }
        if let Some(open) = self.open_by_key.get_mut(&held.session.key) {
            *open -= 1;
            if *open == 0 {
                self.open_by_key.remove(&held.session.key);
            }
        }
        self.ended_lately.insert(id);
    }

    /// Tells whoever watches how a session is now.
    pub(super) fn changed(&mut self, id: SessionId) {
        if let Some(change) = self.session(id) {
            if let Some(held) = self.sessions.get_mut(&id) {
                held.told_position = change.queue_position;
            }
            self.out.push(ControlEffect::Changed(Box::new(change)));
        }
    }

    /// An open session that this brain holds, as it sees it.
    pub fn session(&self, id: SessionId) -> Option<SessionChange> {
        let held = self.sessions.get(&id).filter(|h| h.step != TimedStep::Creating)?;
        Some(SessionChange { session: held.session.clone(), queue_position: self.queue.position(held.turn) })
    }
}
