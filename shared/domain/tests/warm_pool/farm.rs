//! Coordinators, their records and pool, and a fleet of machines that do what they are told at once.

use crate::common;
use mouthpiece_domain::control::{Control, ControlEffect, ControlEvent, ControlSettings, SubmitAnswer};
use mouthpiece_domain::fleet::{
    Capability, Heartbeat, Hold, RunningSession, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal,
};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::ledger::ReferenceLedger;
use mouthpiece_domain::session::{EndReason, FrameProgress, Phase, Session, SessionEnd, SessionKind, SlotIndex};
use mouthpiece_domain::time::{Mono, Now, Wall};
use mouthpiece_domain::warm_pool::ScalingMode;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

pub const S: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
/// Time goes on by this much.
pub const STEP: Duration = Duration::from_secs(5);
pub const SLOTS: usize = 2;

/// Leases that outlast a few steps.
pub fn lease() -> LeaseTerms {
    LeaseTerms::new(10 * S, 20 * S, 25 * S, 30 * S).unwrap()
}

/// Random numbers of a seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// Below one.
    pub fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// With this mean, as times between things that have nothing to do with each other.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.roll()).ln()
    }
}

/// A machine of the fleet.
pub struct Machine {
    pub ready: Mono,
    pub draining: bool,
    pub slots: [Option<(Hold, Mono)>; SLOTS],
}

impl Machine {
    pub fn busy(&self) -> usize {
        self.slots.iter().flatten().count()
    }
}

pub struct Coordinator {
    pub control: Control,
    pub alive: bool,
    swept: Mono,
}

/// What is counted.
#[derive(Default)]
pub struct Counts {
    pub accepted: u32,
    pub turned_away: u32,
    pub placed_again: u32,
    pub not_in_time: u32,
    pub completed: u32,
    /// How long sessions waited for their first slot.
    pub waits: Vec<Duration>,
    pub started: u32,
    /// Machine time, and the part of it in which slots were taken.
    pub machine_seconds: f64,
    pub busy_slot_seconds: f64,
}

pub struct Farm {
    pub now: Mono,
    pub dice: Dice,
    pub coordinators: Vec<Coordinator>,
    pub machines: BTreeMap<WorkerId, Machine>,
    /// What the fleet was told last.
    pub wished: u32,
    /// How many of these shall stay, whenever that changed: when, what to, by whom.
    pub said: Vec<(Mono, u32, usize)>,
    pub counts: Counts,
    pub start_up: (f64, f64),
    pub instance_type: &'static str,
    settings: ControlSettings,
    records: ReferenceLedger,
    holds: HashMap<(WorkerId, SlotIndex), Hold>,
    decider: Option<(usize, Mono)>,
    lengths: HashMap<SessionId, Duration>,
    asked: HashMap<SessionId, Mono>,
    ids: u128,
}

impl Farm {
    pub fn new(seed: u64, coordinators: usize, mut settings: ControlSettings) -> Self {
        settings.lease = lease();
        let mut farm = Self {
            now: Mono(1_000_000),
            dice: Dice(seed),
            coordinators: Vec::new(),
            machines: BTreeMap::new(),
            wished: 0,
            said: Vec::new(),
            counts: Counts::default(),
            start_up: (80.0, 140.0),
            instance_type: "g4dn.xlarge",
            settings,
            records: ReferenceLedger::default(),
            holds: HashMap::new(),
            decider: None,
            lengths: HashMap::new(),
            asked: HashMap::new(),
            ids: 100,
        };
        for _ in 0..coordinators {
            farm.coordinator();
        }
        farm
    }

    /// Another coordinator starts.
    pub fn coordinator(&mut self) {
        let control = Control::new(self.settings.clone(), self.clock());
        self.coordinators.push(Coordinator { control, alive: true, swept: self.now });
    }

    fn clock(&self) -> Now {
        Now { mono: self.now, wall: Wall(self.now.0 as i64) }
    }

    pub fn decider(&self) -> Option<usize> {
        self.decider.filter(|(_, until)| *until > self.now).map(|(who, _)| who)
    }

    fn someone(&mut self) -> usize {
        let alive: Vec<usize> = (0..self.coordinators.len()).filter(|n| self.coordinators[*n].alive).collect();
        alive[(self.dice.roll() * alive.len() as f64) as usize]
    }

    /// A caller asks for a session of this length.
    pub fn submit(&mut self, length: Duration, queue_timeout: Duration) {
        self.ids += 1;
        let id = SessionId(self.ids);
        self.lengths.insert(id, length);
        self.asked.insert(id, self.now);
        let to = self.someone();
        let session = Box::new(session(id, queue_timeout));
        self.tell(to, ControlEvent::Submit { session, idempotency: None, max_open: 10_000 });
    }

