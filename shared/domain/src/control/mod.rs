//! The brain: events in, effects out.
//!
//! [`Control::handle`] owns the sessions' state machine, placement, lease deadlines and the number of workers wanted, and
//! touches nothing. A shell carries its effects out; whatever can fail comes back as an event.
//!
//! ```text
//!            Written(Create)      Claimed        Written(Assign)     Sent
//! Creating ───────────────> Queued ─> Claiming ─> Assigning ─> Sending ─> Running <─> Checking
//!                             ^  ^                                           │ lease gone, refused, worker gone
//!  another's, abandoned: Foreign └────────────── Requeueing <────────────────┘
//! any ─> Ending ─> forgotten, once the end is recorded
//! ```
//!
//! Several brains may share the records and the pool. Each write names the version it expects; a brain whose view was
//! overtaken is told so with the record as it stands, and takes that over ([`Control`] calls it adopting). Events of a
//! worker reach one of the brains, not always the one that placed the session; leases are therefore judged by the pool,
//! and a brain that does not know a session passes the report on to the records, whose conditions decide.

mod held;
mod messages;
mod outcomes;
mod queue;
mod reports;
mod sessions;
mod settings;
mod slots;
mod sweep;
mod timers;
mod view;
mod workers;

pub use messages::{Answer, Change, Effect, Event};
pub use settings::Settings;
pub use view::{Counts, FarmView, SlotSession, SlotView, WorkerState, WorkerView};

use crate::ids::{KeyId, SessionId, WorkerId};
use crate::placement::desired_workers;
use crate::time::{Mono, Now};
use held::Held;
use queue::{Queue, ServiceTime};
use slots::Slots;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use sweep::Sweep;
use timers::Timers;

/// A write or a question whose fate is unknown is tried again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The brain of a coordinator.
#[derive(Debug)]
pub struct Control {
    settings: Settings,
    now: Now,
    sessions: HashMap<SessionId, Held>,
    /// Sessions whose record is being written.
    creating: u32,
    open_by_key: HashMap<KeyId, u32>,
    queue: Queue,
    service: ServiceTime,
    slots: Slots,
    session_timers: Timers<SessionId>,
    worker_timers: Timers<WorkerId>,
    /// Workers that said goodbye, until when that is remembered.
    departed: HashMap<WorkerId, Mono>,
    /// The workers in the pool are known.
    begun: bool,
    sweep: Sweep,
    /// Ended while a sweep was on its way: what that reports of them is old.
    ended_lately: HashSet<SessionId>,
    desired: Option<u32>,
    out: Vec<Effect>,
}

impl Control {
    /// A brain that knows nothing yet: its first [`Event::Roster`] tells it the workers and asks for a sweep of the records.
    pub fn new(settings: Settings, now: Now) -> Self {
        Self {
            sweep: Sweep::starting(now.mono, settings.sweep_every),
            settings,
            now,
            sessions: HashMap::new(),
            creating: 0,
            open_by_key: HashMap::new(),
            queue: Queue::default(),
            service: ServiceTime::default(),
            slots: Slots::default(),
            session_timers: Timers::new(),
            worker_timers: Timers::new(),
            departed: HashMap::new(),
            begun: false,
            ended_lately: HashSet::new(),
            desired: None,
            out: Vec::new(),
        }
    }

    /// Takes an event in and says what is to be done, in order.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Effect> {
        self.now = now;
        match event {
            Event::Submit { session, idempotency, max_open } => self.submit(session, idempotency, max_open),
            Event::Cancel(id) => self.cancel(id),
            Event::Worker(event) => self.worker_event(event),
            Event::Roster(heartbeats) => self.roster(heartbeats),
            Event::Returned(command) => self.returned(&command),
            Event::Drain(id) => self.drain(id),
            Event::Written { write, outcome } => self.written(write, outcome),
            Event::Claimed { hold, granted } => self.claimed(hold, granted),
            Event::Sent { hold, accepted } => self.sent(hold, accepted),
            Event::Lease { hold, remaining } => self.lease(hold, remaining),
            Event::Swept(rows) => self.swept(rows),
            Event::Tick => self.tick(),
        }
        self.place_waiting();
        self.say_desired();
        std::mem::take(&mut self.out)
    }

    /// When the next [`Event::Tick`] is due; never before the first [`Event::Roster`].
    pub fn due(&self) -> Option<Mono> {
        if !self.begun {
            return None;
        }
        let timers = [self.session_timers.next(), self.worker_timers.next(), self.queue.news_due(), self.sweep.due()];
        timers.into_iter().flatten().min()
    }

    fn tick(&mut self) {
        if !self.begun {
            return;
        }
        let now = self.now.mono;
        while let Some(id) = self.session_timers.pop(now) {
            self.session_due(id);
        }
        while let Some(id) = self.worker_timers.pop(now) {
            self.worker_due(id);
        }
        if self.queue.news_due().is_some_and(|at| at <= now) {
            self.tell_positions();
        }
        if self.sweep.ask(now) {
            self.ended_lately.clear();
            self.out.push(Effect::Sweep);
        }
    }

    fn say_desired(&mut self) {
        let s = &self.settings;
        let open = u32::try_from(self.sessions.len()).unwrap_or(u32::MAX);
        let desired = desired_workers(open, s.slots_per_worker, s.warm_workers, s.max_workers);
        if self.desired != Some(desired) {
            self.desired = Some(desired);
            self.out.push(Effect::Desired(desired));
        }
    }
}
