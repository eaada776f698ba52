//! A worker that behaves, crashes or freezes.

use mouthpiece_domain::fleet::{Capability, Command, Heartbeat, Hold, Refusal, Report, Running, WorkerEvent};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::lease::{LeaseStep, LeaseTerms};
use mouthpiece_domain::session::{End, EndReason, Phase, Progress, Slot};
use mouthpiece_domain::time::Mono;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// The shared pool: who holds which slot until when.
#[derive(Default)]
pub struct Pool {
    holds: BTreeMap<(WorkerId, Slot), (Hold, Mono)>,
    announced: BTreeMap<WorkerId, (Heartbeat, Mono)>,
}

impl Pool {
    fn held(&self, at: (WorkerId, Slot), now: Mono) -> Option<Hold> {
        self.holds.get(&at).filter(|(_, until)| *until > now).map(|(hold, _)| *hold)
    }

    pub fn claim(&mut self, hold: Hold, expiry: Duration, now: Mono) -> bool {
        let free = self.held((hold.worker, hold.slot), now).is_none();
        if free {
            self.holds.insert((hold.worker, hold.slot), (hold, now + expiry));
        }
        free
    }

    pub fn renew(&mut self, hold: Hold, expiry: Duration, now: Mono) -> bool {
        let ours = self.held((hold.worker, hold.slot), now) == Some(hold);
        if ours {
            self.holds.insert((hold.worker, hold.slot), (hold, now + expiry));
        }
        ours
    }

    pub fn release(&mut self, hold: Hold, now: Mono) {
        if self.held((hold.worker, hold.slot), now) == Some(hold) {
            self.holds.remove(&(hold.worker, hold.slot));
        }
    }

    pub fn remaining(&self, hold: Hold, now: Mono) -> Option<Duration> {
        let (held, until) = self.holds.get(&(hold.worker, hold.slot))?;
        (*held == hold && *until > now).then(|| *until - now)
    }

    fn announce(&mut self, beat: Heartbeat, until: Mono) {
        self.announced.insert(beat.worker, (beat, until));
    }

    pub fn forget(&mut self, worker: WorkerId) {
        self.announced.remove(&worker);
        self.holds.retain(|(at, _), _| *at != worker);
    }

    pub fn workers(&self, now: Mono) -> Vec<Heartbeat> {
        self.announced.values().filter(|(_, until)| *until > now).map(|(beat, _)| beat.clone()).collect()
    }
}

#[derive(Debug)]
struct Run {
    hold: Hold,
    lease: LeaseTerms,
    renewed: Mono,
    phase: Phase,
    done: u64,
    total: u64,
}

pub struct Worker {
    pub id: WorkerId,
    pub alive: bool,
    /// It said goodbye.
    pub left: bool,
    /// Does nothing until then.
    pub frozen_until: Mono,
    pub inbox: VecDeque<Command>,
    pub draining: bool,
    /// The most that was ever delivered under a hold: what may be billed at most.
    pub truth: HashMap<Hold, Duration>,
    slots: Vec<Option<Run>>,
    beat_at: Mono,
    started: Mono,
}

impl Worker {
    pub fn new(id: WorkerId, slots: u8, now: Mono) -> Self {
        Self {
            id,
            alive: true,
            left: false,
            frozen_until: now,
            inbox: VecDeque::new(),
            draining: false,
            truth: HashMap::new(),
            slots: (0..slots).map(|_| None).collect(),
            beat_at: now,
            started: now,
        }
    }

    /// It may run something under a lease: it runs, stands still, or left without giving all up.
    pub fn may_hold(&self) -> bool {
        !self.left || self.slots.iter().any(Option::is_some)
    }

