//! Everything around the brain, in one virtual time.

use super::books::Books;
use super::demand::Demand;
use super::later::Later;
use super::machines::{Fleet, Machine, MachineState, SlotUse, progress};
use super::part::{Measured, Part};
use super::report::Counts;
use super::sessions::OpenSessions;
use super::{BeatDetail, DemandShape, SimulateOptions, SimulateProgress};
use crate::LoadError;
use crate::agenda::Agenda;
use crate::dice::Dice;
use crate::sessions::Sessions;
use mouthpiece_domain::control::{Control, ControlEffect, ControlEvent, ControlSettings};
use mouthpiece_domain::fleet::{Hold, SessionReport, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::placement::desired_workers;
use mouthpiece_domain::session::{EndReason, Phase, Session, SessionEnd, SessionKind};
use mouthpiece_domain::time::{Mono, Now, Wall};
use mouthpiece_domain::warm_pool::ScalingMode;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// Where not everything is simulated, deadlines are looked at so often.
const TICK_MS: u64 = 100;
/// Between heartbeats that change nothing.
const SELDOM: Duration = HOUR;
/// The calendar at the start.
const EPOCH: i64 = 1_700_000_000_000;

pub(super) struct World<'a> {
    pub(super) options: &'a SimulateOptions,
    part: Part,
    control: Control,
    lease: LeaseTerms,
    pub(super) now: Mono,
    /// When the measurement begins.
    begin: Mono,
    pub(super) agenda: Agenda<Later>,
    demand: Demand,
    templates: Sessions,
    pub(super) sessions: OpenSessions,
    pub(super) fleet: Fleet,
    pub(super) books: Books,
    pub(super) counts: Counts,
    /// Outcomes of effects, to be handled next.
    pub(super) outcomes: VecDeque<ControlEvent>,
    /// Room for what the brain wants done.
    effects: Vec<ControlEffect>,
    events: u64,
}

impl<'a> World<'a> {
    pub(super) fn new(options: &'a SimulateOptions, part: Part) -> Result<Self, LoadError> {
        let settings = settings(options)?;
        let lease = settings.lease;
        let now = Now { mono: Mono(0), wall: Wall(EPOCH) };
        let begin = Mono(0) + HOUR * part.before;
        Ok(Self {
            options,
            part,
            control: Control::new(settings, now),
            lease,
            now: now.mono,
            begin,
            agenda: Agenda::default(),
            demand: Demand::new(options, part.begin(), part.seed),
            templates: Sessions::new(0)?,
            sessions: OpenSessions::default(),
            fleet: Fleet::default(),
            books: Books::new(options),
            counts: Counts::new()?,
            outcomes: VecDeque::new(),
            effects: Vec::new(),
            events: 0,
        })
    }

    pub(super) fn lease(&self) -> LeaseTerms {
        self.lease
    }

    /// Lives through all of it.
    pub(super) fn run(&mut self, told: &mut dyn FnMut(SimulateProgress)) -> Result<(), LoadError> {
        self.handle(ControlEvent::Roster(Vec::new()));
        self.furnish();
        self.tell_prices();
        for later in [Later::Decide, Later::Hour] {
            self.agenda.plan(self.now, later);
        }
        match self.options.shape {
            DemandShape::Held => (0..self.options.sessions).for_each(|_| self.arrive()),
            DemandShape::Day | DemandShape::Constant => self.expect_next(),
        }
        let end = self.begin + HOUR * self.part.hours;
        while let Some(next) = self.agenda.next() {
            // What the brain has to do in between goes first.
            if let Some(due) = self.due().filter(|due| *due <= next) {
                self.now = self.now.max(due);
                self.handle(ControlEvent::Tick);
                continue;
            }
            let Some((at, later)) = self.agenda.take() else { break };
            self.now = at;
            if later == Later::Hour {
                self.hour(told);
                if self.now >= end {
                    return Ok(());
                }
            } else {
                self.happens(later);
            }
        }
        Err(LoadError::Audit("the simulation ran out of events".to_owned()))
    }

    /// When the brain has something to do.
    fn due(&self) -> Option<Mono> {
        let due = self.control.due()?;
        let exact = self.options.detail == BeatDetail::EverySecond;
        Some(if exact { due } else { Mono(due.0.next_multiple_of(TICK_MS)) })
    }

    /// The machines that are there at the beginning, as many as the first sessions will need.
    fn furnish(&mut self) {
        let options = self.options;
        let open = (f64::from(options.sessions) * self.demand.share(self.part.begin())).ceil() as u32;
        let brain = &options.brain;
        let first = desired_workers(open, options.slots, brain.warm_workers, brain.max_workers);
        for _ in 0..first {
            let index = self.add_machine();
            self.ready(index);
        }
        self.fleet.wished = first;
    }

    fn hour(&mut self, told: &mut dyn FnMut(SimulateProgress)) {
        let hour = self.part.hours_at(self.now);
        self.books.close_hour(self.now, &self.part);
        self.note_most();
        self.agenda.plan(self.now + HOUR, Later::Hour);
        self.tell_prices();
        if hour > 0 {
            let (sessions, machines) = (self.sessions.open, self.fleet.there);
            told(SimulateProgress { hour, hours: self.part.before + self.part.hours, sessions, machines });
        }
    }

