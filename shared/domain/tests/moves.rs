//! A live session is moved away from a worker that drains, step by step, to one that has another engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod common;

use mouthpiece_domain::control::{Control, ControlEffect, ControlEvent, ControlSettings};
use mouthpiece_domain::fleet::{
    Capability, Heartbeat, Hold, RunningSession, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal,
};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{Fence, FrameProgress, Phase, Session, SessionKind, SlotIndex};
use mouthpiece_domain::time::{Mono, Now, Wall};
use std::time::Duration;

const SESSION: SessionId = SessionId(1);
const OLD: WorkerId = WorkerId(7);
const NEW: WorkerId = WorkerId(8);

fn hold(fence: u32, worker: WorkerId) -> Hold {
    Hold { session: SESSION, fence: Fence(fence), worker, slot: SlotIndex(0) }
}

fn here() -> Hold {
    hold(1, OLD)
}

fn there() -> Hold {
    hold(2, NEW)
}

/// What a worker says of itself, and of a session that it has or prepared.
fn beat(worker: WorkerId, up: u64, draining: bool, runs: Option<(Hold, bool)>) -> Heartbeat {
    let running = runs.map(|(hold, prepared)| RunningSession {
        session: hold.session,
        fence: hold.fence,
        slot: hold.slot,
        phase: if prepared { Phase::Preparing } else { Phase::Running },
        progress: FrameProgress::default(),
        delivered: Duration::ZERO,
        prepared,
    });
    Heartbeat {
        worker,
        capability: Capability {
            name: "w".into(),
            // Of two engines: a session is bound to none.
            engine: if worker == OLD { "puppet/1" } else { "musetalk/1" }.into(),
            instance_type: "local".into(),
            slots: 1,
            frames_per_second: 60,
            impaired: None,
            machine: None,
        },
        address: None,
        draining,
        uptime: Duration::from_secs(up),
        busy: Duration::ZERO,
        resident: Vec::new(),
        running: running.into_iter().collect(),
        ended: Vec::new(),
    }
}

/// The record as it is once the session has moved.
fn moved_record() -> Session {
    let first = common::session(SESSION, Duration::from_secs(60));
    Session {
        kind: SessionKind::Live,
        fence: Fence(2),
        phase: Phase::Running,
        place: Some((NEW, SlotIndex(0))),
        moved_from: Some((OLD, SlotIndex(0))),
        moves: 1,
        ..first
    }
}

struct Brain {
    control: Control,
    now: Now,
    up: u64,
}

impl Brain {
    /// One that knows both workers and nothing else.
    fn new() -> Self {
        let now = Now { mono: Mono(10_000), wall: Wall(0) };
        let mut brain = Self { control: Control::new(ControlSettings::default(), now), now, up: 100 };
        brain.tell(ControlEvent::Roster(Vec::new()));
        brain.tell(ControlEvent::Swept(Vec::new()));
        brain
    }

    /// One whose live session runs on the old worker; the new one is there, too.
    fn running(kind: SessionKind) -> Self {
        let mut brain = Self::new();
        brain.beats(OLD, false, None);
        let session = Session { kind, ..common::session(SESSION, Duration::from_secs(60)) };
        let submit = ControlEvent::Submit { session: Box::new(session), idempotency: None, max_open: 9 };
        let created = written(&brain.tell(submit)).unwrap();
        brain.tell(done(created));
        let assign = written(&brain.tell(ControlEvent::Claimed { hold: here(), granted: true })).unwrap();
        brain.tell(done(assign));
        brain.tell(ControlEvent::Sent { hold: here(), accepted: true });
        brain.reports(here(), 0);
        brain.beats(NEW, false, None);
        brain
    }

    /// The same, once the session has been prepared; what follows from that.
    fn prepared() -> (Self, Vec<ControlEffect>) {
        let mut brain = Self::running(SessionKind::Live);
        brain.beats(OLD, true, Some((here(), false)));
        brain.tell(ControlEvent::Claimed { hold: there(), granted: true });
        brain.tell(ControlEvent::Sent { hold: there(), accepted: true });
        let effects = brain.beats(NEW, false, Some((there(), true)));
        (brain, effects)
    }

