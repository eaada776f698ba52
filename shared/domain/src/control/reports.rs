//! What workers report of sessions.

use super::held::{OpenSession, TimedStep};
use super::{Control, ControlEffect};
use crate::fleet::{Hold, SessionReport, WorkerCommand, WorkerRefusal};
use crate::ids::SessionId;
use crate::ledger::LedgerWrite;
use crate::session::{EndReason, FrameProgress, Phase, SessionEnd, SessionKind};
use crate::time::Wall;
use std::cmp::Ordering;
use std::time::Duration;

/// Nothing is placed for so long where a lease could not be kept, if there is room elsewhere.
const SHUNNED_FOR: Duration = Duration::from_secs(10);

impl Control {
    pub(super) fn report(&mut self, report: SessionReport) {
        let SessionReport { hold, phase, progress, delivered, sent_bytes, end } = report;
        let id = hold.session;
        let at = self.now.wall;
        let is_ending =
            |held: &OpenSession| matches!(held.step, TimedStep::Ending(_)) && held.session.fence == hold.fence;
        if phase == Phase::Ended && self.sessions.get(&id).is_some_and(|held| is_ending(held)) {
            // Its end is being written: what was delivered up to it is booked behind that.
            self.note_egress(hold, sent_bytes, true);
            self.out.push(ControlEffect::Write(last_count(&hold, end, progress, delivered, at)));
            return;
        }
        if self.sessions.contains_key(&id) && !self.listen(hold) {
            return;
        }
        self.note_egress(hold, sent_bytes, phase == Phase::Ended);
        if let Some(held) = self.sessions.get_mut(&id)
            && !held.progressed(phase, progress, delivered, at)
        {
            return;
        }
        // A session that this brain does not know is another's: the records decide what the report is worth.
        if phase < Phase::Ended {
            self.out.push(ControlEffect::Write(LedgerWrite::Advance { hold, phase, progress, delivered, at }));
            self.changed(id);
            self.is_alive(id);
            return;
        }
        let write = last_count(&hold, end, progress, delivered, at);
        self.out.push(ControlEffect::Release(hold));
        self.slots.give_back(hold.worker, hold.slot, id);
        if let Some(held) = self.sessions.get(&id) {
            self.service.saw(self.now.mono - held.placed);
            self.write_end(id, Some(hold), write);
        } else {
            self.out.push(ControlEffect::Write(write));
        }
    }

    /// Notes what viewers were sent, and has it written down when that is worth it or when nothing more comes.
    fn note_egress(&mut self, hold: Hold, total: u64, last: bool) {
        let Some(held) = self.sessions.get_mut(&hold.session) else {
            // Another brain's: the records know what of it is new.
            if last && total > 0 {
                self.write_egress(hold, total);
            }
            return;
        };
        let due = held.sent.reported(total).or_else(|| if last { held.sent.rest() } else { None });
        if let Some(total) = due {
            self.write_egress(hold, total);
        }
    }

    /// Has written down what is known to have been sent under a hold that is given up.
    pub(super) fn write_all_egress(&mut self, hold: Hold) {
        if let Some(total) = self.sessions.get_mut(&hold.session).and_then(|held| held.sent.rest()) {
            self.write_egress(hold, total);
        }
    }

    fn write_egress(&mut self, hold: Hold, sent_bytes: u64) {
        self.out.push(ControlEffect::Write(LedgerWrite::Egress { hold, sent_bytes, at: self.now.wall }));
    }

