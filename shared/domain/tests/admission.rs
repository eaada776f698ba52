//! Who is let in, who is turned away and when, and which time limits end a session.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod common;

use common::session;
use mouthpiece_domain::control::{Control, ControlEffect, ControlEvent, ControlSettings, SubmitAnswer};
use mouthpiece_domain::fleet::{Capability, Heartbeat, Hold, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{EndReason, Fence, FrameProgress, Phase, SessionEnd};
use mouthpiece_domain::time::{Mono, Now, Wall};
use std::collections::BTreeMap;
use std::time::Duration;

/// A brain whose every wish is granted at once, except what a test keeps back.
struct Farm {
    control: Control,
    now: Now,
    answers: Vec<(SessionId, SubmitAnswer)>,
    ended: Vec<(SessionId, EndReason)>,
    sent: Vec<WorkerCommand>,
    positions: BTreeMap<SessionId, Option<u32>>,
    ids: u128,
    /// Workers can be sent to.
    reachable: bool,
}

impl Farm {
    fn new(settings: ControlSettings) -> Self {
        let now = Now { mono: Mono(10_000), wall: Wall(0) };
        let control = Control::new(settings, now);
        let (answers, ended, sent, positions) = (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
        let mut farm = Self { control, now, answers, ended, sent, positions, ids: 0, reachable: true };
        farm.tell(ControlEvent::Roster(Vec::new()));
        farm
    }

    fn tell(&mut self, event: ControlEvent) {
        for effect in self.control.handle(event, self.now) {
            let result = match effect {
                ControlEffect::Write(write) => {
                    if let LedgerWrite::End { session, end, .. } = &write {
                        self.ended.push((*session, end.reason));
                    }
                    Some(ControlEvent::Written { write, outcome: Some(WriteOutcome::Applied) })
                }
                ControlEffect::Claim { hold, .. } => Some(ControlEvent::Claimed { hold, granted: true }),
                ControlEffect::Send { command, .. } => {
                    self.sent.push(command.clone());
                    match command {
                        WorkerCommand::Assign(a) => Some(ControlEvent::Sent { hold: a.hold, accepted: self.reachable }),
                        _ => None,
                    }
                }
                ControlEffect::CheckLease(hold) => {
                    Some(ControlEvent::Lease { hold, remaining: Some(Duration::from_secs(6)) })
                }
                ControlEffect::Answer { session, answer } => {
                    self.answers.push((session, answer));
                    None
                }
                ControlEffect::Changed(change) => {
                    self.positions.insert(change.session.id, change.queue_position);
                    None
                }
                ControlEffect::Release(_)
                | ControlEffect::Sweep
                | ControlEffect::WorkerChanged(_)
                | ControlEffect::Desired(_) => None,
                ControlEffect::Forget(_) | ControlEffect::Abandon(_) | ControlEffect::Retire(_) => None,
            };
            if let Some(event) = result {
                self.tell(event);
            }
        }
    }

    fn submit(&mut self, queue_timeout: u64, max_open: u32) -> SessionId {
        self.ids += 1;
        let id = SessionId(self.ids);
        let session = session(id, Duration::from_secs(queue_timeout));
        self.tell(ControlEvent::Submit { session: Box::new(session), idempotency: None, max_open });
        id
    }

    fn answer(&self, id: SessionId) -> &SubmitAnswer {
        &self.answers.iter().find(|(s, _)| *s == id).unwrap().1
    }

    fn accepted(&self, id: SessionId) -> bool {
        matches!(self.answer(id), SubmitAnswer::Accepted(_))
    }

    fn worker(&mut self, slots: u8) {
        let capability = Capability {
            name: "w".into(),
            engine: "none/1".into(),
            instance_type: "local".into(),
            slots,
            frames_per_second: 60,
            impaired: None,
            machine: None,
        };
        self.tell(ControlEvent::Worker(WorkerEvent::Heartbeat(Box::new(Heartbeat {
            worker: WorkerId(1),
            capability,
            address: None,
            draining: false,
            uptime: Duration::ZERO,
            busy: Duration::ZERO,
            resident: Vec::new(),
            running: Vec::new(),
            ended: Vec::new(),
        }))));
    }

    fn pass(&mut self, seconds: u64) {
        self.now.mono = self.now.mono + Duration::from_secs(seconds);
        while self.control.due().is_some_and(|at| at <= self.now.mono) {
            self.tell(ControlEvent::Tick);
        }
    }

    fn hold_of(&self, id: SessionId) -> Hold {
        let holds = self.sent.iter().filter_map(|c| match c {
            WorkerCommand::Assign(a) => Some(a.hold),
            _ => None,
        });
        holds.rev().find(|h| h.session == id).unwrap()
    }

    fn complete(&mut self, id: SessionId) {
        self.tell(ControlEvent::Worker(WorkerEvent::Report(Box::new(SessionReport {
            hold: self.hold_of(id),
            phase: Phase::Ended,
            progress: FrameProgress::default(),
            delivered: Duration::ZERO,
            sent_bytes: 0,
            end: Some(SessionEnd::new(EndReason::Completed, None)),
        }))));
    }
}

#[test]
fn a_caller_over_its_quota_is_told_when_to_come_back() {
    let mut farm = Farm::new(ControlSettings::default());
    let first = farm.submit(60, 1);
    let second = farm.submit(60, 1);
    assert!(farm.accepted(first));
    assert!(
        matches!(farm.answer(second), SubmitAnswer::OverQuota { open: 1, retry_after } if *retry_after >= Duration::from_secs(1))
    );
    farm.tell(ControlEvent::Cancel(first));
    let third = farm.submit(60, 1);
    assert!(farm.accepted(third), "the quota is free again");
}

#[test]
fn a_full_queue_is_an_answer() {
    let mut farm = Farm::new(ControlSettings { queue_limit: 2, ..ControlSettings::default() });
    farm.worker(1);
    let ids: Vec<_> = (0..4).map(|_| farm.submit(60, 100)).collect();
    assert!(ids[..3].iter().all(|id| farm.accepted(*id)), "one runs, two wait");
    assert!(matches!(farm.answer(ids[3]), SubmitAnswer::NoCapacity { .. }));
}

#[test]
fn a_deadline_that_cannot_be_met_is_an_answer_at_once() {
    let mut farm = Farm::new(ControlSettings::default());
    farm.worker(1);
    for _ in 0..6 {
        let id = farm.submit(600, 100);
        farm.pass(30);
        farm.worker(1);
        farm.complete(id);
    }
    let running = farm.submit(5, 100);
    let hurried = farm.submit(5, 100);
    let patient = farm.submit(600, 100);
    assert!(farm.accepted(running) && farm.accepted(patient));
    let SubmitAnswer::NoCapacity { retry_after } = farm.answer(hurried) else { panic!("sessions take 30 s each") };
    assert!((1..=60).contains(&retry_after.as_secs()));
}

#[test]
fn who_waits_too_long_ends_with_a_reason() {
    let mut farm = Farm::new(ControlSettings::default());
    let id = farm.submit(7, 100);
    farm.pass(6);
    assert_eq!(farm.ended, []);
    farm.pass(1);
    assert_eq!(farm.ended, [(id, EndReason::NoCapacity)]);
}

#[test]
fn who_runs_too_long_is_stopped() {
    let mut farm = Farm::new(ControlSettings::default());
    farm.worker(1);
    let id = farm.submit(60, 100);
    for _ in 0..20 {
        farm.pass(5);
        farm.worker(1);
    }
    assert_eq!(farm.ended, [(id, EndReason::MaxDuration)]);
    assert!(farm.sent.contains(&WorkerCommand::Stop(farm.hold_of(id))));
}

#[test]
fn watchers_are_told_their_places_as_the_queue_moves() {
    let mut farm = Farm::new(ControlSettings::default());
    farm.worker(1);
    let ids: Vec<_> = (0..3).map(|_| farm.submit(60, 100)).collect();
    assert_eq!((farm.positions[&ids[1]], farm.positions[&ids[2]]), (Some(1), Some(2)));
    farm.complete(ids[0]);
    farm.pass(1);
    assert_eq!((farm.positions[&ids[1]], farm.positions[&ids[2]]), (None, Some(1)));
}

#[test]
fn a_session_lost_too_often_is_given_up() {
    let mut farm = Farm::new(ControlSettings { max_attempts: 2, ..ControlSettings::default() });
    farm.worker(1);
    let id = farm.submit(600, 100);
    for fence in 1..=2 {
        let hold = farm.hold_of(id);
        assert_eq!(hold.fence, Fence(fence));
        let why = WorkerRefusal::LeaseLost;
        farm.tell(ControlEvent::Worker(WorkerEvent::Refused { hold, why }));
    }
    assert_eq!(farm.ended, [(id, EndReason::Lost)]);
}

#[test]
fn what_could_not_be_sent_was_not_lost() {
    let mut farm = Farm::new(ControlSettings { max_attempts: 3, ..ControlSettings::default() });
    farm.reachable = false;
    farm.worker(1);
    let id = farm.submit(3600, 1);
    for _ in 0..10 {
        farm.worker(1);
    }
    farm.reachable = true;
    farm.worker(1);
    assert!(farm.hold_of(id).fence > Fence(10), "each try has a fence of its own");
    for _ in 0..3 {
        assert_eq!(farm.ended, [], "it may be lost twice");
        let hold = farm.hold_of(id);
        farm.tell(ControlEvent::Worker(WorkerEvent::Refused { hold, why: WorkerRefusal::LeaseLost }));
    }
    assert_eq!(farm.ended, [(id, EndReason::Lost)]);
}
