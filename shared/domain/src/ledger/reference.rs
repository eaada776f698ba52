//! The rule over tables in memory.

use super::{Idempotency, LedgerWrite, UsageDelivery, WriteOutcome, apply, newly_booked, newly_counted};
use crate::fleet::Hold;
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
    /// Time that the worker was up, starting and idle time included.
    pub up: Duration,
    /// Slots taken, summed over its slots.
    pub busy: Duration,
    /// Of `up`, what passed before it was heard of for the first time.
    pub starting: Duration,
}

/// What a session got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct UsageAmount {
    /// Delivered.
    pub delivered: Duration,
    /// Bytes sent to its viewers.
    pub sent_bytes: u64,
}

/// Records in memory that do exactly what [`apply`] says, with the tables beside the sessions. What record stores are compared
/// with, and what simulations keep their records in; nothing in it is ever removed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReferenceLedger {
    sessions: BTreeMap<SessionId, Session>,
    tokens: BTreeMap<(KeyId, String), TokenUse>,
    booked: BTreeMap<(SessionId, Fence), Duration>,
    sent: BTreeMap<(SessionId, Fence), u64>,
    usage: BTreeMap<(Wall, SessionId, WorkerId), UsageAmount>,
    workers: BTreeMap<WorkerId, MachineTime>,
    machines: BTreeMap<(Wall, WorkerId), MachineTime>,
}

impl ReferenceLedger {
    /// Carries a write out, or refuses it.
    pub fn write(&mut self, write: &LedgerWrite) -> WriteOutcome {
        if let Some(repeated) = self.repeated(write) {
            return repeated;
        }
        if let LedgerWrite::Machine { worker, uptime, busy, at, .. } = write {
            self.book_machine(*worker, *uptime, *busy, *at);
        }
        let Some(id) = write.session() else { return WriteOutcome::Applied };
        let mut record = self.sessions.remove(&id);
        let written = apply(&mut record, write);
        let late = match (&written, &record) {
            (WriteOutcome::Stale(_), Some(record)) => write.late_delivery(record),
            _ => None,
        };
        self.sessions.extend(record.map(|record| (id, record)));
        if written == WriteOutcome::Applied {
            self.keep_token(write);
            if let Some(delivery) = write.delivery() {
                self.book_delivery(delivery);
            }
            self.sum_up_before(id);
            if let LedgerWrite::Egress { hold, sent_bytes, at } | LedgerWrite::HandedOver { hold, sent_bytes, at, .. } =
                write
            {
                self.book_egress(*hold, *sent_bytes, *at);
            }
        }
        if let Some(late) = late {
            self.book_delivery(late);
        }
        written
    }

    /// The answer to a creation whose token was used before.
    fn repeated(&self, write: &LedgerWrite) -> Option<WriteOutcome> {
        let LedgerWrite::Create { idempotency: Some(Idempotency { key, token, fingerprint }), .. } = write else {
            return None;
        };
        let used = self.tokens.get(&(*key, token.clone()))?;
        let session = Box::new(self.sessions.get(&used.session)?.clone());
        Some(WriteOutcome::Repeated { session, same: used.fingerprint == *fingerprint })
    }

    fn keep_token(&mut self, write: &LedgerWrite) {
        if let LedgerWrite::Create { session, idempotency: Some(Idempotency { key, token, fingerprint }) } = write {
            let used = TokenUse { fingerprint: fingerprint.clone(), session: session.id };
            self.tokens.insert((*key, token.clone()), used);
        }
    }

    fn book_delivery(&mut self, UsageDelivery { session, fence, worker, total, at }: UsageDelivery) {
        let new = newly_booked(self.booked.entry((session, fence)).or_default(), total);
        if new > Duration::ZERO {
            self.usage.entry((at.hour(), session, worker)).or_default().delivered += new;
        }
    }

    /// What was delivered in earlier placements changes when there is one more, and when one of them tells more.
    fn sum_up_before(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            let before = self.booked.range((id, Fence(0))..(id, session.fence));
            session.delivered_before = before.map(|(_, delivered)| *delivered).sum();
        }
    }

    fn book_egress(&mut self, hold: Hold, total: u64, at: Wall) {
        let new = newly_counted(self.sent.entry((hold.session, hold.fence)).or_default(), total);
        if new > 0 {
            self.usage.entry((at.hour(), hold.session, hold.worker)).or_default().sent_bytes += new;
        }
    }

    fn book_machine(&mut self, worker: WorkerId, uptime: Duration, busy: Duration, at: Wall) {
        let is_new = !self.workers.contains_key(&worker);
        let booked = self.workers.entry(worker).or_default();
        let (up, busy) = (newly_booked(&mut booked.up, uptime), newly_booked(&mut booked.busy, busy));
        if up + busy > Duration::ZERO {
            let hour = self.machines.entry((at.hour(), worker)).or_default();
            let starting = if is_new { up } else { Duration::ZERO };
            *hour = MachineTime { up: hour.up + up, busy: hour.busy + busy, starting: hour.starting + starting };
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

    /// What was delivered and sent, by the hour's start, session and worker.
    pub fn usage(&self) -> &BTreeMap<(Wall, SessionId, WorkerId), UsageAmount> {
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
            .map(|(_, amount)| amount.delivered)
            .sum()
    }
}