    fn tell(&mut self, event: ControlEvent) -> Vec<ControlEffect> {
        self.control.handle(event, self.now)
    }

    fn beats(&mut self, worker: WorkerId, draining: bool, runs: Option<(Hold, bool)>) -> Vec<ControlEffect> {
        self.up += 1;
        let beat = beat(worker, self.up, draining, runs);
        self.tell(ControlEvent::Worker(WorkerEvent::Heartbeat(Box::new(beat))))
    }

    fn reports(&mut self, hold: Hold, delivered_s: u64) -> Vec<ControlEffect> {
        self.tell(ControlEvent::Worker(WorkerEvent::Report(Box::new(SessionReport {
            hold,
            phase: Phase::Running,
            progress: FrameProgress { done: delivered_s * 25, total: 0 },
            delivered: Duration::from_secs(delivered_s),
            sent_bytes: 0,
            end: None,
        }))))
    }

    fn pass(&mut self, seconds: u64) {
        self.now.mono = self.now.mono + Duration::from_secs(seconds);
    }

    /// The old worker still runs it and drains: whatever the brain begins because of that.
    fn drains_on(&mut self) -> Vec<ControlEffect> {
        self.beats(NEW, false, None);
        self.beats(OLD, true, Some((here(), false)))
    }

    fn session(&self) -> Session {
        self.control.session(SESSION).unwrap().session
    }
}

fn done(write: LedgerWrite) -> ControlEvent {
    ControlEvent::Written { write, outcome: Some(WriteOutcome::Applied) }
}

/// The first write of a session.
fn written(effects: &[ControlEffect]) -> Option<LedgerWrite> {
    effects.iter().find_map(|effect| match effect {
        ControlEffect::Write(write) if write.session().is_some() => Some(write.clone()),
        _ => None,
    })
}

/// The write of a move.
fn move_of(effects: &[ControlEffect]) -> Option<LedgerWrite> {
    written(effects).filter(|write| matches!(write, LedgerWrite::Move { .. }))
}

/// What workers are told, in short.
fn commands(effects: &[ControlEffect]) -> Vec<(&'static str, Hold)> {
    let told = effects.iter().filter_map(|effect| match effect {
        ControlEffect::Send { command, .. } => Some(match command {
            WorkerCommand::Assign(a) => ("assign", a.hold),
            WorkerCommand::Prepare(a) => ("prepare", a.hold),
            WorkerCommand::LetGo(hold) => ("let go", *hold),
            WorkerCommand::HandOver(hold) => ("hand over", *hold),
            WorkerCommand::Stop(hold) => ("stop", *hold),
            WorkerCommand::Drain => return None,
        }),
        _ => None,
    });
    told.collect()
}

fn claimed(effects: &[ControlEffect]) -> Option<Hold> {
    effects.iter().find_map(|effect| if let ControlEffect::Claim { hold, .. } = effect { Some(*hold) } else { None })
}