    /// Time goes on.
    pub fn step(&mut self) {
        self.now = self.now + STEP;
        self.run_fleet();
        self.run_sessions();
        let ready: Vec<WorkerId> = self.there().map(|(id, _)| id).collect();
        for id in &ready {
            let to = self.someone();
            let beat = self.heartbeat(*id);
            self.tell(to, ControlEvent::Worker(WorkerEvent::Heartbeat(Box::new(beat))));
        }
        for n in 0..self.coordinators.len() {
            if !self.coordinators[n].alive {
                continue;
            }
            let beats: Vec<Heartbeat> =
                self.there().map(|(id, _)| id).collect::<Vec<_>>().into_iter().map(|id| self.heartbeat(id)).collect();
            self.tell(n, ControlEvent::Roster(beats));
            self.ask_who_decides(n);
            while self.coordinators[n].control.due().is_some_and(|due| due <= self.now) {
                self.tell(n, ControlEvent::Tick);
            }
        }
        let there: Vec<(f64, f64)> = self.machines.values().map(|m| (1.0, m.busy() as f64)).collect();
        for (up, busy) in there {
            self.counts.machine_seconds += up * STEP.as_secs_f64();
            self.counts.busy_slot_seconds += busy * STEP.as_secs_f64();
        }
    }

    fn there(&self) -> impl Iterator<Item = (WorkerId, &Machine)> {
        self.machines.iter().filter(|(_, m)| m.ready <= self.now).map(|(id, m)| (*id, m))
    }

    fn ask_who_decides(&mut self, n: usize) {
        let granted = self.decider().is_none_or(|who| who == n);
        if granted {
            self.decider = Some((n, self.now + self.settings.lease.expiry()));
        }
        let left = granted.then(|| self.settings.lease.hard_stop());
        self.tell(n, ControlEvent::Decides(left));
    }

    /// Starts machines that are wished for. None is stopped because there are more.
    fn run_fleet(&mut self) {
        while self.machines.len() < self.wished as usize {
            self.ids += 1;
            let (least, most) = self.start_up;
            let takes = least + self.dice.roll() * (most - least);
            let ready = self.now + Duration::from_secs_f64(takes);
            let machine = Machine { ready, draining: false, slots: [None; SLOTS] };
            self.machines.insert(WorkerId(self.ids), machine);
            self.counts.started += 1;
        }
    }

    fn run_sessions(&mut self) {
        let now = self.now;
        let mut over = Vec::new();
        for machine in self.machines.values_mut() {
            for slot in &mut machine.slots {
                if let Some((hold, ends)) = *slot
                    && ends <= now
                {
                    *slot = None;
                    over.push(hold);
                }
            }
        }
        for hold in over {
            self.holds.remove(&(hold.worker, hold.slot));
            let delivered = self.lengths[&hold.session];
            let end = Some(SessionEnd::new(EndReason::Completed, None));
            let report = SessionReport {
                hold,
                phase: Phase::Ended,
                progress: FrameProgress::default(),
                delivered,
                sent_bytes: 0,
                end,
            };
            self.counts.completed += 1;
            let to = self.someone();
            self.tell(to, ControlEvent::Worker(WorkerEvent::Report(Box::new(report))));
        }
        let leaving: Vec<WorkerId> =
            self.there().filter(|(_, m)| m.draining && m.busy() == 0).map(|(id, _)| id).collect();
        for worker in leaving {
            let to = self.someone();
            self.tell(to, ControlEvent::Worker(WorkerEvent::Goodbye { worker, ended: Vec::new() }));
        }
    }

    fn heartbeat(&self, id: WorkerId) -> Heartbeat {
        let machine = &self.machines[&id];
        let running = machine.slots.iter().flatten().map(|(hold, _)| RunningSession {
            session: hold.session,
            fence: hold.fence,
            slot: hold.slot,
            phase: Phase::Running,
            progress: FrameProgress::default(),
            delivered: Duration::ZERO,
            prepared: false,
        });
        let capability = Capability {
            name: id.to_string(),
            engine: "none/1".into(),
            instance_type: self.instance_type.into(),
            slots: SLOTS as u8,
            machine: None,
            frames_per_second: 60,
            impaired: None,
        };
        Heartbeat {
            worker: id,
            capability,
            address: None,
            draining: machine.draining,
            uptime: self.now - machine.ready,
            busy: Duration::ZERO,
            resident: Vec::new(),
            running: running.collect(),
            ended: Vec::new(),
        }
    }

