//! What the brain makes of workers that come, and of those that leave.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod common;

use mouthpiece_domain::control::{Control, ControlEffect, ControlEvent, ControlSettings};
use mouthpiece_domain::fleet::{Capability, DepartedWorker, Heartbeat, Hold, MachineId, SessionReport, WorkerEvent};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{EndReason, Fence, FrameProgress, Phase, Session, SessionEnd, SlotIndex};
use mouthpiece_domain::time::{Mono, Now, Wall};
use std::time::Duration;

const WORKER: WorkerId = WorkerId(7);

struct Brain {
    control: Control,
    now: Now,
}

impl Brain {
    fn new() -> Self {
        let now = Now { mono: Mono(10_000), wall: Wall(0) };
        Self { control: Control::new(ControlSettings::default(), now), now }
    }

    fn begun() -> Self {
        let mut brain = Self::new();
        brain.tell(ControlEvent::Roster(Vec::new()));
        brain
    }

    fn tell(&mut self, event: ControlEvent) -> Vec<ControlEffect> {
        self.control.handle(event, self.now)
    }

    fn hears(&mut self, beat: Heartbeat) -> Vec<ControlEffect> {
        self.tell(ControlEvent::Worker(WorkerEvent::Heartbeat(Box::new(beat))))
    }

    fn goodbye(&mut self) -> Vec<ControlEffect> {
        self.tell(ControlEvent::Worker(WorkerEvent::Goodbye { worker: WORKER, ended: Vec::new() }))
    }

    fn pass(&mut self, seconds: u64) -> Vec<ControlEffect> {
        self.now.mono = self.now.mono + Duration::from_secs(seconds);
        self.tell(ControlEvent::Tick)
    }

    fn known(&self) -> Vec<(WorkerId, Duration)> {
        self.control.view(self.now).workers.into_iter().map(|worker| (worker.id, worker.up)).collect()
    }
}

fn beat(up: u64) -> Heartbeat {
    let capability = Capability {
        name: "w".into(),
        engine: "none/1".into(),
        instance_type: "local".into(),
        slots: 2,
        frames_per_second: 60,
        impaired: None,
        machine: None,
    };
    Heartbeat {
        worker: WORKER,
        capability,
        address: None,
        draining: false,
        uptime: Duration::from_secs(up),
        busy: Duration::ZERO,
        resident: Vec::new(),
        running: Vec::new(),
        ended: Vec::new(),
    }
}

fn retired(machine: Option<MachineId>) -> ControlEffect {
    ControlEffect::Retire(DepartedWorker { worker: WORKER, machine })
}

/// What is said about letting go of workers.
fn let_go(effects: &[ControlEffect]) -> Vec<ControlEffect> {
    effects
        .iter()
        .filter(|effect| matches!(effect, ControlEffect::Forget(_) | ControlEffect::Retire(_)))
        .cloned()
        .collect()
}

#[test]
fn nothing_is_due_before_the_workers_are_known() {
    let mut brain = Brain::new();
    assert_eq!(brain.control.due(), None);
    assert!(!brain.pass(60).contains(&ControlEffect::Sweep), "the records are not read yet");
    let first = brain.tell(ControlEvent::Roster(vec![beat(5)]));
    let known = first.iter().position(|effect| *effect == ControlEffect::WorkerChanged(WORKER));
    let sweep = first.iter().position(|effect| *effect == ControlEffect::Sweep);
    assert!(known.is_some() && known < sweep, "the workers first, then the records: {first:?}");
    assert!(brain.control.due().is_some());
    let again = brain.tell(ControlEvent::Roster(vec![beat(6)]));
    assert!(!again.contains(&ControlEffect::Sweep), "it begins once");
}

/// A session that the brain holds, running on the worker.
fn running(brain: &mut Brain) -> Hold {
    let session = common::session(SessionId(1), Duration::from_secs(60));
    let placed = Session { phase: Phase::Running, place: Some((WORKER, SlotIndex(0))), ..session };
    brain.tell(ControlEvent::Swept(vec![placed]));
    Hold { session: SessionId(1), fence: Fence::FIRST, worker: WORKER, slot: SlotIndex(0) }
}

#[test]
fn a_session_that_was_written_while_the_records_were_read_is_kept() {
    let mut brain = Brain::begun();
    brain.tell(ControlEvent::Swept(Vec::new()));
    let session = Box::new(common::session(SessionId(1), Duration::from_secs(60)));
    let created = brain.tell(ControlEvent::Submit { session, idempotency: None, max_open: 1 });
    let [write] = writes(&created)[..] else { panic!("{created:?}") };
    // The records are read, then it is written down, then what was read arrives.
    while !brain.pass(1).contains(&ControlEffect::Sweep) {}
    brain.hears(beat(1));
    brain.now.mono = brain.now.mono + Duration::from_millis(1);
    let written = ControlEvent::Written { write: write.clone(), outcome: Some(WriteOutcome::Applied) };
    let claimed = brain.tell(written);
    let claim = claimed.iter().find_map(|effect| match effect {
        ControlEffect::Claim { hold, .. } => Some(*hold),
        _ => None,
    });
    brain.tell(ControlEvent::Swept(Vec::new()));
    let assigned = brain.tell(ControlEvent::Claimed { hold: claim.unwrap(), granted: true });
    assert!(matches!(writes(&assigned)[..], [LedgerWrite::Assign { .. }]), "it is placed: {assigned:?}");
}