    fn tell_prices(&mut self) {
        let prices = &self.options.micro_usd_per_hour;
        let price = prices[self.part.hour_at(self.now) as usize % prices.len()];
        self.handle(ControlEvent::Prices(BTreeMap::from([("simulated".to_owned(), price)])));
    }

    /// Whether what happens now is part of the measurement.
    pub(super) fn measures(&self) -> bool {
        self.now >= self.begin
    }

    fn happens(&mut self, later: Later) {
        match later {
            Later::Arrival => {
                self.arrive();
                self.expect_next();
            }
            Later::Over { cell, serial } => self.over(SessionId(u128::from(serial) << 32 | u128::from(cell))),
            Later::Ready(index) => self.ready(index),
            Later::Beat(index) => self.beat(index),
            Later::Notice(index) => self.notice(index),
            Later::TakenAway(index) => self.taken_away(index),
            Later::Prepared { machine, slot } => self.prepared(machine, slot),
            Later::Left(index) => self.left(index),
            Later::Decide => {
                self.handle(ControlEvent::Decides(Some(self.lease.expiry())));
                self.agenda.plan(self.now + SECOND, Later::Decide);
            }
            Later::Hour => {}
        }
    }

    fn expect_next(&mut self) {
        if let Some(at) = self.demand.next() {
            let since = ((at - self.part.begin()) * 1e3) as u64;
            self.agenda.plan(Mono(since), Later::Arrival);
        }
    }

    /// A caller asks.
    fn arrive(&mut self) {
        let length = self.demand.stay();
        let id = self.sessions.come(self.now, length);
        self.counts.asked += u64::from(self.measures());
        self.note_most();
        let session = Session {
            id,
            kind: SessionKind::Live,
            queue_timeout: self.options.queue_timeout,
            max_duration: Duration::MAX,
            ..self.templates.next(self.wall())
        };
        self.handle(ControlEvent::Submit { session: Box::new(session), idempotency: None, max_open: u32::MAX });
    }

    /// A session is over, where it still runs.
    fn over(&mut self, id: SessionId) {
        let now = self.now;
        let Some(cell) = self.sessions.get(id) else { return };
        let Some((hold, _)) = cell.runs.filter(|(_, until)| *until == now) else { return };
        cell.runs = None;
        let index = Fleet::index(hold.worker);
        let since = self.free(index, &hold);
        self.books.count(now);
        self.books.level.running -= 1;
        let end = Some(SessionEnd::new(EndReason::Completed, None));
        self.report_of(hold, Phase::Ended, since, end);
        self.leave_if_done(index);
    }

    /// What a worker reports of one of its sessions.
    pub(super) fn report_of(&mut self, hold: Hold, phase: Phase, since: Mono, end: Option<SessionEnd>) {
        let delivered = self.now - since;
        let progress = progress(delivered);
        let report = SessionReport { hold, phase, progress, delivered, sent_bytes: 0, end };
        self.handle(ControlEvent::Worker(WorkerEvent::Report(Box::new(report))));
    }

    /// Frees a slot; since when a session ran there.
    pub(super) fn free(&mut self, index: u32, hold: &Hold) -> Mono {
        let now = self.now;
        let Some(slot) = self.fleet.get(index).and_then(|machine| machine.held(hold)) else { return now };
        let before = std::mem::replace(slot, SlotUse::Free);
        self.books.count(now);
        self.books.level.taken -= 1;
        if let SlotUse::Live(_, since) = before { since } else { now }
    }

    /// One more machine, paid for from now on.
    pub(super) fn add_machine(&mut self) -> u32 {
        self.books.count(self.now);
        self.books.level.machines += 1;
        self.books.level.starting += 1;
        self.fleet.there += 1;
        self.fleet.started += u64::from(self.measures());
        self.note_most();
        self.fleet.machines.push(Machine::starting(self.options.slots));
        self.fleet.machines.len() as u32 - 1
    }

    fn note_most(&mut self) {
        if self.measures() {
            self.fleet.most = self.fleet.most.max(self.fleet.there);
            self.sessions.most = self.sessions.most.max(self.sessions.open);
        }
    }

    /// What chance has for a machine, whatever else happens.
    pub(super) fn dice_of(&self, index: u32, about: u64) -> Dice {
        Dice::new(self.part.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ u64::from(index) << 8 ^ about)
    }

    /// Its worker is there.
    fn ready(&mut self, index: u32) {
        let now = self.now;
        let Some(machine) = self.fleet.get(index) else { return };
        machine.state = MachineState::Up(now);
        self.books.count(now);
        self.books.level.starting -= 1;
        let rate = self.options.interruptions_per_hour;
        if rate > 0.0 {
            let after = Duration::from_secs_f64(self.dice_of(index, 1).exponential(3600.0 / rate));
            self.agenda.plan(now + after, Later::Notice(index));
        }
        self.beat(index);
    }