    /// Tells a coordinator something and carries out what comes of it.
    pub fn tell(&mut self, n: usize, event: ControlEvent) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now = self.clock();
            let effects = self.coordinators[n].control.handle(event, now);
            for effect in effects {
                events.extend(self.carry_out(n, effect));
            }
        }
    }

    fn carry_out(&mut self, n: usize, effect: ControlEffect) -> Option<ControlEvent> {
        match effect {
            ControlEffect::Write(write) => {
                let outcome = Some(self.records.write(&write));
                Some(ControlEvent::Written { write, outcome })
            }
            ControlEffect::Claim { hold, .. } => {
                let free = !self.holds.contains_key(&(hold.worker, hold.slot));
                if free {
                    self.holds.insert((hold.worker, hold.slot), hold);
                }
                Some(ControlEvent::Claimed { hold, granted: free })
            }
            ControlEffect::Release(hold) => {
                if self.holds.get(&(hold.worker, hold.slot)) == Some(&hold) {
                    self.holds.remove(&(hold.worker, hold.slot));
                }
                None
            }
            ControlEffect::Send { worker, command } => self.command(worker, command),
            ControlEffect::CheckLease(hold) => {
                let held = self.holds.get(&(hold.worker, hold.slot)) == Some(&hold);
                Some(ControlEvent::Lease { hold, remaining: held.then(|| self.settings.lease.expiry()) })
            }
            ControlEffect::Sweep => {
                self.coordinators[n].swept = self.now;
                Some(ControlEvent::Swept(self.records.open_sessions()))
            }
            ControlEffect::Forget(_) | ControlEffect::Abandon(_) => None,
            ControlEffect::Retire(left) => {
                // Ended, and not replaced.
                let gone = self.machines.remove(&left.worker).unwrap();
                assert_eq!(gone.busy(), 0, "a machine with a session was given back");
                self.wished = self.wished.saturating_sub(1);
                None
            }
            ControlEffect::Desired(workers) => {
                if self.settings.scaling != ScalingMode::Own {
                    return None; // whoever acts on it reads it elsewhere
                }
                assert_eq!(self.decider(), Some(n), "it decides and has no right to");
                let known = self.machines.values().filter(|machine| machine.ready + STEP * 2 <= self.now).count();
                assert!(workers as usize >= known, "those that are there are counted");
                self.wished = workers;
                let leaving = self.machines.values().filter(|machine| machine.draining).count() as u32;
                let staying = workers.saturating_sub(leaving);
                if self.said.last().is_none_or(|(_, before, _)| *before != staying) {
                    self.said.push((self.now, staying, n));
                }
                None
            }
            ControlEffect::Answer { answer, .. } => {
                match answer {
                    SubmitAnswer::Accepted(_) => self.counts.accepted += 1,
                    SubmitAnswer::NoCapacity { .. } => self.counts.turned_away += 1,
                    other => panic!("{other:?}"),
                }
                None
            }
            ControlEffect::Changed(change) => {
                if change.session.end.as_ref().is_some_and(|end| end.reason == EndReason::NoCapacity) {
                    self.counts.not_in_time += 1;
                }
                None
            }
            ControlEffect::WorkerChanged(_) => None,
        }
    }

    fn command(&mut self, worker: WorkerId, command: WorkerCommand) -> Option<ControlEvent> {
        match command {
            WorkerCommand::Assign(assignment) => {
                let hold = assignment.hold;
                let Some(machine) = self.machines.get_mut(&worker) else {
                    return Some(ControlEvent::Sent { hold, accepted: false });
                };
                if machine.draining {
                    self.counts.placed_again += 1;
                    self.holds.remove(&(hold.worker, hold.slot));
                    let why = WorkerRefusal::Draining;
                    return Some(ControlEvent::Worker(WorkerEvent::Refused { hold, why }));
                }
                let ends = self.now + self.lengths[&hold.session];
                machine.slots[usize::from(hold.slot.0)] = Some((hold, ends));
                if let Some(asked) = self.asked.remove(&hold.session) {
                    self.counts.waits.push(self.now - asked);
                }
                Some(ControlEvent::Sent { hold, accepted: true })
            }
            WorkerCommand::Drain => {
                let machine = self.machines.get_mut(&worker)?;
                machine.draining = true;
                None
            }
            // No session here is live.
            WorkerCommand::Stop(_)
            | WorkerCommand::Prepare(_)
            | WorkerCommand::LetGo(_)
            | WorkerCommand::HandOver(_) => None,
        }
    }

    /// Sessions that are open in the records.
    pub fn open(&self) -> usize {
        self.records.open_sessions().len()
    }
}

fn session(id: SessionId, queue_timeout: Duration) -> Session {
    let max_duration = Duration::from_secs(100_000);
    Session { kind: SessionKind::Live, max_duration, ..common::session(id, queue_timeout) }
}
