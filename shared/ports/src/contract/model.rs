//! The rules of `domain::ledger`, written out plainly over maps: what record stores are compared with.

use mouthpiece_domain::ids::{KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, Write, Written};
use mouthpiece_domain::session::{Fence, Phase, Progress, Session};
use mouthpiece_domain::time::Wall;
use std::collections::BTreeMap;
use std::time::Duration;

/// Records in memory.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) sessions: BTreeMap<SessionId, Session>,
    /// The fingerprint of what was asked for, and the session that was made.
    pub(super) tokens: BTreeMap<(KeyId, String), (String, SessionId)>,
    booked: BTreeMap<(SessionId, Fence), Duration>,
    /// Delivered by hour, session and worker.
    pub(super) usage: BTreeMap<(Wall, SessionId, WorkerId), Duration>,
    workers: BTreeMap<WorkerId, (Duration, Duration)>,
    /// Up and busy by hour and worker.
    pub(super) machines: BTreeMap<(Wall, WorkerId), (Duration, Duration)>,
}

impl Model {
    pub(super) fn write(&mut self, write: &Write) -> Written {
        match write {
            Write::Create { session, idempotency } => self.create(session, idempotency.as_ref()),
            Write::Machine { worker, uptime, busy, at, .. } => {
                self.machine(*worker, *uptime, *busy, *at);
                Written::Applied
            }
            _ => self.change(write),
        }
    }

    fn create(&mut self, session: &Session, idempotency: Option<&Idempotency>) -> Written {
        if let Some(i) = idempotency
            && let Some((fingerprint, id)) = self.tokens.get(&(i.key, i.token.clone()))
        {
            let session = Box::new(self.sessions[id].clone());
            return Written::Repeated { session, same: *fingerprint == i.fingerprint };
        }
        if let Some(there) = self.sessions.get(&session.id) {
            return Written::Stale(Some(Box::new(there.clone())));
        }
        self.sessions.insert(session.id, session.clone());
        if let Some(i) = idempotency {
            self.tokens.insert((i.key, i.token.clone()), (i.fingerprint.clone(), session.id));
        }
        Written::Applied
    }

    fn machine(&mut self, worker: WorkerId, uptime: Duration, busy: Duration, at: Wall) {
        let (was_up, was_busy) = self.workers.entry(worker).or_default();
        let (up, busy) = (uptime.saturating_sub(*was_up), busy.saturating_sub(*was_busy));
        (*was_up, *was_busy) = (*was_up + up, *was_busy + busy);
        if up + busy > Duration::ZERO {
            let (sum_up, sum_busy) = self.machines.entry((at.hour(), worker)).or_default();
            (*sum_up, *sum_busy) = (*sum_up + up, *sum_busy + busy);
        }
    }

    fn change(&mut self, write: &Write) -> Written {
        let Some(row) = write.session().and_then(|id| self.sessions.get_mut(&id)) else { return Written::Stale(None) };
        match write {
            Write::Assign { hold, at } if row.version() == (hold.fence, Phase::Requested) => {
                row.phase = Phase::Assigned;
                row.place = Some((hold.worker, hold.slot));
                row.updated = *at;
            }
            Write::Requeue { hold, at }
                if row.fence == hold.fence
                    && row.phase < Phase::Ended
                    && (row.phase == Phase::Requested || row.place == Some((hold.worker, hold.slot))) =>
            {
                row.fence = hold.fence.next();
                row.phase = Phase::Requested;
                row.place = None;
                row.progress = Progress::default();
                row.updated = *at;
            }
            Write::Advance { hold, phase, progress, delivered, at }
                if row.fence == hold.fence
                    && row.phase <= *phase
                    && row.phase > Phase::Requested
                    && *phase < Phase::Ended =>
            {
                if row.phase < *phase {
                    row.updated = *at;
                }
                row.phase = *phase;
                row.progress = more(row.progress, *progress);
                self.book(hold.session, hold.fence, hold.worker, *delivered, *at);
            }
            Write::End { session, fence, end, progress, delivered, at }
                if row.fence == *fence && row.phase < Phase::Ended =>
            {
                row.phase = Phase::Ended;
                row.end = Some((**end).clone());
                row.progress = more(row.progress, progress.unwrap_or_default());
                row.updated = *at;
                if let Some((worker, _, delivered)) = delivered {
                    self.book(*session, *fence, *worker, *delivered, *at);
                }
            }
            _ => return Written::Stale(Some(Box::new(row.clone()))),
        }
        Written::Applied
    }

    fn book(&mut self, session: SessionId, fence: Fence, worker: WorkerId, delivered: Duration, at: Wall) {
        let booked = self.booked.entry((session, fence)).or_default();
        let new = delivered.saturating_sub(*booked);
        *booked += new;
        if new > Duration::ZERO {
            *self.usage.entry((at.hour(), session, worker)).or_default() += new;
        }
    }

    /// What was delivered to a caller's sessions.
    pub(super) fn delivered(&self, key: KeyId, since: Wall) -> Duration {
        let theirs = |id: &SessionId| self.sessions.get(id).is_some_and(|s| s.key == key);
        self.usage.iter().filter(|((hour, id, _), _)| *hour >= since && theirs(id)).map(|(_, d)| *d).sum()
    }
}

fn more(a: Progress, b: Progress) -> Progress {
    Progress { done: a.done.max(b.done), total: a.total.max(b.total) }
}