#[test]
fn it_is_claimed_prepared_moved_and_handed_over() {
    let mut brain = Brain::running(SessionKind::Live);
    let effects = brain.beats(OLD, true, Some((here(), false)));
    assert_eq!(claimed(&effects), Some(there()), "a slot is claimed under the next fence");
    assert_eq!(commands(&effects), [], "nobody is told anything yet");
    let effects = brain.tell(ControlEvent::Claimed { hold: there(), granted: true });
    assert_eq!(commands(&effects), [("prepare", there())]);
    brain.tell(ControlEvent::Sent { hold: there(), accepted: true });
    assert_eq!(brain.drains_on(), [], "once is enough");
    assert_eq!(brain.session().fence, Fence(1), "until it is ready it stays where it is");

    let effects = brain.beats(NEW, false, Some((there(), true)));
    let write = move_of(&effects).unwrap();
    assert_eq!(move_of(&brain.beats(NEW, false, Some((there(), true)))), None, "it is written once");
    let effects = brain.tell(done(write));
    assert_eq!(commands(&effects), [("hand over", here()), ("assign", there())]);
    let told = effects
        .iter()
        .any(|effect| matches!(effect, ControlEffect::Changed(change) if change.session.fence == Fence(2)));
    assert!(told, "whoever watches is told: {effects:?}");
    let session = brain.session();
    assert_eq!((session.place, session.placements()), (Some((NEW, SlotIndex(0))), 1));

    // What is on its way from the old worker does no harm to who still watches there.
    let effects = brain.reports(here(), 9);
    assert_eq!((commands(&effects), written(&effects)), (vec![("hand over", here())], None));
    let delivered = Duration::from_secs(9);
    let last = WorkerEvent::HandedOver { hold: here(), delivered, sent_bytes: 5 };
    let effects = brain.tell(ControlEvent::Worker(last));
    let wanted = LedgerWrite::HandedOver { hold: here(), delivered, sent_bytes: 5, at: Wall(0) };
    assert_eq!(written(&effects), Some(wanted));
    assert_eq!(brain.control.running_on(OLD), Some(vec![]));
    assert_eq!(brain.control.running_on(NEW), Some(vec![SESSION]));
}

#[test]
fn films_are_not_moved() {
    let mut brain = Brain::running(SessionKind::Render);
    assert_eq!(claimed(&brain.beats(OLD, true, Some((here(), false)))), None);
}

#[test]
fn without_a_free_slot_it_waits_for_one() {
    let mut brain = Brain::running(SessionKind::Live);
    brain.beats(NEW, true, None);
    assert_eq!(claimed(&brain.beats(OLD, true, Some((here(), false)))), None, "the other one drains, too");
    let third = WorkerId(9);
    assert_eq!(claimed(&brain.beats(third, false, None)), Some(hold(2, third)));
}

#[test]
fn a_slot_that_is_not_granted_and_a_worker_that_cannot_are_tried_again_later() {
    for refusal in [
        ControlEvent::Claimed { hold: there(), granted: false },
        ControlEvent::Worker(WorkerEvent::Refused { hold: there(), why: WorkerRefusal::NotPrepared }),
    ] {
        let mut brain = Brain::running(SessionKind::Live);
        assert!(claimed(&brain.beats(OLD, true, Some((here(), false)))).is_some());
        if matches!(refusal, ControlEvent::Worker(_)) {
            brain.tell(ControlEvent::Claimed { hold: there(), granted: true });
        }
        assert_eq!(claimed(&brain.tell(refusal)), None, "not at once");
        brain.pass(1);
        let again = [brain.beats(NEW, false, None), brain.drains_on()].concat();
        assert_eq!(claimed(&again), Some(there()), "but soon");
        assert_eq!(brain.session().fence, Fence(1));
    }
}

#[test]
fn a_worker_that_cannot_be_told_is_not_moved_to() {
    let mut brain = Brain::running(SessionKind::Live);
    brain.beats(OLD, true, Some((here(), false)));
    brain.tell(ControlEvent::Claimed { hold: there(), granted: true });
    brain.tell(ControlEvent::Sent { hold: there(), accepted: false });
    brain.pass(1);
    assert_eq!(claimed(&brain.beats(OLD, true, Some((here(), false)))), None, "it counts as lost until it is heard of");
    assert_eq!(claimed(&brain.beats(NEW, false, None)), Some(there()));
}

