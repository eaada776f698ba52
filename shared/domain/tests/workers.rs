//! What the brain makes of workers that come, and of those that leave.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_domain::control::{Control, ControlEffect, ControlEvent, ControlSettings};
use mouthpiece_domain::fleet::{Capability, DepartedWorker, Heartbeat, MachineId, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
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
        self.tell(ControlEvent::Worker(WorkerEvent::Goodbye { worker: WORKER }))
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
