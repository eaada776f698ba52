//! The small farm in virtual time, in steps of ten milliseconds.

use super::Sabotage;
use super::books::Books;
use super::pool::SlotTable;
use super::worker::{RunningWork, SmallWorker};
use crate::agenda::Agenda;
use crate::chaos::history::{Happening, HistoryEvent, Placement};
use crate::dice::Dice;
use crate::sessions::Sessions;
use mouthpiece_domain::control::{Control, ControlEffect, ControlEvent, ControlSettings, SubmitAnswer};
use mouthpiece_domain::fleet::{Hold, WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::session::Phase;
use mouthpiece_domain::time::{Mono, Now, Wall};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

const STEP: Duration = Duration::from_millis(10);
const BRAINS: usize = 2;
const WORKERS: usize = 3;
const SLOTS: usize = 2;
/// Of sessions, of faults: one comes in so many milliseconds, about.
const ARRIVES_IN: u64 = 900;
const BREAKS_IN: u64 = 1500;

/// What comes later: to a brain, or to a worker.
enum Later {
    News(WorkerEvent),
    Assign(Hold),
    Stop(Hold),
}

pub(super) struct World {
    sabotage: Sabotage,
    now: Now,
    dice: Dice,
    lease: LeaseTerms,
    brains: Vec<Control>,
    books: Books,
    pool: SlotTable,
    workers: Vec<SmallWorker>,
    born: u128,
    sessions: Sessions,
    requests: HashMap<SessionId, u32>,
    asked: u32,
    agenda: Agenda<Later>,
    history: Vec<HistoryEvent>,
}

fn settings() -> ControlSettings {
    let ms = Duration::from_millis;
    let lease = LeaseTerms::new(ms(200), ms(1200), ms(1600), ms(2000)).unwrap();
    ControlSettings { lease, max_attempts: 50, sweep_every: ms(3000), ..ControlSettings::default() }
}

impl World {
    pub(super) fn new(sabotage: Sabotage, seed: u64) -> Self {
        let now = Now { mono: Mono(0), wall: Wall(1_700_000_000_000) };
        let settings = settings();
        let mut world = Self {
            sabotage,
            now,
            dice: Dice::new(seed),
            lease: settings.lease,
            brains: (0..BRAINS).map(|_| Control::new(settings.clone(), now)).collect(),
            books: Books::new(sabotage, seed),
            pool: SlotTable::new(sabotage == Sabotage::SlotGivenTwice),
            workers: Vec::new(),
            born: 0,
            sessions: Sessions::new(seed).unwrap(),
            requests: HashMap::new(),
            asked: 0,
            agenda: Agenda::default(),
            history: Vec::new(),
        };
        for place in 0..WORKERS {
            let worker = world.new_worker(place);
            world.workers.push(worker);
        }
        for brain in 0..BRAINS {
            world.begin(brain);
        }
        world
    }

    fn new_worker(&mut self, place: usize) -> SmallWorker {
        self.born += 1;
        let label = format!("worker-{place}#{}", self.born);
        self.tell(Happening::Started { process: label.clone() });
        SmallWorker::new(WorkerId(self.born), label, SLOTS, self.now.mono)
    }

    fn tell(&mut self, what: Happening) {
        self.history.push(HistoryEvent { at_ms: self.now.mono.0, what });
    }

    /// The workers of which the pool knows.
    fn begin(&mut self, brain: usize) {
        let beats = self.workers.iter().filter(|w| w.is_well()).map(|w| w.heartbeat(self.now.mono)).collect();
        self.handle(brain, ControlEvent::Roster(beats));
    }

    /// Sessions come and things break for so many milliseconds.
    pub(super) fn run(&mut self, ms: u64) {
        let until = self.now.mono + Duration::from_millis(ms);
        while self.now.mono < until {
            if self.dice.once_in(ARRIVES_IN / 10) {
                self.ask();
            }
            if self.dice.once_in(BREAKS_IN / 10) {
                self.break_something();
            }
            self.step();
        }
    }

    /// Nothing breaks any more, until all sessions have ended, for at most so many milliseconds.
    pub(super) fn settle(&mut self, ms: u64) {
        let until = self.now.mono + Duration::from_millis(ms);
        let mut quiet = 0;
        while self.now.mono < until && quiet < 400 {
            quiet = if self.books.open().is_empty() { quiet + 1 } else { 0 };
            self.step();
        }
        let records: Vec<_> = self.books.sessions().cloned().collect();
        for session in records {
            self.tell(Happening::Recorded {
                session: session.id.to_string(),
                kind: session.kind.name().to_owned(),
                state: session.phase.name().to_owned(),
                fence: session.fence.0,
                reason: session.end.as_ref().map(|end| end.reason.name().to_owned()),
                request: self.requests.get(&session.id).copied(),
            });
        }
        for (session, delivered) in self.books.billed() {
            let delivered_ms = delivered.as_millis() as u64;
            self.tell(Happening::Billed { session: session.to_string(), delivered_ms });
        }
    }

    pub(super) fn history(self) -> Vec<HistoryEvent> {
        self.history
    }

    fn ask(&mut self) {
        self.asked += 1;
        let session = Box::new(self.sessions.next(self.now.wall));
        self.requests.insert(session.id, self.asked);
        self.tell(Happening::Asked { request: self.asked, kind: "render".to_owned() });
        let brain = self.dice.below(BRAINS as u64) as usize;
        self.handle(brain, ControlEvent::Submit { session, idempotency: None, max_open: u32::MAX });
    }

    fn break_something(&mut self) {
        let now = self.now.mono;
        let place = self.dice.below(WORKERS as u64) as usize;
        let until = now + Duration::from_millis(300 + self.dice.below(4000));
        if self.workers.iter().any(|worker| !worker.is_well()) {
            return; // one at a time
        }
        let process = self.workers[place].label.clone();
        match self.dice.below(4) {
            0 => {
                self.workers[place].dead_until = Some(until);
                self.tell(Happening::Died { process });
            }
            1 => {
                self.workers[place].paused_until = Some(until);
                self.tell(Happening::Paused { process });
            }
            2 => self.workers[place].cut_until = Some(until),
            _ => {
                // A brain is started anew and remembers nothing.
                let brain = place % BRAINS;
                self.brains[brain] = Control::new(settings(), self.now);
                self.begin(brain);
            }
        }
    }

    fn step(&mut self) {
        self.now.mono = self.now.mono + STEP;
        self.now.wall.0 += 10;
        let now = self.now.mono;
        for brain in 0..BRAINS {
            if self.brains[brain].due().is_some_and(|due| due <= now) {
                self.handle(brain, ControlEvent::Tick);
            }
            if now.0.is_multiple_of(2000) {
                self.begin(brain);
            }
        }
        while let Some(later) = self.agenda.take_due(now) {
            match later {
                Later::News(event) => self.news(event),
                Later::Assign(hold) => self.take_up(hold),
                Later::Stop(hold) => self.stop(hold),
            }
        }
        for place in 0..WORKERS {
            self.wake(place);
            if self.workers[place].acts() {
                self.work(place);
            }
        }
    }

    /// What was done to a worker is over when its time comes.
    fn wake(&mut self, place: usize) {
        let now = self.now.mono;
        let over = |until: Option<Mono>| until.is_some_and(|until| until <= now);
        if over(self.workers[place].dead_until) {
            self.workers[place] = self.new_worker(place);
        }
        let worker = &mut self.workers[place];
        worker.cut_until.take_if(|until| *until <= now);
        if worker.paused_until.take_if(|until| *until <= now).is_some() {
            let process = worker.label.clone();
            self.tell(Happening::Resumed { process });
        }
    }

    /// One step of a worker that can do something.
    fn work(&mut self, place: usize) {
        let now = self.now.mono;
        let reachable = self.workers[place].cut_until.is_none();
        if now.0.is_multiple_of(200) && reachable {
            let running: Vec<_> = self.workers[place].slots.iter().flatten().copied().collect();
            for work in running {
                let of = self.placement(place, work.hold);
                self.tell(Happening::Reports { place: of, delivered_ms: work.delivered.as_millis() as u64 });
            }
            let beat = self.workers[place].heartbeat(now);
            self.send_news(WorkerEvent::Heartbeat(Box::new(beat)));
        }
        for slot in 0..SLOTS {
            let Some(mut work) = self.workers[place].slots[slot] else { continue };
            if now - work.asked >= self.lease.hard_stop() && self.sabotage != Sabotage::LeaseForgotten {
                self.give_up(place, slot);
                continue;
            }
            if now - work.asked >= self.lease.renew() && reachable {
                if self.pool.renew(&work.hold, self.lease.expiry(), now) {
                    work.asked = now;
                } else {
                    self.give_up(place, slot);
                    continue;
                }
            }
            work.delivered = (work.delivered + STEP).min(work.length);
            // Its end is told when somebody hears it.
            let phase = if work.delivered == work.length && reachable { Phase::Ended } else { Phase::Running };
            let tells = phase != work.phase || now - work.reported >= Duration::from_secs(1);
            work.phase = phase;
            if tells {
                work.reported = now;
            }
            self.workers[place].slots[slot] = Some(work);
            if tells {
                self.report(place, work);
            }
            if phase == Phase::Ended {
                self.pool.release(&work.hold, now);
                self.let_go(place, slot);
            }
        }
    }

    fn report(&mut self, place: usize, work: RunningWork) {
        let delivered_ms = work.delivered.as_millis() as u64;
        let of = self.placement(place, work.hold);
        let ended = work.phase == Phase::Ended;
        self.tell(Happening::Reports { place: of.clone(), delivered_ms });
        if self.workers[place].cut_until.is_none() {
            self.tell(Happening::Reported { place: of, delivered_ms, ended });
            self.send_news(WorkerEvent::Report(Box::new(work.report())));
        }
    }

    /// News come a little late, and now and then a second time.
    fn send_news(&mut self, event: WorkerEvent) {
        let wait = self.dice.below(50);
        self.plan(wait, Later::News(event.clone()));
        if self.dice.once_in(10) {
            let wait = self.dice.below(4000);
            self.plan(wait, Later::News(event));
        }
    }

    fn news(&mut self, event: WorkerEvent) {
        let brain = self.dice.below(BRAINS as u64) as usize;
        self.handle(brain, ControlEvent::Worker(event));
    }

    fn plan(&mut self, wait_ms: u64, later: Later) {
        self.agenda.plan(self.now.mono + Duration::from_millis(wait_ms), later);
    }

    fn placement(&self, place: usize, hold: Hold) -> Placement {
        let (worker, session) = (self.workers[place].label.clone(), hold.session.to_string());
        Placement { worker, session, fence: hold.fence.0, slot: hold.slot.0 }
    }

    fn let_go(&mut self, place: usize, slot: usize) {
        let Some(work) = self.workers[place].slots[slot].take() else { return };
        let of = self.placement(place, work.hold);
        self.tell(Happening::LetGo { place: of, delivered_ms: work.delivered.as_millis() as u64 });
    }

    /// The lease is lost.
    fn give_up(&mut self, place: usize, slot: usize) {
        let hold = self.workers[place].slots[slot].map(|work| work.hold);
        self.let_go(place, slot);
        if let Some(hold) = hold {
            self.send_news(WorkerEvent::Refused { hold, why: WorkerRefusal::LeaseLost });
        }
    }

    /// An assignment comes to its worker, perhaps not for the first time.
    fn take_up(&mut self, hold: Hold) {
        let now = self.now.mono;
        let Some(place) = self.workers.iter().position(|worker| worker.id == hold.worker) else { return };
        if !self.workers[place].acts() {
            return self.plan(200, Later::Assign(hold)); // it lies in the queue
        }
        let slot = usize::from(hold.slot.0);
        let runs = self.workers[place].slots[slot].is_some_and(|work| work.hold == hold);
        if runs {
            return;
        }
        let reachable = self.workers[place].cut_until.is_none();
        let granted =
            (reachable && self.pool.renew(&hold, self.lease.expiry(), now)) || self.sabotage == Sabotage::OldFenceTaken;
        if !granted {
            return self.send_news(WorkerEvent::Refused { hold, why: WorkerRefusal::LeaseLost });
        }
        if self.sabotage != Sabotage::SlotGivenTwice {
            self.let_go(place, slot); // the pool gave the slot on
        }
        let length = Duration::from_millis((1000 + self.dice.below(8000)) / 10 * 10);
        let work =
            RunningWork { hold, asked: now, reported: now, delivered: Duration::ZERO, length, phase: Phase::Preparing };
        self.workers[place].slots[slot] = Some(work);
        let of = self.placement(place, hold);
        self.tell(Happening::Serves { place: of });
        self.report(place, work);
    }

    fn stop(&mut self, hold: Hold) {
        let Some(place) = self.workers.iter().position(|worker| worker.id == hold.worker) else { return };
        if !self.workers[place].acts() {
            return self.plan(200, Later::Stop(hold));
        }
        let slot = usize::from(hold.slot.0);
        if self.workers[place].slots[slot].is_some_and(|work| work.hold == hold) {
            self.pool.release(&hold, self.now.mono);
            self.let_go(place, slot);
        }
    }

    /// An event through a brain, and all that comes back for its effects.
    fn handle(&mut self, brain: usize, event: ControlEvent) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.brains[brain].handle(event, self.now) {
                self.perform(effect, &mut events);
            }
        }
    }

    fn perform(&mut self, effect: ControlEffect, events: &mut VecDeque<ControlEvent>) {
        let now = self.now.mono;
        match effect {
            ControlEffect::Write(write) => {
                let outcome = Some(self.books.write(&write));
                events.push_back(ControlEvent::Written { write, outcome });
            }
            ControlEffect::Claim { hold, expiry } => {
                let granted = self.pool.claim(&hold, expiry, now);
                events.push_back(ControlEvent::Claimed { hold, granted });
            }
            ControlEffect::Release(hold) => self.pool.release(&hold, now),
            ControlEffect::CheckLease(hold) => {
                events.push_back(ControlEvent::Lease { hold, remaining: self.pool.remaining(&hold, now) });
            }
            ControlEffect::Send { command: WorkerCommand::Assign(assignment), .. } => {
                let hold = assignment.hold;
                events.push_back(ControlEvent::Sent { hold, accepted: true });
                self.plan(5, Later::Assign(hold));
                if self.dice.once_in(4) {
                    let wait = 500 + self.dice.below(6000);
                    self.plan(wait, Later::Assign(hold));
                }
            }
            ControlEffect::Send { command: WorkerCommand::Stop(hold), .. } => self.plan(5, Later::Stop(hold)),
            ControlEffect::Sweep => events.push_back(ControlEvent::Swept(self.books.open())),
            ControlEffect::Forget(worker) => self.pool.forget(worker),
            ControlEffect::Answer { session, answer } => {
                let Some(request) = self.requests.get(&session).copied() else { return };
                let made = matches!(answer, SubmitAnswer::Accepted(_));
                let (status, id) = if made { (202, Some(session.to_string())) } else { (503, None) };
                self.tell(Happening::Answered { request, status, session: id, retry_after: !made });
            }
            ControlEffect::Changed(change) => {
                let session = change.session;
                let reason = session.end.as_ref().map(|end| end.reason.name().to_owned());
                let (state, fence) = (session.phase.name().to_owned(), session.fence.0);
                let ended = session.phase == Phase::Ended && self.books.is_open(session.id);
                // What a brain believes to have ended, and is open on record, is for the record to tell.
                if !ended {
                    self.tell(Happening::Seen { session: session.id.to_string(), fence, state, reason });
                }
            }
            ControlEffect::Send { .. }
            | ControlEffect::Abandon(_)
            | ControlEffect::Retire(_)
            | ControlEffect::WorkerChanged(_)
            | ControlEffect::Desired(_) => {}
        }
    }
}