    /// Whether what `hold` says of a session that this brain holds is to be listened to.
    fn listen(&mut self, hold: Hold) -> bool {
        let id = hold.session;
        let moved_from = self.moved_from(hold);
        let Some(held) = self.sessions.get_mut(&id) else { return false };
        match hold.fence.cmp(&held.session.fence) {
            Ordering::Less => {
                let moved = self.may_have_moved(hold);
                self.is_outdated(hold, moved);
                return false;
            }
            // Another brain placed it again, or moved it.
            Ordering::Greater if !held.writing() => {
                held.session.fence = hold.fence;
                held.session.moved_from = moved_from.map(|before| (before.worker, before.slot));
                held.session.moves += u32::from(moved_from.is_some());
            }
            Ordering::Greater => return false,
            Ordering::Equal => {}
        }
        match held.step {
            TimedStep::Creating | TimedStep::Requeueing | TimedStep::Ending(_) => false,
            step if step.may_know() == Some(hold) => true,
            // Another brain placed it, here or elsewhere.
            step => {
                if let Some(other) = step.hold().filter(|h| *h != hold) {
                    match step {
                        TimedStep::Assigning(_) => self.release_claim(other),
                        // Its old worker lets go by itself, once its viewers have gone.
                        _ if moved_from.is_some() => {}
                        step => self.out.extend(step.may_know().map(ControlEffect::Release)),
                    }
                    self.slots.give_back(other.worker, other.slot, id);
                }
                let Some(held) = self.sessions.get_mut(&id) else { return false };
                self.queue.remove(held.turn, self.now.mono);
                held.session.place = Some((hold.worker, hold.slot));
                held.session.phase = Phase::Assigned;
                held.session.progress = Default::default();
                held.counts_anew();
                self.found_running(id, hold);
                self.sessions.get(&id).is_some_and(|h| h.step == TimedStep::Running(hold))
            }
        }
    }

    /// A worker did not take a session, or gave it up.
    pub(super) fn refused(&mut self, hold: Hold, why: WorkerRefusal) {
        let id = hold.session;
        match why {
            WorkerRefusal::Draining | WorkerRefusal::Leaving => self.slots.drain(hold.worker, self.now.mono),
            WorkerRefusal::SlotTaken => self.slots.not_ours(hold.worker, hold.slot, id),
            WorkerRefusal::LeaseLost => self.slots.shun(hold.worker, self.now.mono + SHUNNED_FOR),
            WorkerRefusal::NotPrepared => {}
        }
        if self.move_refused(hold) {
            return;
        }
        if why == WorkerRefusal::NotPrepared {
            return self.doubt(hold);
        }
        self.given_up(hold, why == WorkerRefusal::LeaseLost);
    }

    /// What was prepared in vain may have been prepared there once more, and have moved: news of the first time may be late. The pool
    /// knows.
    fn doubt(&mut self, hold: Hold) {
        if let Some(held) = self.sessions.get_mut(&hold.session).filter(|held| held.step == TimedStep::Running(hold)) {
            held.step = TimedStep::Checking(hold);
            held.deadline = None;
            self.out.push(ControlEffect::CheckLease(hold));
            self.rearm(hold.session);
        }
    }

    /// A session is no longer where it was.
    pub(super) fn given_up(&mut self, hold: Hold, lost: bool) {
        let id: SessionId = hold.session;
        match self.sessions.get(&id) {
            Some(held) if held.step.may_know() == Some(hold) => self.requeue(id, lost),
            Some(_) => {}
            None => {
                self.out.push(ControlEffect::Write(LedgerWrite::Requeue { hold, lost, at: self.now.wall }));
            }
        }
    }

    pub(super) fn returned(&mut self, command: &WorkerCommand) {
        match command {
            WorkerCommand::Assign(assignment) => self.given_up(assignment.hold, false),
            WorkerCommand::Prepare(assignment) => {
                self.move_refused(assignment.hold);
            }
            WorkerCommand::LetGo(_) | WorkerCommand::Stop(_) | WorkerCommand::HandOver(_) | WorkerCommand::Drain => {}
        }
    }

    /// Where a session was before a report under the next fence, if that means that another brain moved it: away from a worker that
    /// drains.
    fn moved_from(&self, hold: Hold) -> Option<Hold> {
        let held = self.sessions.get(&hold.session).filter(|held| held.session.kind == SessionKind::Live)?;
        let before = held.step.may_know().filter(|before| before.fence.next() == hold.fence)?;
        self.slots.get(before.worker)?.draining.then_some(before)
    }
}

/// What a worker's last report writes.
fn last_count(
    hold: &Hold,
    end: Option<SessionEnd>,
    progress: FrameProgress,
    delivered: Duration,
    at: Wall,
) -> LedgerWrite {
    let unsaid = || SessionEnd::new(EndReason::Failed, "its worker said that it ended, but not how".to_owned());
    LedgerWrite::End {
        session: hold.session,
        fence: hold.fence,
        end: Box::new(end.unwrap_or_else(unsaid)),
        progress: Some(progress),
        delivered: Some((hold.worker, hold.slot, delivered)),
        at,
    }
}