    /// What it believes to hold validly now, by its own count.
    pub fn valid(&self, now: Mono) -> impl Iterator<Item = Hold> + '_ {
        let runs = self.slots.iter().flatten().filter(move |_| self.alive);
        runs.filter(move |r| r.lease.step(r.renewed, now) != LeaseStep::HardStop).map(|r| r.hold)
    }

    pub fn act(&mut self, now: Mono, pool: &mut Pool, say: &mut Vec<WorkerEvent>) {
        if !self.alive || now < self.frozen_until {
            return;
        }
        self.keep_leases(now, pool, say);
        while let Some(command) = self.inbox.pop_front() {
            self.obey(command, now, pool, say);
        }
        self.work(now, pool, say);
        if self.draining && self.slots.iter().all(Option::is_none) {
            (self.alive, self.left) = (false, true);
            say.push(WorkerEvent::Goodbye { worker: self.id });
        } else if now >= self.beat_at {
            self.beat_at = now + Duration::from_secs(1);
            let beat = self.heartbeat(now);
            pool.announce(beat.clone(), now + LeaseTerms::default().expiry());
            say.push(WorkerEvent::Heartbeat(Box::new(beat)));
        }
    }

    fn keep_leases(&mut self, now: Mono, pool: &mut Pool, say: &mut Vec<WorkerEvent>) {
        for place in &mut self.slots {
            let Some(run) = place else { continue };
            let lost = match run.lease.step(run.renewed, now) {
                LeaseStep::Hold => false,
                LeaseStep::HardStop => true,
                LeaseStep::Renew | LeaseStep::SoftStop => {
                    let kept = pool.renew(run.hold, run.lease.expiry(), now);
                    if kept {
                        run.renewed = now;
                    }
                    !kept
                }
            };
            if lost {
                say.push(WorkerEvent::Refused { hold: run.hold, why: Refusal::LeaseLost });
                *place = None;
            }
        }
    }

    fn obey(&mut self, command: Command, now: Mono, pool: &mut Pool, say: &mut Vec<WorkerEvent>) {
        match command {
            Command::Drain => self.draining = true,
            Command::Stop(hold) => {
                for place in &mut self.slots {
                    if place.as_ref().is_some_and(|r| r.hold == hold) {
                        *place = None;
                        pool.release(hold, now);
                    }
                }
            }
            Command::Assign(a) => {
                let hold = a.hold;
                assert_eq!(hold.worker, self.id);
                let place = &mut self.slots[usize::from(hold.slot.0)];
                if place.as_ref().is_some_and(|r| r.hold == hold) {
                    return; // delivered twice
                }
                if self.draining {
                    pool.release(hold, now);
                    return say.push(WorkerEvent::Refused { hold, why: Refusal::Draining });
                }
                if !pool.renew(hold, a.lease.expiry(), now) {
                    return say.push(WorkerEvent::Refused { hold, why: Refusal::LeaseLost });
                }
                if let Some(run) = place {
                    let step = run.lease.step(run.renewed, now);
                    assert_eq!(step, LeaseStep::HardStop, "slot given away while {:?} holds it validly", run.hold);
                }
                let total = 3 + (hold.session.0 % 20) as u64;
                *place = Some(Run { hold, lease: a.lease, renewed: now, phase: Phase::Preparing, done: 0, total });
                say.push(self.slots[usize::from(hold.slot.0)].as_ref().unwrap().report(None));
            }
        }
    }

    fn work(&mut self, now: Mono, pool: &mut Pool, say: &mut Vec<WorkerEvent>) {
        for place in &mut self.slots {
            let Some(run) = place else { continue };
            run.phase = Phase::Running;
            run.done += 1;
            self.truth.insert(run.hold, run.delivered());
            if run.done < run.total {
                if run.done % 3 == 1 {
                    say.push(run.report(None));
                }
                continue;
            }
            pool.release(run.hold, now);
            run.phase = Phase::Ended;
            say.push(run.report(Some(End::new(EndReason::Completed, None))));
            *place = None;
        }
    }

    fn heartbeat(&self, now: Mono) -> Heartbeat {
        let running = self.slots.iter().flatten().map(|r| Running {
            session: r.hold.session,
            fence: r.hold.fence,
            slot: r.hold.slot,
            phase: r.phase,
            progress: Progress { done: r.done, total: r.total },
            delivered: r.delivered(),
        });
        Heartbeat {
            worker: self.id,
            capability: Capability {
                name: self.id.to_string(),
                engine: "none/1".into(),
                instance_type: "local".into(),
                slots: self.slots.len() as u8,
                frames_per_second: 60,
            },
            draining: self.draining,
            uptime: now - self.started,
            busy: Duration::ZERO,
            resident: Vec::new(),
            running: running.collect(),
        }
    }
}

impl Run {
    fn delivered(&self) -> Duration {
        Duration::from_millis(self.done * 40)
    }

    fn report(&self, end: Option<End>) -> WorkerEvent {
        WorkerEvent::Report(Box::new(Report {
            hold: self.hold,
            phase: self.phase,
            progress: Progress { done: self.done, total: self.total },
            delivered: self.delivered(),
            end,
        }))
    }
}
