//! Sweeps of the records: sessions whose coordinator is gone, and what other coordinators did.

use super::Control;
use super::held::{OpenSession, TimedStep};
use crate::ids::SessionId;
use crate::session::{Phase, Session};
use crate::time::Mono;
use std::collections::HashSet;
use std::time::Duration;

/// When the records are read next.
#[derive(Debug)]
pub(super) struct Sweep {
    next: Mono,
    asked: Option<Mono>,
    every: Duration,
}

impl Sweep {
    /// From `at` on, every so often.
    pub(super) fn starting(at: Mono, every: Duration) -> Self {
        Self { next: at, asked: None, every }
    }

    /// Never while one is on its way: reading the records may take longer than the time between two sweeps.
    pub(super) fn due(&self) -> Option<Mono> {
        self.asked.is_none().then_some(self.next)
    }

    /// True when it is time; the next time is set.
    pub(super) fn ask(&mut self, now: Mono) -> bool {
        let due = self.due().is_some_and(|at| at <= now);
        if due {
            self.asked = Some(now);
            self.next = now + self.every;
        }
        due
    }
}

impl Control {
    pub(super) fn swept(&mut self, rows: Vec<Session>) {
        let Some(asked) = self.sweep.asked.take() else { return };
        let open: HashSet<SessionId> = rows.iter().map(|r| r.id).collect();
        for row in rows {
            self.found(row);
        }
        // What was on record when the records were read and is not open there has ended by another brain.
        let gone = |h: &OpenSession| h.on_record < asked && !open.contains(&h.session.id) && !h.writing();
        let gone: Vec<SessionId> = self.sessions.values().filter(|h| gone(h)).map(|h| h.session.id).collect();
        for id in gone {
            self.forget(id);
        }
        self.ended_lately.clear();
        self.swept_once = true;
    }

    fn found(&mut self, row: Session) {
        let id = row.id;
        match self.sessions.get(&id) {
            Some(held) if row.version() > held.session.version() && !held.writing() => {
                self.overtaken(id, Some(Box::new(row)));
            }
            Some(_) => {}
            None if self.ended_lately.contains(&id) => {}
            None => {
                // At the first reading they have been there for long, as far as anybody knows.
                if self.swept_once {
                    self.scaling.came(self.now.mono);
                }
                self.take_up(row);
            }
        }
    }

    /// A session that this brain did not know: watched for a while, then its own.
    fn take_up(&mut self, row: Session) {
        let id = row.id;
        let turn = self.queue.turn();
        let held = OpenSession::new(row, TimedStep::Foreign, turn, self.now.mono);
        let place = held.recorded_hold();
        let waits = held.session.phase == Phase::Requested;
        self.hold(held);
        match place {
            Some(hold) => self.found_running(id, hold),
            None if waits => self.deadline(id, self.settings.adopt_after),
            None => self.forget(id),
        }
    }
}
