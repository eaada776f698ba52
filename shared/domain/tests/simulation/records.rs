//! Records in memory: the conditions of `ledger::Write`, written out plainly.

use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{Write, Written};
use mouthpiece_domain::session::{Fence, Phase, Progress, Session};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Default)]
pub struct Records {
    rows: BTreeMap<SessionId, Session>,
    usage: BTreeMap<(SessionId, Fence), Duration>,
    tokens: BTreeMap<String, (String, SessionId)>,
}

impl Records {
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.rows.values()
    }

    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.rows.get(&id)
    }

    pub fn open(&self) -> Vec<Session> {
        self.rows.values().filter(|s| s.phase < Phase::Ended).cloned().collect()
    }

    pub fn usage(&self) -> impl Iterator<Item = (&(SessionId, Fence), &Duration)> {
        self.usage.iter()
    }

    pub fn write(&mut self, write: &Write) -> Written {
        if let Write::Create { session, idempotency } = write {
            if let Some(i) = idempotency {
                if let Some((fingerprint, id)) = self.tokens.get(&i.token) {
                    let session = Box::new(self.rows[id].clone());
                    return Written::Repeated { session, same: *fingerprint == i.fingerprint };
                }
                self.tokens.insert(i.token.clone(), (i.fingerprint.clone(), session.id));
            }
            assert!(self.rows.insert(session.id, (**session).clone()).is_none());
            return Written::Applied;
        }
        let Some(id) = write.session() else { return Written::Applied };
        let Some(row) = self.rows.get_mut(&id) else { return Written::Stale(None) };
        let before = row.version();
        let book = |usage: &mut BTreeMap<_, Duration>, fence, delivered: Duration| {
            let booked = usage.entry((id, fence)).or_default();
            *booked = (*booked).max(delivered);
        };
        let fits = match write {
            Write::Assign { hold, .. } if row.fence == hold.fence && row.phase == Phase::Requested => {
                row.phase = Phase::Assigned;
                row.place = Some((hold.worker, hold.slot));
                true
            }
            Write::Requeue { hold, .. }
                if row.fence == hold.fence
                    && row.phase < Phase::Ended
                    && (row.phase == Phase::Requested || row.place == Some((hold.worker, hold.slot))) =>
            {
                row.fence = hold.fence.next();
                row.phase = Phase::Requested;
                row.place = None;
                row.progress = Progress::default();
                true
            }
            Write::Advance { hold, phase, progress, delivered, .. }
                if row.fence == hold.fence && Phase::Requested < row.phase && row.phase <= *phase =>
            {
                assert!(*phase < Phase::Ended);
                row.phase = *phase;
                if progress.done >= row.progress.done {
                    row.progress = *progress;
                }
                book(&mut self.usage, hold.fence, *delivered);
                true
            }
            Write::End { fence, end, progress, delivered, .. } if row.fence == *fence && row.phase < Phase::Ended => {
                row.phase = Phase::Ended;
                row.end = Some((**end).clone());
                row.progress = progress.unwrap_or(row.progress);
                if let Some((_, _, delivered)) = delivered {
                    book(&mut self.usage, *fence, *delivered);
                }
                true
            }
            _ => false,
        };
        assert!(row.version() >= before, "a record went backwards: {before:?} to {:?}", row.version());
        if fits { Written::Applied } else { Written::Stale(Some(Box::new(row.clone()))) }
    }
}