#[test]
fn a_worker_that_dies_or_takes_too_long_while_it_prepares_is_let_go_of() {
    let mut brain = Brain::running(SessionKind::Live);
    brain.beats(OLD, true, Some((here(), false)));
    brain.tell(ControlEvent::Claimed { hold: there(), granted: true });
    let mut told = Vec::new();
    for _ in 0..31 {
        brain.pass(1);
        told.extend(commands(&brain.beats(NEW, false, None)));
        told.extend(commands(&brain.beats(OLD, true, Some((here(), false)))));
    }
    assert!(told.contains(&("let go", there())), "too long: {told:?}");

    let (mut brain, _) = Brain::prepared();
    let third = WorkerId(9);
    brain.beats(third, false, None);
    let mut claims = Vec::new();
    let write = LedgerWrite::Move { from: here(), to: (NEW, SlotIndex(0)), at: Wall(0) };
    brain.tell(ControlEvent::Written { write, outcome: None });
    for _ in 0..8 {
        brain.pass(1);
        claims.extend(claimed(&brain.tell(ControlEvent::Tick)));
        claims.extend(claimed(&brain.beats(third, false, None)));
        claims.extend(claimed(&brain.beats(OLD, true, Some((here(), false)))));
    }
    assert_eq!(claims, [hold(2, third)], "it was not heard of for a lease's length");
}

#[test]
fn what_happens_to_the_session_goes_before() {
    let mut brain = Brain::running(SessionKind::Live);
    brain.beats(OLD, true, Some((here(), false)));
    brain.tell(ControlEvent::Claimed { hold: there(), granted: true });
    let effects = brain.tell(ControlEvent::Cancel(SESSION));
    assert_eq!(commands(&effects), [("stop", here()), ("let go", there())]);
    let late = brain.beats(NEW, false, Some((there(), true)));
    assert_eq!((commands(&late), move_of(&late)), (vec![], None), "what has ended is not moved");
}

#[test]
fn a_session_that_is_lost_while_it_is_moved_is_found_where_it_was_moved_to() {
    let (mut brain, effects) = Brain::prepared();
    let write = move_of(&effects).unwrap();
    let refused = WorkerEvent::Refused { hold: here(), why: WorkerRefusal::LeaseLost };
    let requeue = written(&brain.tell(ControlEvent::Worker(refused))).unwrap();
    assert!(matches!(requeue, LedgerWrite::Requeue { .. }));
    assert_eq!(commands(&brain.tell(done(write))), [], "the records decide what became of it");
    let outcome = Some(WriteOutcome::Stale(Some(Box::new(moved_record()))));
    brain.tell(ControlEvent::Written { write: requeue, outcome });
    assert_eq!(brain.session().place, Some((NEW, SlotIndex(0))));
    let effects = brain.beats(NEW, false, Some((there(), true)));
    assert_eq!(commands(&effects), [("assign", there())], "and is told so");
}

#[test]
fn a_move_of_unknown_fate_is_written_again() {
    let (mut brain, effects) = Brain::prepared();
    let write = move_of(&effects).unwrap();
    brain.tell(ControlEvent::Written { write: write.clone(), outcome: None });
    let again = move_of(&brain.beats(NEW, false, Some((there(), true)))).unwrap();
    assert_eq!(again, write);
    // It had been applied.
    let outcome = Some(WriteOutcome::Stale(Some(Box::new(moved_record()))));
    let effects = brain.tell(ControlEvent::Written { write: again, outcome });
    assert_eq!(commands(&effects), [], "nobody is told to let go of it");
    assert_eq!(brain.session().place, Some((NEW, SlotIndex(0))));
    assert_eq!(commands(&brain.beats(NEW, false, Some((there(), true)))), [("assign", there())]);
    assert_eq!(commands(&brain.beats(OLD, true, Some((here(), false)))), [("hand over", here())]);
}

#[test]
fn another_brain_may_finish_a_move_and_one_of_two_wins() {
    let found =
        Session { fence: Fence(1), place: Some((OLD, SlotIndex(0))), moved_from: None, moves: 0, ..moved_record() };
    let mut brain = Brain::new();
    brain.beats(OLD, true, Some((here(), false)));
    brain.pass(11);
    brain.tell(ControlEvent::Tick);
    brain.tell(ControlEvent::Swept(vec![found]));
    brain.beats(OLD, true, Some((here(), false)));
    // Whoever had it prepared is gone; what it left is used.
    let effects = brain.beats(NEW, false, Some((there(), true)));
    let write = move_of(&effects).unwrap();
    let other = Session { place: Some((WorkerId(9), SlotIndex(0))), ..moved_record() };
    let effects =
        brain.tell(ControlEvent::Written { write, outcome: Some(WriteOutcome::Stale(Some(Box::new(other)))) });
    assert_eq!(commands(&effects), [("let go", there())], "another one was faster, with another worker");
    assert_eq!(brain.session().place, Some((WorkerId(9), SlotIndex(0))));
    let effects = brain.beats(NEW, false, Some((there(), true)));
    assert_eq!(commands(&effects), [("let go", there())], "and again, should that be lost");
}

