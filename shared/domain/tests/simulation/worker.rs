//! A worker that behaves, crashes or freezes.

use mouthpiece_domain::fleet::{
    Assignment, Capability, Heartbeat, Hold, RunningSession, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal,
};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::lease::{LeaseStep, LeaseTerms};
use mouthpiece_domain::session::{EndReason, Fence, FrameProgress, Phase, SessionEnd, SessionKind, SlotIndex};
use mouthpiece_domain::time::Mono;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// The shared pool: who holds which slot until when.
#[derive(Default)]
pub struct Pool {
    holds: BTreeMap<(WorkerId, SlotIndex), (Hold, Mono)>,
    announced: BTreeMap<WorkerId, (Heartbeat, Mono)>,
}

impl Pool {
    fn held(&self, at: (WorkerId, SlotIndex), now: Mono) -> Option<Hold> {
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

    /// The right to decide on the fleet: a slot of a worker that there is not.
    pub fn decide(&mut self, who: u128, expiry: Duration, now: Mono) -> bool {
        let right = Hold { session: SessionId(who), fence: Fence::FIRST, worker: WorkerId(0), slot: SlotIndex(0) };
        self.renew(right, expiry, now) || self.claim(right, expiry, now)
    }

    /// Who decides.
    pub fn decider(&self, now: Mono) -> Option<u128> {
        self.held((WorkerId(0), SlotIndex(0)), now).map(|right| right.session.0)
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
    duty: Duty,
    taken: Mono,
}

/// What was prepared and is not moved here is let go of after this.
const PREPARED_FOR: Duration = Duration::from_secs(15);

/// What a run is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    /// It was prepared, gets ready for so many steps, and waits to be moved here.
    Waits(u64),
    Serves,
    /// It was moved away, and is shown for so many steps more.
    HandsOver(u64),
}

pub struct Worker {
    pub id: WorkerId,
    pub alive: bool,
    /// It said goodbye.
    pub left: bool,
    /// Does nothing until then.
    pub frozen_until: Mono,
    pub inbox: VecDeque<WorkerCommand>,
    pub draining: bool,
    /// The most that was ever delivered under a hold: what may be billed at most.
    pub truth: HashMap<Hold, Duration>,
    slots: Vec<Option<Run>>,
    beat_at: Mono,
    started: Mono,
    moved_here: u32,
    /// The last placement of each session that it was told to run or to stop.
    seen: HashMap<SessionId, Fence>,
    /// What came to its end here, and when; it is told again for a while.
    ended: Vec<(Mono, SessionReport)>,
}

/// Ends are told again for so long.
const REPEATED_FOR: Duration = Duration::from_secs(30);

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
            moved_here: 0,
            seen: HashMap::new(),
            ended: Vec::new(),
        }
    }

    /// It may run something under a lease: it runs, stands still, or left without giving all up.
    pub fn may_hold(&self) -> bool {
        !self.left || self.slots.iter().any(Option::is_some)
    }

    /// What it believes to hold validly now, by its own count.
    pub fn valid(&self, now: Mono) -> impl Iterator<Item = Hold> + '_ {
        let runs = self.slots.iter().flatten().filter(move |_| self.alive);
        let runs = runs.filter(|r| r.duty == Duty::Serves);
        runs.filter(move |r| r.lease.step(r.renewed, now) != LeaseStep::HardStop).map(|r| r.hold)
    }

    /// Sessions that came here by a move.
    pub fn moved_here(&self) -> u32 {
        self.moved_here
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
            pool.announce(self.heartbeat(now), now + LeaseTerms::default().expiry());
            say.push(WorkerEvent::Goodbye { worker: self.id, ended: self.ended_lately(now) });
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
            if matches!(run.duty, Duty::HandsOver(_)) {
                continue; // it holds nothing any more
            }
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
                let waits = matches!(run.duty, Duty::Waits(_));
                let why = if waits { WorkerRefusal::NotPrepared } else { WorkerRefusal::LeaseLost };
                say.push(WorkerEvent::Refused { hold: run.hold, why });
                *place = None;
            }
        }
    }

    fn obey(&mut self, command: WorkerCommand, now: Mono, pool: &mut Pool, say: &mut Vec<WorkerEvent>) {
        match command {
            WorkerCommand::Drain => self.draining = true,
            WorkerCommand::LetGo(hold) => {
                for place in &mut self.slots {
                    if place.as_ref().is_some_and(|r| r.hold == hold && matches!(r.duty, Duty::Waits(_))) {
                        *place = None;
                        pool.release(hold, now);
                    }
                }
            }
            WorkerCommand::HandOver(hold) => {
                let run = self.slots.iter_mut().flatten().find(|r| r.hold == hold && r.duty == Duty::Serves);
                if let Some(run) = run {
                    run.duty = Duty::HandsOver(3);
                    pool.release(hold, now);
                }
            }
            WorkerCommand::Stop(hold) => {
                self.is_news(hold);
                for place in &mut self.slots {
                    let stops = |r: &Run| r.hold == hold && !matches!(r.duty, Duty::HandsOver(_));
                    if place.as_ref().is_some_and(stops) {
                        *place = None;
                        pool.release(hold, now);
                    }
                }
            }
            WorkerCommand::Assign(a) => self.take(&a, Duty::Serves, now, pool, say),
            WorkerCommand::Prepare(a) => self.take(&a, Duty::Waits(2), now, pool, say),
        }
    }

    /// Whether this placement is newer than all that it was told of.
    fn is_news(&mut self, hold: Hold) -> bool {
        let seen = self.seen.entry(hold.session).or_insert(Fence(0));
        let is_news = *seen < hold.fence;
        *seen = (*seen).max(hold.fence);
        is_news
    }

    fn take(&mut self, a: &Assignment, duty: Duty, now: Mono, pool: &mut Pool, say: &mut Vec<WorkerEvent>) {
        let hold = a.hold;
        assert_eq!(hold.worker, self.id);
        let is_old = match duty {
            Duty::Serves => !self.is_news(hold),
            _ => self.seen.get(&hold.session).is_some_and(|seen| *seen >= hold.fence),
        };
        if is_old {
            return; // delivered twice, or said twice
        }
        let place = &mut self.slots[usize::from(hold.slot.0)];
        if let Some(run) = place.as_mut().filter(|r| r.hold == hold) {
            // Else it was prepared twice.
            if duty == Duty::Serves && matches!(run.duty, Duty::Waits(_)) {
                run.duty = duty;
                self.moved_here += 1;
                say.push(WorkerEvent::Report(Box::new(run.report(None))));
            }
            return;
        }
        if self.draining {
            pool.release(hold, now);
            return say.push(WorkerEvent::Refused { hold, why: WorkerRefusal::Draining });
        }
        if !pool.renew(hold, a.lease.expiry(), now) {
            let why = if duty == Duty::Serves { WorkerRefusal::LeaseLost } else { WorkerRefusal::NotPrepared };
            return say.push(WorkerEvent::Refused { hold, why });
        }
        if let Some(run) = place {
            let step = run.lease.step(run.renewed, now);
            let over = step == LeaseStep::HardStop || run.duty != Duty::Serves;
            assert!(over, "slot given away while {:?} holds it validly", run.hold);
        }
        let more = if a.kind == SessionKind::Live { 40 } else { 0 };
        let total = 3 + more + (hold.session.0 % 20) as u64;
        let run = Run { hold, lease: a.lease, renewed: now, phase: Phase::Preparing, done: 0, total, duty, taken: now };
        if duty == Duty::Serves {
            say.push(WorkerEvent::Report(Box::new(run.report(None))));
        }
        *place = Some(run);
    }

    fn work(&mut self, now: Mono, pool: &mut Pool, say: &mut Vec<WorkerEvent>) {
        for place in &mut self.slots {
            let Some(run) = place else { continue };
            match &mut run.duty {
                Duty::Serves => {}
                Duty::Waits(0) if now - run.taken > PREPARED_FOR => {
                    pool.release(run.hold, now);
                    say.push(WorkerEvent::Refused { hold: run.hold, why: WorkerRefusal::NotPrepared });
                    *place = None;
                    continue;
                }
                Duty::Waits(steps) => {
                    let is_ready = *steps > 0;
                    *steps = steps.saturating_sub(1);
                    if is_ready && *steps == 0 {
                        self.beat_at = now;
                    }
                    continue;
                }
                Duty::HandsOver(0) => {
                    let (hold, delivered, sent_bytes) = (run.hold, run.delivered(), run.done * 2_000_000);
                    say.push(WorkerEvent::HandedOver { hold, delivered, sent_bytes });
                    *place = None;
                    continue;
                }
                Duty::HandsOver(steps) => {
                    *steps -= 1;
                    continue;
                }
            }
            run.phase = Phase::Running;
            run.done += 1;
            self.truth.insert(run.hold, run.delivered());
            if run.done < run.total {
                if run.done % 3 == 1 {
                    say.push(WorkerEvent::Report(Box::new(run.report(None))));
                }
                continue;
            }
            pool.release(run.hold, now);
            run.phase = Phase::Ended;
            let end = run.report(Some(SessionEnd::new(EndReason::Completed, None)));
            self.ended.push((now, end.clone()));
            say.push(WorkerEvent::Report(Box::new(end)));
            *place = None;
        }
    }

    /// The sessions that were served here to their end, one after the other.
    pub fn completed(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.ended.iter().map(|(_, report)| report.hold.session)
    }

    fn ended_lately(&self, now: Mono) -> Vec<SessionReport> {
        let lately = self.ended.iter().filter(|(at, _)| now - *at < REPEATED_FOR);
        lately.map(|(_, report)| report.clone()).collect()
    }

    fn heartbeat(&self, now: Mono) -> Heartbeat {
        let listed = self.slots.iter().flatten().filter(|r| !matches!(r.duty, Duty::HandsOver(_)));
        let running = listed.map(|r| RunningSession {
            session: r.hold.session,
            fence: r.hold.fence,
            slot: r.hold.slot,
            phase: r.phase,
            progress: FrameProgress { done: r.done, total: r.total },
            delivered: r.delivered(),
            prepared: r.duty == Duty::Waits(0),
        });
        Heartbeat {
            worker: self.id,
            capability: Capability {
                name: self.id.to_string(),
                engine: "none/1".into(),
                instance_type: "local".into(),
                slots: self.slots.len() as u8,
                frames_per_second: 60,
                impaired: None,
                machine: None,
            },
            address: None,
            draining: self.draining,
            uptime: now - self.started,
            busy: Duration::ZERO,
            resident: Vec::new(),
            running: running.collect(),
            ended: self.ended_lately(now),
        }
    }
}

impl Run {
    fn delivered(&self) -> Duration {
        Duration::from_millis(self.done * 40)
    }

    fn report(&self, end: Option<SessionEnd>) -> SessionReport {
        SessionReport {
            hold: self.hold,
            phase: self.phase,
            progress: FrameProgress { done: self.done, total: self.total },
            delivered: self.delivered(),
            sent_bytes: self.done * 2_000_000,
            end,
        }
    }
}
