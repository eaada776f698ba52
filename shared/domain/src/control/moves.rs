//! Moving live sessions away from a worker that drains, before it leaves.
//!
//! A live session has people before it, so it is not stopped and placed again: it gets a second slot elsewhere first.
//!
//! ```text
//! Claiming ──claimed──> Preparing ──heartbeat: prepared──> Writing ──Written(Move)──> over: HandOver to the old worker,
//!    │                      │                                 │                       Assign to the new one
//!    └── refused, the session or its new worker is gone, too late: let go of there, it stays where it is, tries again
//! ```
//! The session itself stays [`TimedStep::Running`] under its fence until the records say that it has moved; until then nothing of
//! this is known outside of the brain, and whatever happens to the session goes before. What the new worker holds is nothing but
//! a claim in the pool for the *next* fence. From when it was told of it the claim is its own: no brain releases it, since another
//! one may just have moved the session there. It is asked to let go, which it does if that has not come about.
//!
//! Readiness is told by heartbeats, over and over, and any brain that hears of it may write the move: its condition lets one of
//! them win. A brain that dies in the middle of it leaves nothing that another one would have to know.

use super::held::TimedStep;
use super::slots::KnownWorker;
use super::{Control, ControlEffect};
use crate::fleet::{Assignment, Hold, WorkerCommand};
use crate::ids::{SessionId, WorkerId};
use crate::ledger::{LedgerWrite, WriteOutcome};
use crate::session::{Phase, Session, SessionKind};
use crate::time::Mono;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Sessions that one brain moves at a time.
const MOVING: usize = 64;
/// A worker that has not prepared a session for so long is not waited for any longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// After a move that did not come about the next is tried after this, doubled with each ...
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// ... up to so long.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Where a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MoveStep {
    /// The pool is asked for the slot.
    Claiming,
    /// The new worker gets ready, until then.
    Preparing(Mono),
    /// The records are being asked.
    Writing,
}

/// A session on its way from one worker to another.
#[derive(Debug, Clone, Copy)]
struct SessionMove {
    from: Hold,
    to: Hold,
    step: MoveStep,
}

/// All that are under way.
#[derive(Debug, Default)]
pub(super) struct Moves(BTreeMap<SessionId, SessionMove>);

impl Moves {
    fn to(&self, hold: Hold) -> Option<&SessionMove> {
        self.0.get(&hold.session).filter(|moving| moving.to == hold)
    }
}

/// What becomes of a move.
enum MoveProspect {
    GoesOn,
    /// The session is there already: another brain was faster.
    CameAbout,
    Pointless,
}

impl Control {
    /// Drops what has become pointless, then begins what can be. To be called once an event was dealt with.
    pub(super) fn move_sessions(&mut self) {
        self.drop_pointless_moves();
        if !self.slots.tally().leaving().is_empty() {
            self.begin_moves();
        }
    }

    fn drop_pointless_moves(&mut self) {
        let all: Vec<SessionMove> = self.moves.0.values().copied().collect();
        for moving in all {
            match self.prospect(&moving) {
                MoveProspect::GoesOn => {}
                MoveProspect::CameAbout => {
                    self.moves.0.remove(&moving.to.session);
                }
                MoveProspect::Pointless => self.give_up_move(moving.to.session),
            }
        }
    }

    fn prospect(&self, moving: &SessionMove) -> MoveProspect {
        let at = self.sessions.get(&moving.to.session).and_then(|held| held.step.may_know());
        let is_open = self.slots.get(moving.to.worker).is_some_and(KnownWorker::open);
        match at {
            // What the records say of it is on its way.
            _ if moving.step == MoveStep::Writing => MoveProspect::GoesOn,
            _ if matches!(moving.step, MoveStep::Preparing(until) if until <= self.now.mono) => MoveProspect::Pointless,
            Some(hold) if hold == moving.to => MoveProspect::CameAbout,
            Some(hold) if hold == moving.from && is_open => MoveProspect::GoesOn,
            _ => MoveProspect::Pointless,
        }
    }

    /// Takes back what was done for a move.
    fn give_up_move(&mut self, id: SessionId) {
        let Some(SessionMove { to, step, .. }) = self.moves.0.remove(&id) else { return };
        self.slots.give_back(to.worker, to.slot, id);
        if step != MoveStep::Claiming {
            self.let_go(to);
        }
        if let Some(held) = self.sessions.get_mut(&id) {
            let pause = FIRST_PAUSE.saturating_mul(1 << held.moves_failed.min(8)).min(LONGEST_PAUSE);
            held.moves_failed += 1;
            held.move_after = self.now.mono + pause;
        }
    }