#[test]
fn a_brain_that_only_hears_of_the_new_place_knows_where_it_was_moved_from() {
    for listed in [true, false] {
        let mut brain = Brain::running(SessionKind::Live);
        brain.beats(OLD, true, Some((here(), false)));
        let effects = match listed {
            true => brain.beats(NEW, false, Some((there(), false))),
            false => brain.reports(there(), 1),
        };
        assert!(!effects.contains(&ControlEffect::Release(here())), "who still watches there is shown it: {effects:?}");
        let session = brain.session();
        assert_eq!((session.place, session.handed_over()), (Some((NEW, SlotIndex(0))), Some(here())));
        assert_eq!((session.fence, session.placements()), (Fence(2), 1));
    }
}

#[test]
fn late_news_of_what_was_prepared_in_vain_is_looked_into() {
    let (mut brain, effects) = Brain::prepared();
    brain.tell(done(move_of(&effects).unwrap()));
    let late = WorkerEvent::Refused { hold: there(), why: WorkerRefusal::NotPrepared };
    let effects = brain.tell(ControlEvent::Worker(late));
    assert_eq!(effects, [ControlEffect::CheckLease(there())], "the same hold was prepared before, perhaps");
    brain.tell(ControlEvent::Lease { hold: there(), remaining: Some(Duration::from_secs(3)) });
    assert_eq!(brain.session().place, Some((NEW, SlotIndex(0))));
}

#[test]
fn moves_do_not_count_as_losses() {
    let (mut brain, effects) = Brain::prepared();
    brain.tell(done(move_of(&effects).unwrap()));
    brain.beats(NEW, false, Some((there(), false)));
    for fence in 2..20 {
        let (from, to) =
            (hold(fence, WorkerId(6 + u128::from(fence))), hold(fence + 1, WorkerId(7 + u128::from(fence))));
        brain.beats(to.worker, false, None);
        brain.beats(from.worker, true, Some((from, false)));
        brain.tell(ControlEvent::Claimed { hold: to, granted: true });
        let effects = brain.beats(to.worker, false, Some((to, true)));
        brain.tell(done(move_of(&effects).unwrap_or_else(|| panic!("fence {fence}: {effects:?}"))));
        brain.beats(to.worker, false, Some((to, false)));
    }
    let last = hold(20, WorkerId(26));
    let lost = WorkerEvent::Refused { hold: last, why: WorkerRefusal::LeaseLost };
    let effects = brain.tell(ControlEvent::Worker(lost));
    let requeue = written(&effects).unwrap();
    brain.tell(done(requeue));
    assert_eq!(
        (brain.session().phase, brain.session().end),
        (Phase::Requested, None),
        "it was lost once, not twenty times"
    );
}

#[test]
fn what_was_delivered_before_a_move_counts_for_how_long_it_may_run() {
    let (mut brain, effects) = Brain::prepared();
    let write = move_of(&effects).unwrap();
    brain.reports(here(), 60);
    brain.tell(done(write));
    assert_eq!(brain.session().delivered_before, Duration::from_secs(60));
    let ends = |brain: &mut Brain| {
        let effects = brain.tell(ControlEvent::Tick);
        let ends = |effect: &ControlEffect| matches!(effect, ControlEffect::Write(LedgerWrite::End { .. }));
        effects.iter().any(ends)
    };
    brain.pass(39);
    assert!(!ends(&mut brain), "it may run for 100 s");
    brain.pass(1);
    assert!(ends(&mut brain));
}
