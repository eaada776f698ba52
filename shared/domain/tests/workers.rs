//! What the brain makes of workers that come, and of those that leave.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_domain::control::{Control, Effect, Event, Settings};
use mouthpiece_domain::fleet::{Capability, Heartbeat, WorkerEvent};
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
        Self { control: Control::new(Settings::default(), now), now }
    }

    fn begun() -> Self {
        let mut brain = Self::new();
        brain.tell(Event::Roster(Vec::new()));
        brain
    }

    fn tell(&mut self, event: Event) -> Vec<Effect> {
        self.control.handle(event, self.now)
    }

    fn hears(&mut self, beat: Heartbeat) -> Vec<Effect> {
        self.tell(Event::Worker(WorkerEvent::Heartbeat(Box::new(beat))))
    }

    fn goodbye(&mut self) -> Vec<Effect> {
        self.tell(Event::Worker(WorkerEvent::Goodbye { worker: WORKER }))
    }

    fn pass(&mut self, seconds: u64) -> Vec<Effect> {
        self.now.mono = self.now.mono + Duration::from_secs(seconds);
        self.tell(Event::Tick)
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
    };
    Heartbeat {
        worker: WORKER,
        capability,
        draining: false,
        uptime: Duration::from_secs(up),
        busy: Duration::ZERO,
        resident: Vec::new(),
        running: Vec::new(),
    }
}

/// What is said about letting go of workers.
fn let_go(effects: &[Effect]) -> Vec<Effect> {
    effects.iter().filter(|effect| matches!(effect, Effect::Forget(_) | Effect::Retire(_))).cloned().collect()
}

#[test]
fn nothing_is_due_before_the_workers_are_known() {
    let mut brain = Brain::new();
    assert_eq!(brain.control.due(), None);
    assert!(!brain.pass(60).contains(&Effect::Sweep), "the records are not read yet");
    let first = brain.tell(Event::Roster(vec![beat(5)]));
    let known = first.iter().position(|effect| *effect == Effect::WorkerChanged(WORKER));
    let sweep = first.iter().position(|effect| *effect == Effect::Sweep);
    assert!(known.is_some() && known < sweep, "the workers first, then the records: {first:?}");
    assert!(brain.control.due().is_some());
    let again = brain.tell(Event::Roster(vec![beat(6)]));
    assert!(!again.contains(&Effect::Sweep), "it begins once");
}

#[test]
fn a_roster_tells_only_what_is_newer() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    brain.pass(5);
    brain.tell(Event::Roster(vec![beat(20)]));
    brain.pass(2);
    let view = brain.control.view(brain.now);
    assert_eq!(view.workers[0].seen_ago, Duration::from_secs(7), "what the bus brought before is no news");
    brain.tell(Event::Roster(vec![beat(27)]));
    let view = brain.control.view(brain.now);
    assert_eq!((view.workers[0].seen_ago, view.workers[0].up), (Duration::ZERO, Duration::from_secs(27)));
}

#[test]
fn a_worker_that_leaves_is_let_go_of_once() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    assert_eq!(let_go(&brain.goodbye()), [Effect::Forget(WORKER), Effect::Retire(WORKER)]);
    assert_eq!(brain.known(), []);
    assert_eq!(brain.goodbye(), [], "it may be said twice");
    brain.pass(60);
    assert_eq!(brain.goodbye(), [], "much later too");
}

#[test]
fn what_was_said_before_a_goodbye_brings_nobody_back() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    brain.goodbye();
    assert_eq!(brain.hears(beat(19)), []);
    brain.tell(Event::Roster(vec![beat(21)]));
    assert_eq!(brain.known(), []);
    brain.pass(3600);
    assert_eq!(brain.control.due().map(|due| due > brain.now.mono), None, "nothing waits but the sweep under way");
}

#[test]
fn a_goodbye_of_a_worker_that_nobody_knows_lets_go_of_it_too() {
    let mut brain = Brain::begun();
    assert_eq!(let_go(&brain.goodbye()), [Effect::Forget(WORKER), Effect::Retire(WORKER)]);
}

#[test]
fn a_worker_that_is_lost_is_not_let_go_of() {
    let mut brain = Brain::begun();
    brain.hears(beat(20));
    let mut said = Vec::new();
    for _ in 0..100 {
        said.extend(brain.pass(1));
    }
    assert_eq!(brain.known(), [], "it is no longer shown");
    assert_eq!(let_go(&said), [], "it may stand still with a valid lease");
}