    fn begin_moves(&mut self) {
        let leaving: Vec<WorkerId> = self.slots.tally().leaving().iter().copied().collect();
        for worker in leaving {
            let Some(known) = self.slots.get(worker) else { continue };
            let long_enough = known.drains_since.is_some_and(|at| self.now.mono - at >= self.settings.adopt_after);
            let there: Vec<SessionId> = known.slots().filter_map(|(_, session)| session).collect();
            for id in there {
                if self.moves.0.len() >= MOVING || self.slots.free() == 0 {
                    return;
                }
                if self.may_move(id, worker, long_enough) {
                    self.begin_move(id);
                }
            }
        }
    }

    /// Whether a session is to be moved away from a worker, by this brain and now. Those that another brain placed are left to
    /// that one for a while: two that prepare the same would do no harm, but take two slots.
    fn may_move(&self, id: SessionId, from: WorkerId, long_enough: bool) -> bool {
        let Some(held) = self.sessions.get(&id) else { return false };
        let runs = running(held.step).is_some_and(|hold| hold.worker == from) && held.session.phase == Phase::Running;
        let is_ours = held.placed_here || long_enough;
        held.session.kind == SessionKind::Live
            && runs
            && is_ours
            && held.move_after <= self.now.mono
            && !self.moves.0.contains_key(&id)
    }

    fn begin_move(&mut self, id: SessionId) {
        let Some(held) = self.sessions.get(&id) else { return };
        let Some(from) = running(held.step) else { return };
        let Some((worker, slot)) = self.slots.take_best(id, &held.session.spec.content) else { return };
        let to = Hold { session: id, fence: from.fence.next(), worker, slot };
        self.moves.0.insert(id, SessionMove { from, to, step: MoveStep::Claiming });
        self.out.push(ControlEffect::Claim { hold: to, expiry: self.settings.lease.expiry() });
    }

    /// The pool answered; false if that was not about a move.
    pub(super) fn move_claimed(&mut self, hold: Hold, granted: bool) -> bool {
        let id = hold.session;
        match self.moves.to(hold).map(|moving| moving.step) {
            None => false,
            Some(MoveStep::Claiming) if granted => {
                self.set_move_step(id, MoveStep::Preparing(self.now.mono + PATIENCE));
                self.command(hold, WorkerCommand::Prepare);
                true
            }
            Some(MoveStep::Claiming) => {
                // Before it is given back: somebody else has the slot.
                self.slots.not_ours(hold.worker, hold.slot, id);
                self.give_up_move(id);
                true
            }
            // An older question for the same slot.
            Some(MoveStep::Preparing(_) | MoveStep::Writing) => true,
        }
    }

    /// The new worker was told, or could not be; false if that was not about a move.
    pub(super) fn move_sent(&mut self, hold: Hold, accepted: bool) -> bool {
        let is_preparing = self.moves.to(hold).is_some_and(|moving| matches!(moving.step, MoveStep::Preparing(_)));
        if is_preparing && !accepted {
            self.lose_worker(hold.worker);
            self.give_up_move(hold.session);
        }
        is_preparing
    }

    /// The new worker does not want it, or never got the command; false if that was not about a move.
    pub(super) fn move_refused(&mut self, hold: Hold) -> bool {
        let is_ours = self.moves.to(hold).is_some_and(|moving| moving.step != MoveStep::Writing);
        if is_ours {
            self.give_up_move(hold.session);
        }
        is_ours
    }

    /// A heartbeat lists a session as ready to be moved there.
    pub(super) fn prepared(&mut self, hold: Hold) {
        let id = hold.session;
        let Some(held) = self.sessions.get(&id) else { return };
        let from = running(held.step).filter(|_| held.session.phase == Phase::Running);
        match from {
            // It has moved, and that was not told there yet.
            Some(here) if here == hold => self.command(hold, WorkerCommand::Assign),
            Some(from) if from.fence.next() == hold.fence => self.write_move(from, hold),
            // It runs elsewhere under that fence, or a later one.
            Some(from) if from.fence >= hold.fence => self.let_go(hold),
            _ => {}
        }
    }

    fn write_move(&mut self, from: Hold, to: Hold) {
        let id = to.session;
        match self.moves.0.get(&id) {
            Some(moving) if moving.step == MoveStep::Writing => return,
            Some(moving) if moving.to == to => {}
            // Another brain had it prepared, and is ready sooner.
            Some(_) => self.give_up_move(id),
            None => {}
        }
        self.slots.take(to.worker, to.slot, id);
        self.moves.0.insert(id, SessionMove { from, to, step: MoveStep::Writing });
        self.write_all_egress(from);
        let write = LedgerWrite::Move { from, to: (to.worker, to.slot), at: self.now.wall };
        self.out.push(ControlEffect::Write(write));
    }

