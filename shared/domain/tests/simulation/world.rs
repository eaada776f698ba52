//! Everything around the brains, and what befalls it.

use crate::common;
use crate::records::Records;
use crate::rules::{self, LettingGo};
use crate::worker::{Pool, Worker};
use mouthpiece_domain::control::{Control, ControlEffect, ControlEvent, ControlSettings, SubmitAnswer};
use mouthpiece_domain::fleet::{WorkerCommand, WorkerEvent};
use mouthpiece_domain::ids::{KeyId, SessionId, WorkerId};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::ledger::LedgerWrite;
use mouthpiece_domain::session::{Session, SessionKind, SessionSpec};
use mouthpiece_domain::time::{Mono, Now, Wall};
use mouthpiece_domain::warm_pool::ScalingMode;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What may go wrong.
#[derive(Clone, Copy)]
pub struct Chaos {
    on: bool,
    /// Half of the sessions are live.
    live: bool,
    /// Workers are drained.
    drains: bool,
    /// What the bus gave to one brain comes late now and then, to another: the link of the first was dead.
    dead_links: bool,
}

impl Chaos {
    pub fn all() -> Self {
        Self { on: true, live: true, drains: true, dead_links: true }
    }

    pub fn none() -> Self {
        Self { on: false, live: false, drains: false, dead_links: false }
    }

    pub fn drains_only() -> Self {
        Self { on: false, live: true, drains: true, dead_links: false }
    }

    pub fn dead_links_only() -> Self {
        Self { dead_links: true, ..Self::drains_only() }
    }
}

struct Brain {
    control: Control,
    effects: VecDeque<ControlEffect>,
    /// Results on their way back.
    results: Vec<ControlEvent>,
    /// Results that take their time.
    slow: Vec<(Mono, ControlEvent)>,
    /// Steady clocks of processes have nothing to do with each other.
    origin: u64,
    /// When the pool is asked for its workers next.
    roster_at: Mono,
    /// Who it is when it asks whether it decides on the fleet; when it asked, and what it was told.
    who: u128,
    decides: Vec<(Mono, bool)>,
    /// Reads of the records that are under way.
    sweeping: bool,
    /// What was done about workers whose goodbye it heard.
    departed: BTreeMap<WorkerId, LettingGo>,
}

/// Workers that brains want at most.
const MOST_WORKERS: u32 = 8;

pub struct World {
    pub records: Records,
    pub pool: Pool,
    pub workers: Vec<Worker>,
    /// Sessions that were answered with "accepted".
    pub accepted: BTreeSet<SessionId>,
    brains: Vec<Brain>,
    bus: Vec<WorkerEvent>,
    /// Events that lie with a brain whose link is dead, until the bus notices and gives them to another.
    lying: Vec<(Mono, WorkerEvent)>,
    /// Submissions that still wait for an answer, by brain.
    unanswered: BTreeMap<SessionId, usize>,
    pub now: Mono,
    chaos: Chaos,
    random: u64,
    ids: u128,
}

impl World {
    pub fn new(seed: u64, brains: usize, chaos: Chaos) -> Self {
        let mut world = Self {
            records: Records::default(),
            pool: Pool::default(),
            workers: Vec::new(),
            accepted: BTreeSet::new(),
            brains: Vec::new(),
            bus: Vec::new(),
            lying: Vec::new(),
            unanswered: BTreeMap::new(),
            now: Mono(1_000_000),
            chaos,
            random: seed,
            ids: 0,
        };
        for _ in 0..brains {
            let brain = world.brain();
            world.brains.push(brain);
        }
        for _ in 0..3 {
            world.start_worker();
        }
        world
    }

    /// A number below `n` (splitmix64).
    fn roll(&mut self, n: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }

    /// True once in `n`, where things go wrong at all.
    fn mishap(&mut self, n: u64) -> bool {
        self.chaos.on && self.roll(n) == 0
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    fn brain(&mut self) -> Brain {
        let origin = self.roll(500_000);
        // Hasty: workers come and go as often as can be.
        let settings = ControlSettings {
            queue_limit: 500,
            sweep_every: Duration::from_secs(5),
            scaling: ScalingMode::Own,
            max_workers: MOST_WORKERS,
            start_up: Duration::from_secs(1),
            arrival_window: Duration::from_secs(5),
            shrink_after: Duration::from_secs(2),
            ..ControlSettings::default()
        };
        let who = self.id();
        Brain {
            control: Control::new(settings, at(self.now, origin)),
            effects: VecDeque::new(),
            results: Vec::new(),
            slow: Vec::new(),
            origin,
            roster_at: self.now,
            who,
            decides: Vec::new(),
            sweeping: false,
            departed: BTreeMap::new(),
        }
    }

    fn start_worker(&mut self) {
        let id = WorkerId(self.id());
        let slots = 1 + self.roll(2) as u8;
        self.workers.push(Worker::new(id, slots, self.now));
    }

    /// Lets it go on for so many steps, sessions coming and mishaps happening.
    pub fn live(mut self, steps: u32) -> Self {
        for _ in 0..steps {
            if self.roll(5) == 0 {
                self.submit();
            }
            self.befall();
            self.step();
        }
        self
    }

    /// No more mishaps: everything that was accepted must come to its end.
    pub fn settle(mut self) -> Self {
        self.chaos = Chaos::none();
        self.workers.iter_mut().for_each(|w| w.frozen_until = Mono(0));
        self.start_worker(); // the others may have been told to drain
        for _ in 0..4000 {
            self.step();
            if self.records.open().is_empty() && self.unanswered.is_empty() && self.quiet() {
                break;
            }
        }
        rules::all_came_to_an_end(&self);
        // A few heartbeats later every brain sees every slot free again.
        for _ in 0..200 {
            self.step();
        }
        // What was decided in the last of them is carried out, too.
        for n in 0..self.brains.len() {
            while !self.brains[n].effects.is_empty() {
                self.carry_out(n);
            }
        }
        for brain in &self.brains {
            assert_eq!(brain.control.counts().slots_taken, 0, "a slot leaked");
            assert_eq!(brain.control.counts().sessions, [0; 5], "an ended session is still held");
            for (worker, done) in &brain.departed {
                assert_eq!(*done, LettingGo::ONCE, "{worker} said goodbye");
            }
            let known = brain.control.view(at(self.now, brain.origin)).workers;
            let ghost = known.iter().find(|worker| brain.departed.contains_key(&worker.id));
            assert!(ghost.is_none(), "a worker that said goodbye came back: {ghost:?}");
        }
        assert!(self.unanswered.is_empty(), "unanswered: {:?}", self.unanswered);
        self
    }

    fn quiet(&self) -> bool {
        self.bus.is_empty()
            && self.lying.is_empty()
            && self.brains.iter().all(|b| b.effects.is_empty() && b.results.is_empty() && b.slow.is_empty())
    }

    fn submit(&mut self) {
        let id = SessionId(self.id());
        // Never the reason of an end here: what hangs must not be saved by its time limit.
        let longest = Duration::from_secs(1_000_000);
        let first = common::session(id, longest);
        let spec = SessionSpec { content: format!("{:064x}", self.roll(3)), ..(*first.spec).clone() };
        let key = KeyId(self.roll(2).into());
        let kind = if self.chaos.live && self.roll(2) == 0 { SessionKind::Live } else { SessionKind::Render };
        let session = Session { kind, key, spec: Arc::new(spec), max_duration: longest, ..first };
        let to = self.roll(self.brains.len() as u64) as usize;
        self.unanswered.insert(id, to);
        let event = ControlEvent::Submit { session: Box::new(session), idempotency: None, max_open: 1000 };
        self.tell(to, event);
    }

    /// What goes wrong.
    fn befall(&mut self) {
        if self.mishap(40) {
            let n = self.roll(self.workers.len() as u64) as usize;
            self.workers[n].alive = false;
            self.start_worker();
        }
        if self.mishap(30) {
            let n = self.roll(self.workers.len() as u64) as usize;
            let until = self.now + Duration::from_millis(self.roll(12_000));
            self.workers[n].frozen_until = until;
        }
        if self.mishap(60) {
            let n = self.roll(self.brains.len() as u64) as usize;
            self.unanswered.retain(|_, to| *to != n); // their callers see a broken connection
            self.brains[n] = self.brain();
        }
        if self.chaos.drains && self.roll(60) == 0 {
            let n = self.roll(self.workers.len() as u64) as usize;
            let id = self.workers[n].id;
            let to = self.roll(self.brains.len() as u64) as usize;
            self.tell(to, ControlEvent::Drain(id));
            self.start_worker();
        }
        if self.mishap(15) {
            let nth = self.roll(20) as usize;
            if let Some(id) = self.accepted.iter().nth(nth).copied() {
                let to = self.roll(self.brains.len() as u64) as usize;
                self.tell(to, ControlEvent::Cancel(id));
            }
        }
    }

    /// A little time passes and some of what waits is carried out.
    fn step(&mut self) {
        self.now = self.now + Duration::from_millis(20 + self.roll(200));
        let mut said = Vec::new();
        for worker in &mut self.workers {
            worker.act(self.now, &mut self.pool, &mut said);
        }
        self.bus.extend(said);
        rules::hold_now(self);
        for n in 0..self.brains.len() {
            self.ask_for_workers(n);
            let now = self.now;
            let brain = &mut self.brains[n];
            brain.results.extend(brain.slow.extract_if(.., |(at, _)| *at <= now).map(|(_, event)| event));
            for _ in 0..self.roll(30) {
                self.carry_out(n);
            }
            self.tell_who_decides(n);
            let due = self.brains[n].control.due();
            let clock = at(self.now, self.brains[n].origin).mono;
            if due.is_some_and(|due| due <= clock) {
                self.tell(n, ControlEvent::Tick);
            }
        }
        self.deliver();
        rules::hold_now(self);
    }

    /// Tells a brain who is in the pool, now and then; it learns of it a little later. Sometimes the pool cannot be
    /// asked, which is said the first time only.
    fn ask_for_workers(&mut self, n: usize) {
        if self.now < self.brains[n].roster_at {
            return;
        }
        let first = self.brains[n].control.due().is_none() && self.brains[n].results.is_empty();
        let workers = if self.mishap(5) { Vec::new() } else { self.pool.workers(self.now) };
        let workers_unknown = workers.is_empty();
        if first || !workers_unknown {
            self.brains[n].results.push(ControlEvent::Roster(workers));
        }
        self.brains[n].roster_at = self.now + Duration::from_secs(2);
        if !workers_unknown && !self.mishap(10) {
            let who = self.brains[n].who;
            let granted = self.pool.decide(who, LeaseTerms::default().expiry(), self.now);
            self.brains[n].decides.push((self.now, granted));
        }
    }

    /// A brain learns whether it decides, sooner or later.
    fn tell_who_decides(&mut self, n: usize) {
        if self.brains[n].decides.is_empty() || self.roll(3) == 0 {
            return;
        }
        let (asked, granted) = self.brains[n].decides.remove(0);
        let left = LeaseTerms::default().hard_stop().saturating_sub(self.now - asked);
        self.tell(n, ControlEvent::Decides(granted.then_some(left)));
    }

    /// Events reach some brain; in the wrong order, and some of them twice.
    fn deliver(&mut self) {
        let now = self.now;
        self.bus.extend(self.lying.extract_if(.., |(until, _)| *until <= now).map(|(_, event)| event));
        for _ in 0..self.bus.len() {
            let pick = if self.mishap(4) { self.roll(self.bus.len() as u64) as usize } else { 0 };
            let event = if self.mishap(10) { self.bus[pick].clone() } else { self.bus.remove(pick) };
            if matches!(event, WorkerEvent::Heartbeat(_)) && self.mishap(10) {
                continue; // lost on the way
            }
            if self.chaos.dead_links && self.roll(15) == 0 {
                let until = self.now + Duration::from_millis(self.roll(20_000));
                self.lying.push((until, event));
                continue;
            }
            let to = self.roll(self.brains.len() as u64) as usize;
            self.tell(to, ControlEvent::Worker(event));
        }
    }

    fn tell(&mut self, brain: usize, event: ControlEvent) {
        let brain = &mut self.brains[brain];
        match &event {
            ControlEvent::Worker(WorkerEvent::Goodbye { worker, .. }) => {
                brain.departed.entry(*worker).or_default();
            }
            ControlEvent::Swept(_) => brain.sweeping = false,
            _ => {}
        }
        let effects = brain.control.handle(event, at(self.now, brain.origin));
        let decides = effects.iter().any(|effect| matches!(effect, ControlEffect::Desired(_)));
        brain.effects.extend(effects);
        let who = brain.who;
        assert!(!decides || self.pool.decider(self.now) == Some(who), "it decides on the fleet and has no right to");
    }

    /// Carries out a brain's next effect, or lets a result arrive.
    fn carry_out(&mut self, n: usize) {
        if !self.brains[n].results.is_empty() && self.roll(2) == 0 {
            let event = self.brains[n].results.remove(0);
            return self.tell(n, event);
        }
        let Some(effect) = self.brains[n].effects.pop_front() else { return };
        let result = match effect {
            ControlEffect::Write(write) => Some(self.write(write)),
            ControlEffect::Claim { hold, expiry } => {
                let granted = self.pool.claim(hold, expiry, self.now);
                Some(ControlEvent::Claimed { hold, granted: granted && !self.mishap(20) })
            }
            ControlEffect::Release(hold) => {
                self.pool.release(hold, self.now);
                None
            }
            ControlEffect::Send { worker, command } => self.send(worker, command),
            ControlEffect::CheckLease(hold) => {
                Some(ControlEvent::Lease { hold, remaining: self.pool.remaining(hold, self.now) })
            }
            ControlEffect::Sweep => {
                assert!(!self.brains[n].sweeping, "the records are read twice at a time");
                self.brains[n].sweeping = true;
                let swept = ControlEvent::Swept(self.records.open());
                if self.mishap(4) {
                    // Longer than the time between two sweeps.
                    let at = self.now + Duration::from_millis(self.roll(15_000));
                    self.brains[n].slow.push((at, swept));
                    return;
                }
                Some(swept)
            }
            ControlEffect::Forget(worker) => {
                rules::may_be_let_go(self, worker);
                self.letting_go(n, worker).forgotten += 1;
                self.pool.forget(worker);
                None
            }
            ControlEffect::Abandon(_) => None,
            ControlEffect::Retire(left) => {
                rules::may_be_let_go(self, left.worker);
                self.letting_go(n, left.worker).retired += 1;
                None
            }
            ControlEffect::Answer { session, answer } => {
                assert_eq!(self.unanswered.remove(&session), Some(n), "answered once, by whom it was asked of");
                if let SubmitAnswer::Accepted(s) = answer {
                    assert!(self.records.get(s.id).is_some(), "accepted and not recorded");
                    self.accepted.insert(s.id);
                }
                None
            }
            ControlEffect::Desired(workers) => {
                if self.workers.iter().filter(|worker| worker.alive).count() < workers as usize {
                    self.start_worker();
                }
                None
            }
            ControlEffect::Changed(_) | ControlEffect::WorkerChanged(_) => None,
        };
        self.brains[n].results.extend(result);
    }

    fn letting_go(&mut self, n: usize, worker: WorkerId) -> &mut LettingGo {
        self.brains[n].departed.get_mut(&worker).unwrap_or_else(|| panic!("nobody told brain {n} that {worker} left"))
    }

    fn write(&mut self, write: LedgerWrite) -> ControlEvent {
        let outcome = match (self.mishap(25), self.mishap(2)) {
            (false, _) => Some(self.records.write(&write)),
            (true, applied) => {
                // The store did not answer; it may have done it or not.
                if applied {
                    self.records.write(&write);
                }
                None
            }
        };
        ControlEvent::Written { write, outcome }
    }

    fn send(&mut self, id: WorkerId, command: WorkerCommand) -> Option<ControlEvent> {
        let worker = self.workers.iter_mut().find(|w| w.id == id && w.alive);
        let hold = match &command {
            WorkerCommand::Assign(a) | WorkerCommand::Prepare(a) => Some(a.hold),
            _ => None,
        };
        let accepted = worker.is_some();
        if let Some(worker) = worker {
            worker.inbox.push_back(command);
        }
        hold.map(|hold| ControlEvent::Sent { hold, accepted })
    }
}

/// A process's clocks: its steady one counts from an origin of its own.
fn at(now: Mono, origin: u64) -> Now {
    Now { mono: Mono(now.0 - origin), wall: Wall(now.0 as i64) }
}