fn end_of(hold: Hold) -> SessionReport {
    SessionReport {
        hold,
        phase: Phase::Ended,
        progress: FrameProgress { done: 10, total: 10 },
        delivered: Duration::from_millis(400),
        sent_bytes: 0,
        end: Some(SessionEnd::new(EndReason::Completed, None)),
    }
}

fn writes(effects: &[ControlEffect]) -> Vec<&LedgerWrite> {
    let writes = effects.iter().filter_map(|effect| match effect {
        ControlEffect::Write(write) => Some(write),
        _ => None,
    });
    writes.filter(|write| !matches!(write, LedgerWrite::Machine { .. })).collect()
}

#[test]
fn an_end_that_only_a_goodbye_or_a_heartbeat_tells_is_written_once_and_nothing_is_placed_again() {
    for by_goodbye in [true, false] {
        let mut brain = Brain::begun();
        brain.hears(beat(20));
        let ended = vec![end_of(running(&mut brain))];
        let mut tell = |up| {
            let event = if by_goodbye {
                WorkerEvent::Goodbye { worker: WORKER, ended: ended.clone() }
            } else {
                WorkerEvent::Heartbeat(Box::new(Heartbeat { ended: ended.clone(), ..beat(up) }))
            };
            brain.tell(ControlEvent::Worker(event))
        };
        let effects = tell(21);
        assert!(matches!(writes(&effects)[..], [LedgerWrite::End { .. }]), "{effects:?}");
        let again = tell(22);
        assert_eq!(writes(&again), Vec::<&LedgerWrite>::new(), "it is on its way");
    }
}

#[test]
fn the_end_of_an_old_placement_ends_nothing() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    let mut old = end_of(running(&mut brain));
    old.hold.fence = Fence(0);
    let effects = brain.hears(Heartbeat { ended: vec![old], ..beat(21) });
    assert_eq!(writes(&effects), Vec::<&LedgerWrite>::new());
}

#[test]
fn a_roster_tells_only_what_is_newer() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    brain.pass(5);
    brain.tell(ControlEvent::Roster(vec![beat(20)]));
    brain.pass(2);
    let view = brain.control.view(brain.now);
    assert_eq!(view.workers[0].seen_ago, Duration::from_secs(7), "what the bus brought before is no news");
    brain.tell(ControlEvent::Roster(vec![beat(27)]));
    let view = brain.control.view(brain.now);
    assert_eq!((view.workers[0].seen_ago, view.workers[0].up), (Duration::ZERO, Duration::from_secs(27)));
}

#[test]
fn a_worker_that_leaves_is_let_go_of_once() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    assert_eq!(let_go(&brain.goodbye()), [ControlEffect::Forget(WORKER), retired(None)]);
    assert_eq!(brain.known(), []);
    assert_eq!(brain.goodbye(), [], "it may be said twice");
    brain.pass(60);
    assert_eq!(brain.goodbye(), [], "much later too");
}

#[test]
fn a_machine_is_given_back_with_the_last_worker_on_it() {
    let on = |worker, machine: &str| {
        let mut beat = beat(20);
        beat.worker = worker;
        beat.capability.machine = Some(MachineId(machine.to_owned()));
        beat
    };
    let other = WorkerId(WORKER.0 + 1);
    for (of_other, given_back) in [("i-2", Some(MachineId("i-1".to_owned()))), ("i-1", None)] {
        let mut brain = Brain::begun();
        brain.hears(on(WORKER, "i-1"));
        brain.hears(on(other, of_other));
        assert_eq!(let_go(&brain.goodbye()), [ControlEffect::Forget(WORKER), retired(given_back)]);
    }
}

#[test]
fn what_was_said_before_a_goodbye_brings_nobody_back() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    brain.goodbye();
    assert_eq!(brain.hears(beat(19)), []);
    brain.tell(ControlEvent::Roster(vec![beat(21)]));
    assert_eq!(brain.known(), []);
    brain.pass(3600);
    assert_eq!(brain.control.due().map(|due| due > brain.now.mono), None, "nothing waits but the sweep under way");
}

#[test]
fn a_goodbye_of_a_worker_that_nobody_knows_lets_go_of_it_too() {
    let mut brain = Brain::begun();
    assert_eq!(let_go(&brain.goodbye()), [ControlEffect::Forget(WORKER), retired(None)]);
}

#[test]
fn a_worker_that_is_lost_is_not_let_go_of() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    let mut said = Vec::new();
    for _ in 0..100 {
        said.extend(brain.pass(1));
    }
    assert_eq!(brain.known().len(), 1, "it is shown as lost");
    assert_eq!(let_go(&said), [], "it may stand still with a valid lease");
}

#[test]
fn a_worker_that_is_lost_for_minutes_is_given_up() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    let given_up = ControlEffect::Abandon(WORKER);
    assert!(!brain.pass(60).contains(&given_up), "it may come back");
    assert_eq!(brain.known().len(), 1, "it is shown as lost");
    assert!(!brain.pass(600).contains(&given_up), "the pool has not said that it is not there");
    brain.tell(ControlEvent::Roster(Vec::new()));
    assert!(brain.pass(600).contains(&given_up));
    assert_eq!(brain.known(), []);
    brain.hears(beat(900));
    assert_eq!(brain.known().len(), 1, "it was alive after all");
}
