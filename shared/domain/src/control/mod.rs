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
//! Running ─> Running elsewhere, under the next fence: see `moves`
//! any ─> Ending ─> forgotten, once the end is recorded
//! ```
//!
//! Several brains may share the records and the pool. Each write names the version it expects; a brain whose view was
//! overtaken is told so with the record as it stands, and takes that over ([`Control`] calls it adopting). Events of a
//! worker reach one of the brains, not always the one that placed the session; leases are therefore judged by the pool,
//! and a brain that does not know a session passes the report on to the records, whose conditions decide.

mod held;
mod messages;
mod moves;
mod outcomes;
mod placement_index;
mod queue;
mod reports;
mod scaling;
mod sessions;
mod settings;
mod slots;
mod sweep;
mod tally;
mod timers;
mod view;
mod workers;

pub use messages::{ControlEffect, ControlEvent, SessionChange, SubmitAnswer};
pub use scaling::ScalingCounts;
pub use settings::ControlSettings;
pub use view::{FarmCounts, FarmView, SlotSession, SlotView, WorkerState, WorkerView};

use crate::id_map::{IdMap, IdSet};
use crate::ids::{KeyId, SessionId, WorkerId};
use crate::time::{Mono, Now};
use held::OpenSession;
use moves::Moves;
use queue::{ServiceTime, WaitingQueue};
use scaling::Scaling;
use slots::Slots;
use std::time::Duration;
use sweep::Sweep;
use timers::Timers;

/// A write or a question whose fate is unknown is tried again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The brain of a coordinator.
#[derive(Debug)]
pub struct Control {
    settings: ControlSettings,
    now: Now,
    /// Each apart: a look through the map touches ids, not records.
    sessions: IdMap<SessionId, Box<OpenSession>>,
    /// Sessions whose record is being written.
    creating: u32,
    open_by_key: IdMap<KeyId, u32>,
    queue: WaitingQueue,
    service: ServiceTime,
    slots: Slots,
    moves: Moves,
    session_timers: Timers<SessionId>,
    worker_timers: Timers<WorkerId>,
    /// Workers that said goodbye, until when that is remembered.
    departed: IdMap<WorkerId, Mono>,
    /// The workers in the pool are known.
    begun: bool,
    /// When the pool told last who is in it.
    asked_pool: Option<Mono>,
    sweep: Sweep,
    /// The records were read before.
    swept_once: bool,
    /// Ended while a sweep was on its way: what that reports of them is old.
    ended_lately: IdSet<SessionId>,
    scaling: Scaling,
    out: Vec<ControlEffect>,
}

impl Control {
    /// A brain that knows nothing yet: its first [`ControlEvent::Roster`] tells it the workers and asks for a sweep of the records.
    pub fn new(settings: ControlSettings, now: Now) -> Self {
        Self {
            sweep: Sweep::starting(now.mono, settings.sweep_every),
            scaling: Scaling::new(&settings),
            settings,
            now,
            sessions: IdMap::default(),
            creating: 0,
            open_by_key: IdMap::default(),
            queue: WaitingQueue::default(),
            service: ServiceTime::default(),
            slots: Slots::default(),
            moves: Moves::default(),
            session_timers: Timers::new(),
            worker_timers: Timers::new(),
            departed: IdMap::default(),
            begun: false,
            asked_pool: None,
            swept_once: false,
            ended_lately: IdSet::default(),
            out: Vec::new(),
        }
    }

    /// Takes an event in and says what is to be done, in order.
    pub fn handle(&mut self, event: ControlEvent, now: Now) -> Vec<ControlEffect> {
        let mut effects = Vec::new();
        self.handle_into(event, now, &mut effects);
        effects
    }

    /// The same for who handles millions: `effects` holds what is to be done afterwards, and nothing of what it held before.
    pub fn handle_into(&mut self, event: ControlEvent, now: Now, effects: &mut Vec<ControlEffect>) {
        self.now = now;
        match event {
            ControlEvent::Submit { session, idempotency, max_open } => self.submit(session, idempotency, max_open),
            ControlEvent::Cancel(id) => self.cancel(id),
            ControlEvent::Worker(event) => self.worker_event(event),
            ControlEvent::Roster(heartbeats) => self.roster(heartbeats),
            ControlEvent::Returned(command) => self.returned(&command),
            ControlEvent::Drain(id) => self.drain(id),
            ControlEvent::Written { write, outcome } => self.written(write, outcome),
            ControlEvent::Claimed { hold, granted } => self.claimed(hold, granted),
            ControlEvent::Sent { hold, accepted } => self.sent(hold, accepted),
            ControlEvent::Lease { hold, remaining } => self.lease(hold, remaining),
            ControlEvent::Swept(rows) => self.swept(rows),
            ControlEvent::Prices(now) => self.scaling.prices(now),
            ControlEvent::Decides(span) => self.scaling.decides(span, self.now.mono),
            ControlEvent::Tick => self.tick(),
        }
        // Who is about to lose its worker goes before who waits for one.
        self.move_sessions();
        self.place_waiting();
        self.scale();
        effects.clear();
        std::mem::swap(&mut self.out, effects);
    }

    /// When the next [`ControlEvent::Tick`] is due; never before the first [`ControlEvent::Roster`].
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
            self.out.push(ControlEffect::Sweep);
        }
    }
}