    /// A worker says how it is; `None` planned after its end.
    fn beat(&mut self, index: u32) {
        if !self.say_how(index) {
            return;
        }
        if self.options.detail == BeatDetail::EverySecond {
            let slots = self.fleet.get(index).map(|machine| machine.slots.clone()).unwrap_or_default();
            for slot in slots {
                if let SlotUse::Live(hold, since) = slot {
                    self.report_of(hold, Phase::Running, since, None);
                }
            }
        }
        let every = if self.options.detail == BeatDetail::EverySecond { SECOND } else { SELDOM };
        self.agenda.plan(self.now + every, Later::Beat(index));
    }

    /// A worker's heartbeat; false when it is not there any more.
    pub(super) fn say_how(&mut self, index: u32) -> bool {
        let now = self.now;
        let Some(machine) = self.fleet.get(index).filter(|machine| machine.is_up()) else { return false };
        let beat = machine.heartbeat(Fleet::worker(index), now);
        self.handle(ControlEvent::Worker(WorkerEvent::Heartbeat(Box::new(beat))));
        true
    }

    /// A machine will be taken away: its worker takes nothing new, and its sessions have until then to be moved.
    fn notice(&mut self, index: u32) {
        let measures = self.measures();
        let Some(machine) = self.fleet.get(index).filter(|machine| machine.is_up() && !machine.leaves) else { return };
        machine.draining = true;
        self.counts.interruptions += u64::from(measures);
        self.agenda.plan(self.now + self.options.notice, Later::TakenAway(index));
        self.say_how(index);
        self.leave_if_done(index);
    }

    /// It is taken away, with all that still runs there.
    fn taken_away(&mut self, index: u32) {
        let Some(machine) = self.fleet.get(index).filter(|machine| machine.is_up()) else { return };
        let slots = machine.slots.clone();
        for slot in slots {
            let Some(hold) = slot.hold() else { continue };
            if let SlotUse::Live(..) = slot {
                self.cut_off(hold);
            }
            self.free(index, &hold);
            let why = WorkerRefusal::Leaving;
            self.handle(ControlEvent::Worker(WorkerEvent::Refused { hold, why }));
        }
        self.left(index);
    }

    /// A session runs no longer and has to be placed again.
    fn cut_off(&mut self, hold: Hold) {
        let (now, measures) = (self.now, self.measures());
        let Some(cell) = self.sessions.get(hold.session) else { return };
        let Some((_, until)) = cell.runs.take_if(|(here, _)| *here == hold) else { return };
        cell.left = until - now;
        self.books.count(now);
        self.books.level.running -= 1;
        self.counts.placed_again += u64::from(measures);
    }

    /// A worker has ended: it says so, and its machine is paid for no longer.
    fn left(&mut self, index: u32) {
        let Some(machine) = self.fleet.get(index).filter(|machine| machine.is_up()) else { return };
        machine.state = MachineState::Gone;
        machine.slots = Vec::new();
        let worker = Fleet::worker(index);
        self.handle(ControlEvent::Worker(WorkerEvent::Goodbye { worker, ended: Vec::new() }));
    }

    pub(super) fn wall(&self) -> Wall {
        Wall(EPOCH + self.now.0 as i64)
    }

    /// Hands an event to the brain, then all that comes back for its effects.
    pub(super) fn handle(&mut self, event: ControlEvent) {
        self.outcomes.push_back(event);
        let mut effects = std::mem::take(&mut self.effects);
        while let Some(event) = self.outcomes.pop_front() {
            let now = Now { mono: self.now, wall: self.wall() };
            self.control.handle_into(event, now, &mut effects);
            self.events += 1;
            for effect in effects.drain(..) {
                self.perform(effect);
            }
        }
        self.effects = effects;
    }

    /// What came of it.
    pub(super) fn measured(self) -> Result<Measured, LoadError> {
        let known = self.control.counts().sessions.iter().sum::<u32>();
        if known != self.sessions.open {
            let open = self.sessions.open;
            return Err(LoadError::Audit(format!("{open} sessions are open, and the brain knows of {known}")));
        }
        Ok(Measured {
            most_sessions: self.sessions.most,
            most_machines: self.fleet.most,
            started: self.fleet.started,
            start_up: self.control.scaling_counts(self.now).start_up,
            virtual_hours: self.part.hours_at(self.now),
            events: self.events,
            counts: self.counts,
            booked: self.books.close(),
        })
    }
}

/// The brain's settings: what is not about the number of workers follows from how much is simulated.
fn settings(options: &SimulateOptions) -> Result<ControlSettings, LoadError> {
    let often = options.detail == BeatDetail::EverySecond;
    let lease = if often {
        LeaseTerms::default()
    } else {
        let terms = LeaseTerms::new(SELDOM, SELDOM * 2, SELDOM * 2 + SECOND, SELDOM * 3);
        terms.map_err(|error| LoadError::Setup(error.to_string()))?
    };
    Ok(ControlSettings {
        lease,
        scaling: ScalingMode::Own,
        slots_per_worker: options.slots,
        sweep_every: if often { SECOND * 10 } else { HOUR },
        book_every: if often { SECOND * 10 } else { HOUR * 24 },
        ..options.brain.clone()
    })
}
