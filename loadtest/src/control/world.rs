//! Everything around the brain: callers, workers, store and pool, in one virtual time.

use super::farm::{LiveAssignment, Machine};
use super::store::CountingStore;
use super::{ControlOptions, ControlReport, EventSort};
use crate::LoadError;
use crate::agenda::Agenda;
use crate::dice::Dice;
use crate::latency::StageTimes;
use crate::sessions::Sessions;
use mouthpiece_domain::control::{Control, ControlEffect, ControlEvent, ControlSettings, SubmitAnswer};
use mouthpiece_domain::fleet::{Assignment, Hold, WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::ledger::LedgerWrite;
use mouthpiece_domain::session::Phase;
use mouthpiece_domain::time::{Mono, Now, Wall};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Sessions last 5 to 15 virtual seconds.
const SHORTEST_MS: u64 = 5_000;
const SPREAD_MS: u64 = 10_000;
const SECOND: Duration = Duration::from_secs(1);
/// One in so many: heartbeats that are a worker's last, assignments refused, sessions cancelled, reports said twice.
const LOST: u64 = 20_000;
const REFUSED: u64 = 200;
const CANCELLED: u64 = 50;
const REPEATED: u64 = 100;
/// A lost worker's place is taken by another one after this.
const SILENCE: Duration = Duration::from_secs(20);
/// The calendar at the start.
const EPOCH: Wall = Wall(1_700_000_000_000);

pub(super) struct World {
    control: Control,
    now: Now,
    dice: Dice,
    sessions: Sessions,
    store: CountingStore,
    machines: Vec<Machine>,
    /// Outcomes of effects, to be handled next.
    outcomes: VecDeque<ControlEvent>,
    /// What workers and callers do later.
    agenda: Agenda<Later>,
    /// Sessions that arrive in a millisecond, and what of one is due by now.
    arriving: f64,
    due: f64,
    /// Heartbeats that are due by now, and whose is the next.
    beats: f64,
    next_beat: usize,
    accepted: Vec<SessionId>,
    turned_away: u64,
    requeued: u64,
    effects: u64,
    events: u64,
    inside: Duration,
    started: Instant,
    times: StageTimes,
    sorts: BTreeMap<&'static str, (u64, Duration)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Later {
    Report(Hold),
    Cancel(SessionId),
}

impl World {
    pub(super) fn new(options: &ControlOptions) -> Result<Self, LoadError> {
        let now = Now { mono: Mono(0), wall: EPOCH };
        let slots = f64::from(options.workers) * f64::from(options.slots);
        let length_ms = SHORTEST_MS as f64 + SPREAD_MS as f64 / 2.0;
        let settings = ControlSettings {
            max_workers: options.workers,
            slots_per_worker: options.slots,
            ..ControlSettings::default()
        };
        let mut world = Self {
            control: Control::new(settings, now),
            now,
            dice: Dice::new(options.seed),
            sessions: Sessions::new(0)?,
            store: CountingStore::default(),
            machines: (0..options.workers).map(|n| Machine::new(WorkerId(n.into()), options.slots, now.mono)).collect(),
            outcomes: VecDeque::new(),
            agenda: Agenda::default(),
            arriving: slots * options.load / length_ms,
            due: 0.0,
            beats: 0.0,
            next_beat: 0,
            accepted: Vec::new(),
            turned_away: 0,
            requeued: 0,
            effects: 0,
            events: 0,
            inside: Duration::ZERO,
            started: Instant::now(),
            times: StageTimes::new()?,
            sorts: BTreeMap::new(),
        };
        world.handle(ControlEvent::Roster(Vec::new()));
        // All workers are known before counting starts.
        for n in 0..world.machines.len() {
            world.beat(n);
        }
        (world.events, world.effects, world.inside) = (0, 0, Duration::ZERO);
        (world.times, world.sorts, world.started) = (StageTimes::new()?, BTreeMap::new(), Instant::now());
        Ok(world)
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// A millisecond of the whole farm: its share of heartbeats, arrivals, and whatever is due.
    pub(super) fn pass_a_millisecond(&mut self) {
        self.now.mono = self.now.mono + Duration::from_millis(1);
        self.now.wall.0 += 1;
        if self.control.due().is_some_and(|due| due <= self.now.mono) {
            self.handle(ControlEvent::Tick);
        }
        self.beats += self.machines.len() as f64 / 1e3;
        while self.beats >= 1.0 {
            self.beats -= 1.0;
            self.beat(self.next_beat);
            self.next_beat = (self.next_beat + 1) % self.machines.len();
        }
        self.due += self.arriving;
        while self.due >= 1.0 {
            self.due -= 1.0;
            let session = Box::new(self.sessions.next(self.now.wall));
            self.handle(ControlEvent::Submit { session, idempotency: None, max_open: u32::MAX });
        }
        while let Some(later) = self.agenda.take_due(self.now.mono) {
            match later {
                Later::Report(hold) => self.say(hold),
                Later::Cancel(session) => {
                    if self.store.phase(session).is_some_and(|p| p < Phase::Ended) {
                        self.handle(ControlEvent::Cancel(session));
                    }
                }
            }
        }
    }

    fn beat(&mut self, n: usize) {
        let now = self.now.mono;
        match self.machines[n].silent_until {
            Some(until) if now < until => return,
            Some(_) => {
                let successor = WorkerId(self.machines[n].id.0 + (1 << 32));
                self.machines[n] = Machine::new(successor, self.slots(), now);
            }
            None if now > Mono(0) && self.dice.once_in(LOST) => return self.machines[n].fall_silent(now + SILENCE),
            None => {}
        }
        let heartbeat = self.machines[n].heartbeat(now, &mut self.dice);
        self.handle(ControlEvent::Worker(WorkerEvent::Heartbeat(Box::new(heartbeat))));
    }

    fn slots(&self) -> u8 {
        self.machines[0].slots()
    }

    /// The worker says what is new of a session, and plans to say more.
    fn say(&mut self, hold: Hold) {
        let now = self.now.mono;
        let Some(machine) = self.machine(hold.worker) else { return };
        let Some(live) = machine.live(&hold) else { return };
        let report = live.report(now);
        let next = if report.phase == Phase::Preparing { live.since + SECOND } else { now + SECOND };
        if report.phase == Phase::Ended {
            machine.stop(&hold);
        } else {
            self.agenda.plan(next, Later::Report(hold));
        }
        let said = WorkerEvent::Report(Box::new(report));
        if self.dice.once_in(REPEATED) {
            self.handle(ControlEvent::Worker(said.clone()));
        }
        self.handle(ControlEvent::Worker(said));
    }

    fn machine(&mut self, id: WorkerId) -> Option<&mut Machine> {
        let place = (id.0 & 0xffff_ffff) as usize;
        self.machines.get_mut(place).filter(|m| m.id == id)
    }

    /// Hands an event to the brain, then all that comes back for its effects.
    fn handle(&mut self, event: ControlEvent) {
        self.outcomes.push_back(event);
        while let Some(event) = self.outcomes.pop_front() {
            let sort = sort(&event);
            let before = Instant::now();
            let effects = self.control.handle(event, self.now);
            let took = before.elapsed();
            self.times.add(took);
            self.inside += took;
            self.events += 1;
            let sum = self.sorts.entry(sort).or_default();
            *sum = (sum.0 + 1, sum.1 + took);
            for effect in effects {
                self.effects += 1;
                self.perform(effect);
            }
        }
    }

    fn perform(&mut self, effect: ControlEffect) {
        match effect {
            ControlEffect::Write(write) => {
                self.requeued += u64::from(matches!(write, LedgerWrite::Requeue { .. }));
                let outcome = Some(self.store.write(&write));
                self.outcomes.push_back(ControlEvent::Written { write, outcome });
            }
            ControlEffect::Claim { hold, .. } => {
                let granted = self.machine(hold.worker).is_some_and(|m| m.claim(&hold));
                self.outcomes.push_back(ControlEvent::Claimed { hold, granted });
            }
            ControlEffect::Release(hold) => {
                if let Some(machine) = self.machine(hold.worker) {
                    machine.release(&hold);
                }
            }
            ControlEffect::CheckLease(hold) => {
                let held = self.machine(hold.worker).is_some_and(|m| m.holds(&hold));
                self.outcomes.push_back(ControlEvent::Lease { hold, remaining: held.then_some(SECOND) });
            }
            ControlEffect::Send { command: WorkerCommand::Assign(assignment), .. } => self.assign(&assignment),
            ControlEffect::Send { command: WorkerCommand::Stop(hold), .. } => {
                if let Some(machine) = self.machine(hold.worker) {
                    machine.stop(&hold);
                }
            }
            ControlEffect::Sweep => self.outcomes.push_back(ControlEvent::Swept(self.store.all_open())),
            ControlEffect::Answer { session, answer: SubmitAnswer::Accepted(_) } => {
                self.accepted.push(session);
                if self.dice.once_in(CANCELLED) {
                    let wait = Duration::from_millis(self.dice.below(SHORTEST_MS));
                    self.agenda.plan(self.now.mono + wait, Later::Cancel(session));
                }
            }
            ControlEffect::Answer { .. } => self.turned_away += 1,
            ControlEffect::Send { .. }
            | ControlEffect::Changed(_)
            | ControlEffect::WorkerChanged(_)
            | ControlEffect::Desired(_) => {}
            // Its workers are lost, they never leave.
            ControlEffect::Forget(_) | ControlEffect::Abandon(_) | ControlEffect::Retire(_) => {}
        }
    }

    fn assign(&mut self, assignment: &Assignment) {
        let (hold, now) = (assignment.hold, self.now.mono);
        self.outcomes.push_back(ControlEvent::Sent { hold, accepted: true });
        let length = Duration::from_millis(SHORTEST_MS + self.dice.below(SPREAD_MS));
        let refused = self.dice.once_in(REFUSED);
        let live = LiveAssignment { hold, since: now, length, phase: Phase::Assigned };
        let Some(machine) = self.machine(hold.worker).filter(|m| m.silent_until.is_none()) else { return };
        if !refused && machine.take(live, &assignment.spec.content) {
            self.agenda.plan(now, Later::Report(hold));
        } else {
            self.outcomes.push_back(ControlEvent::Worker(WorkerEvent::Refused { hold, why: WorkerRefusal::SlotTaken }));
        }
    }

    pub(super) fn report(&self) -> ControlReport {
        let sort = |(events, took): &(u64, Duration)| EventSort {
            events: *events,
            mean_us: took.as_secs_f64() * 1e6 / (*events).max(1) as f64,
        };
        let seconds = self.inside.as_secs_f64();
        ControlReport {
            events: self.events,
            seconds,
            events_per_second: self.events as f64 / seconds.max(1e-9),
            making_seconds: self.started.elapsed().saturating_sub(self.inside).as_secs_f64(),
            event_ms: self.times.latency(),
            sorts: self.sorts.iter().map(|(name, sum)| (*name, sort(sum))).collect(),
            effects: self.effects,
            virtual_seconds: self.now.mono.0 as f64 / 1e3,
            workers: self.control.view(self.now).workers.len() as u32,
            accepted: self.accepted.len() as u64,
            turned_away: self.turned_away,
            requeued: self.requeued,
        }
    }

    /// No more sessions arrive: every accepted one must end before its queue deadline.
    pub(super) fn finish(&mut self) -> Result<(), LoadError> {
        self.arriving = 0.0;
        let until = self.now.mono + Duration::from_secs(700);
        while self.store.open() > 0 && self.now.mono < until {
            self.pass_a_millisecond();
        }
        let vanished = self.accepted.iter().filter(|id| self.store.phase(**id) != Some(Phase::Ended)).count();
        if vanished > 0 {
            return Err(LoadError::Audit(format!(
                "{vanished} of {} accepted sessions never ended",
                self.accepted.len()
            )));
        }
        Ok(())
    }
}

fn sort(event: &ControlEvent) -> &'static str {
    match event {
        ControlEvent::Submit { .. } => "submit",
        ControlEvent::Cancel(_) => "cancel",
        ControlEvent::Worker(WorkerEvent::Heartbeat(_)) => "heartbeat",
        ControlEvent::Worker(WorkerEvent::Report(_)) => "report",
        ControlEvent::Worker(WorkerEvent::Refused { .. }) => "refused",
        ControlEvent::Worker(WorkerEvent::HandedOver { .. }) => "handed_over",
        ControlEvent::Worker(WorkerEvent::Goodbye { .. }) => "goodbye",
        ControlEvent::Roster(_) => "roster",
        ControlEvent::Returned(_) => "returned",
        ControlEvent::Drain(_) => "drain",
        ControlEvent::Written { .. } => "written",
        ControlEvent::Claimed { .. } => "claimed",
        ControlEvent::Sent { .. } => "sent",
        ControlEvent::Lease { .. } => "lease",
        ControlEvent::Swept(_) => "swept",
        ControlEvent::Prices(_) => "prices",
        ControlEvent::Decides(_) => "decides",
        ControlEvent::Tick => "tick",
    }
}