    /// The records answered.
    pub(super) fn moved(&mut self, from: Hold, write: &LedgerWrite, outcome: Option<WriteOutcome>) {
        let id = from.session;
        let is_writing = |moving: &&SessionMove| moving.step == MoveStep::Writing && moving.from == from;
        let Some(to) = self.moves.0.get(&id).filter(is_writing).map(|moving| moving.to) else { return };
        match outcome {
            Some(WriteOutcome::Applied) => {
                self.moves.0.remove(&id);
                self.goes_on_at(from, to, write);
            }
            Some(WriteOutcome::Stale(row)) => {
                let is_there = row.as_ref().is_some_and(|row| is_at(row, to));
                if is_there {
                    self.moves.0.remove(&id);
                    self.slots.give_back(to.worker, to.slot, id);
                } else {
                    self.give_up_move(id);
                }
                let newer = |row: &Session| {
                    self.sessions.get(&id).is_some_and(|h| row.version() > h.session.version() && !h.writing())
                };
                if row.as_ref().is_some_and(|row| newer(row)) {
                    self.overtaken(id, row);
                }
            }
            // Nobody knows: the next heartbeat asks again.
            Some(WriteOutcome::Repeated { .. }) | None => {
                self.set_move_step(id, MoveStep::Preparing(self.now.mono + PATIENCE));
            }
        }
    }

    /// It is on record: both workers are told, and whoever watches.
    fn goes_on_at(&mut self, from: Hold, to: Hold, write: &LedgerWrite) {
        let id = to.session;
        let Some(held) = self.sessions.get_mut(&id).filter(|held| running(held.step) == Some(from)) else {
            // Something else was decided meanwhile. What is being written finds it moved, and is decided anew.
            return self.slots.give_back(to.worker, to.slot, id);
        };
        write.carry_out(&mut held.session);
        held.counts_anew();
        held.step = TimedStep::Running(to);
        held.placed = self.now.mono;
        held.placed_here = true;
        (held.moves_failed, held.move_after) = (0, self.now.mono);
        self.slots.give_back(from.worker, from.slot, id);
        self.out.push(ControlEffect::Send { worker: from.worker, command: WorkerCommand::HandOver(from) });
        self.command(to, WorkerCommand::Assign);
        self.changed(id);
        self.deadline(id, self.settings.lease.expiry());
    }

    /// What was prepared on a worker is not needed there.
    fn let_go(&mut self, hold: Hold) {
        self.out.push(ControlEffect::Send { worker: hold.worker, command: WorkerCommand::LetGo(hold) });
    }

    /// A worker runs what goes on elsewhere, or is over. What was `moved` away is shown there until its viewers have gone, too.
    pub(super) fn is_outdated(&mut self, hold: Hold, moved: bool) {
        let command = if moved { WorkerCommand::HandOver(hold) } else { WorkerCommand::Stop(hold) };
        self.out.push(ControlEffect::Send { worker: hold.worker, command });
    }

    /// Whether the session that this was the placement of was moved away from there, as far as this brain knows: another one may
    /// have done it.
    pub(super) fn may_have_moved(&self, hold: Hold) -> bool {
        let Some(held) = self.sessions.get(&hold.session) else { return false };
        let drains = self.slots.get(hold.worker).is_some_and(|worker| worker.draining);
        let is_next = held.session.kind == SessionKind::Live && held.session.fence == hold.fence.next();
        held.session.handed_over() == Some(hold) || (is_next && drains)
    }

    fn set_move_step(&mut self, id: SessionId, step: MoveStep) {
        if let Some(moving) = self.moves.0.get_mut(&id) {
            moving.step = step;
        }
    }

    /// Tells a worker about one of its slots.
    fn command(&mut self, hold: Hold, command: impl FnOnce(Box<Assignment>) -> WorkerCommand) {
        let Some(held) = self.sessions.get(&hold.session) else { return };
        let assignment = Assignment {
            hold,
            kind: held.session.kind,
            spec: Arc::clone(&held.session.spec),
            lease: self.settings.lease,
        };
        self.out.push(ControlEffect::Send { worker: hold.worker, command: command(Box::new(assignment)) });
    }
}

/// Where a session runs.
fn running(step: TimedStep) -> Option<Hold> {
    match step {
        TimedStep::Running(hold) | TimedStep::Checking(hold) => Some(hold),
        _ => None,
    }
}

/// A record says that it is there.
fn is_at(row: &Session, hold: Hold) -> bool {
    row.fence == hold.fence && row.place == Some((hold.worker, hold.slot))
}
