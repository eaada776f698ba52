//! The rule over tables in memory.

use super::{Delivery, Idempotency, Write, Written, apply, newly_booked};
use crate::ids::{KeyId, SessionId, WorkerId};
use crate::session::{Fence, Phase, Session};
use crate::time::Wall;
use std::collections::BTreeMap;
use std::time::Duration;

/// What an idempotency token made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUse {
    /// SHA-256 of what was asked for, 64 hexadecimal digits.
    pub fingerprint: String,
    /// The session that was made.
    pub session: SessionId,
}

/// Time of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct MachineTime {
    /// Up.
    pub up: Duration,
    /// Slots taken, summed over its slots.
    pub busy: Duration,
}

/// Records in memory that do exactly what [`apply`] says, with the tables beside the sessions. What record stores are compared
/// with, and what simulations keep their records in; nothing in it is ever removed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReferenceLedger {
    sessions: BTreeMap<SessionId, Session>,
    tokens: BTreeMap<(KeyId, String), TokenUse>,
    booked: BTreeMap<(SessionId, Fence), Duration>,
    usage: BTreeMap<(Wall, SessionId, WorkerId), Duration>,
    workers: BTreeMap<WorkerId, MachineTime>,
    machines: BTreeMap<(Wall, WorkerId), MachineTime>,
}

impl ReferenceLedger {
    /// Carries a write out, or refuses it.
    pub fn write(&mut self, write: &Write) -> Written {
        if let Some(repeated) = self.repeated(write) {
            return repeated;
        }
        if let Write::Machine { worker, uptime, busy, at, .. } = write {
            self.book_machine(*worker, MachineTime { up: *uptime, busy: *busy }, *at);
        }
        let Some(id) = write.session() else { return Written::Applied };
        let mut record = self.sessions.remove(&id);
        let written = apply(&mut record, write);
        let late = match (&written, &record) {
            (Written::Stale(_), Some(record)) => write.late_delivery(record),
            _ => None,
        };
        self.sessions.extend(record.map(|record| (id, record)));
        if written == Written::Applied {
            self.keep_token(write);
            if let Some(delivery) = write.delivery() {
                self.book_delivery(delivery);
            }
        }
        if let Some(late) = late {
            self.book_delivery(late);
        }
        written
    }

    /// The answer to a creation whose token was used before.
    fn repeated(&self, write: &Write) -> Option<Written> {
        let Write::Create { idempotency: Some(Idempotency { key, token, fingerprint }), .. } = write else {
            return None;
        };
        let used = self.tokens.get(&(*key, token.clone()))?;
        let session = Box::new(self.sessions.get(&used.session)?.clone());
        Some(Written::Repeated { session, same: used.fingerprint == *fingerprint })
    }

    fn keep_token(&mut self, write: &Write) {
        if let Write::Create { session, idempotency: Some(Idempotency { key, token, fingerprint }) } = write {
            let used = TokenUse { fingerprint: fingerprint.clone(), session: session.id };
            self.tokens.insert((*key, token.clone()), used);
        }
    }

    fn book_delivery(&mut self, Delivery { session, fence, worker, total, at }: Delivery) {
        let new = newly_booked(self.booked.entry((session, fence)).or_default(), total);
        if new > Duration::ZERO {
            *self.usage.entry((at.hour(), session, worker)).or_default() += new;
        }
    }

    fn book_machine(&mut self, worker: WorkerId, told: MachineTime, at: Wall) {
        let booked = self.workers.entry(worker).or_default();
        let (up, busy) = (newly_booked(&mut booked.up, told.up), newly_booked(&mut booked.busy, told.busy));
        if up + busy > Duration::ZERO {
            let hour = self.machines.entry((at.hour(), worker)).or_default();
            (hour.up, hour.busy) = (hour.up + up, hour.busy + busy);
        }
    }

    /// All sessions, oldest first.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// One session.
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    /// All sessions that have not ended, oldest first.
    pub fn open_sessions(&self) -> Vec<Session> {
        self.sessions().filter(|session| session.phase < Phase::Ended).cloned().collect()
    }

    /// What tokens made, by caller and token.
    pub fn tokens(&self) -> &BTreeMap<(KeyId, String), TokenUse> {
        &self.tokens
    }

    /// Delivered in all by session and placement.
    pub fn booked(&self) -> &BTreeMap<(SessionId, Fence), Duration> {
        &self.booked
    }

    /// Delivered, by the hour's start, session and worker.
    pub fn usage(&self) -> &BTreeMap<(Wall, SessionId, WorkerId), Duration> {
        &self.usage
    }

    /// Machine time, by the hour's start and worker.
    pub fn machines(&self) -> &BTreeMap<(Wall, WorkerId), MachineTime> {
        &self.machines
    }

    /// What was delivered to a caller's sessions since the start of an hour.
    pub fn delivered_since(&self, key: KeyId, since: Wall) -> Duration {
        let theirs = |id: &SessionId| self.sessions.get(id).is_some_and(|session| session.key == key);
        self.usage
            .iter()
            .filter(|((hour, id, _), _)| *hour >= since && theirs(id))
            .map(|(_, delivered)| *delivered)
            .sum()
    }
}
