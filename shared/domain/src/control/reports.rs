//! What workers report of sessions.

use super::held::{Held, Step};
use super::{Control, Effect};
use crate::fleet::{Command, Hold, Refusal, Report};
use crate::ids::SessionId;
use crate::ledger::Write;
use crate::session::{End, EndReason, Phase, Progress};
use crate::time::Wall;
use std::cmp::Ordering;
use std::time::Duration;

impl Control {
    pub(super) fn report(&mut self, report: Report) {
        let Report { hold, phase, progress, delivered, end } = report;
        let id = hold.session;
        let at = self.now.wall;
        let is_ending = |held: &Held| matches!(held.step, Step::Ending(_)) && held.session.fence == hold.fence;
        if phase == Phase::Ended && self.sessions.get(&id).is_some_and(is_ending) {
            // Its end is being written: what was delivered up to it is booked behind that.
            self.out.push(Effect::Write(last_count(&hold, end, progress, delivered, at)));
            return;
        }
        if self.sessions.contains_key(&id) && !self.listen(hold) {
            return;
        }
        if let Some(held) = self.sessions.get_mut(&id)
            && !held.progressed(phase, progress, delivered, at)
        {
            return;
        }
        // A session that this brain does not know is another's: the records decide what the report is worth.
        if phase < Phase::Ended {
            self.out.push(Effect::Write(Write::Advance { hold, phase, progress, delivered, at }));
            self.changed(id);
            self.deadline(id, self.settings.lease.expiry());
            return;
        }
        let write = last_count(&hold, end, progress, delivered, at);
        self.out.push(Effect::Release(hold));
        self.slots.give_back(hold.worker, hold.slot, id);
        if let Some(held) = self.sessions.get(&id) {
            self.service.saw(self.now.mono - held.placed);
            self.write_end(id, Some(hold), write);
        } else {
            self.out.push(Effect::Write(write));
        }
    }

    /// Whether what `hold` says of a session that this brain holds is to be listened to.
    fn listen(&mut self, hold: Hold) -> bool {
        let id = hold.session;
        let Some(held) = self.sessions.get_mut(&id) else { return false };
        match hold.fence.cmp(&held.session.fence) {
            Ordering::Less => {
                self.out.push(Effect::Send { worker: hold.worker, command: Command::Stop(hold) });
                return false;
            }
            // Another brain placed it again.
            Ordering::Greater if !held.writing() => held.session.fence = hold.fence,
            Ordering::Greater => return false,
            Ordering::Equal => {}
        }
        match held.step {
            Step::Creating | Step::Requeueing | Step::Ending(_) => false,
            step if step.may_know() == Some(hold) => {
                held.step = match step {
                    Step::Checking(hold) => Step::Running(hold),
                    other => other,
                };
                true
            }
            // Another brain placed it, here or elsewhere.
            step => {
                if let Some(other) = step.hold().filter(|h| *h != hold) {
                    match step {
                        Step::Assigning(_) => self.release_claim(other),
                        step => self.out.extend(step.may_know().map(Effect::Release)),
                    }
                    self.slots.give_back(other.worker, other.slot, id);
                }
                let Some(held) = self.sessions.get_mut(&id) else { return false };
                self.queue.remove(held.turn, self.now.mono);
                held.session.place = Some((hold.worker, hold.slot));
                held.session.phase = Phase::Assigned;
                held.session.progress = Default::default();
                held.delivered = Default::default();
                self.found_running(id, hold);
                self.sessions.get(&id).is_some_and(|h| h.step == Step::Running(hold))
            }
        }
    }

    /// A worker did not take a session, or gave it up.
    pub(super) fn refused(&mut self, hold: Hold, why: Refusal) {
        let id = hold.session;
        match why {
            Refusal::Draining | Refusal::Leaving => self.slots.drain(hold.worker),
            Refusal::SlotTaken => self.slots.not_ours(hold.worker, hold.slot, id),
            Refusal::LeaseLost => {}
        }
        self.given_up(hold, why == Refusal::LeaseLost);
    }

    /// A session is no longer where it was.
    pub(super) fn given_up(&mut self, hold: Hold, lost: bool) {
        let id: SessionId = hold.session;
        match self.sessions.get(&id) {
            Some(held) if held.step.may_know() == Some(hold) => self.requeue(id, lost),
            Some(_) => {}
            None => {
                self.out.push(Effect::Write(Write::Requeue { hold, at: self.now.wall }));
            }
        }
    }

    pub(super) fn returned(&mut self, command: &Command) {
        if let Command::Assign(assignment) = command {
            self.given_up(assignment.hold, false);
        }
    }
}

/// What a worker's last report writes.
fn last_count(hold: &Hold, end: Option<End>, progress: Progress, delivered: Duration, at: Wall) -> Write {
    let unsaid = || End::new(EndReason::Failed, "its worker said that it ended, but not how".to_owned());
    Write::End {
        session: hold.session,
        fence: hold.fence,
        end: Box::new(end.unwrap_or_else(unsaid)),
        progress: Some(progress),
        delivered: Some((hold.worker, hold.slot, delivered)),
        at,
    }
}
