//! Records in memory that keep the conditions of [`Write`].

use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{Write, Written};
use mouthpiece_domain::session::{Fence, Phase, Session};
use std::collections::HashMap;

/// All sessions.
#[derive(Default)]
pub(super) struct Store {
    sessions: HashMap<SessionId, Session>,
    open: usize,
}

impl Store {
    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn all_open(&self) -> Vec<Session> {
        self.sessions.values().filter(|s| s.phase < Phase::Ended).cloned().collect()
    }

    pub(super) fn phase(&self, id: SessionId) -> Option<Phase> {
        self.sessions.get(&id).map(|s| s.phase)
    }

    pub(super) fn write(&mut self, write: &Write) -> Written {
        let applied = match write {
            Write::Machine { .. } => true,
            Write::Create { session, .. } => {
                let new = self.sessions.insert(session.id, Session::clone(session)).is_none();
                self.open += usize::from(new);
                new
            }
            Write::Assign { hold, .. } => self.change(hold.session, hold.fence, |s| {
                let good = s.phase == Phase::Requested;
                if good {
                    (s.phase, s.place) = (Phase::Assigned, Some((hold.worker, hold.slot)));
                }
                good
            }),
            Write::Requeue { hold, .. } => self.change(hold.session, hold.fence, |s| {
                let good = s.phase == Phase::Requested || s.place == Some((hold.worker, hold.slot));
                if good {
                    (s.phase, s.fence, s.place) = (Phase::Requested, s.fence.next(), None);
                }
                good
            }),
            Write::Advance { hold, phase, progress, .. } => self.change(hold.session, hold.fence, |s| {
                let good = s.phase <= *phase && s.phase > Phase::Requested;
                if good {
                    (s.phase, s.progress) = (*phase, *progress);
                }
                good
            }),
            Write::End { session, fence, end, .. } => {
                let good = self.change(*session, *fence, |s| {
                    (s.phase, s.end) = (Phase::Ended, Some(end.as_ref().clone()));
                    true
                });
                self.open -= usize::from(good);
                good
            }
        };
        if applied {
            return Written::Applied;
        }
        Written::Stale(write.session().and_then(|id| self.sessions.get(&id)).cloned().map(Box::new))
    }

    /// Changes a session that has this fence and has not ended.
    fn change(&mut self, id: SessionId, fence: Fence, change: impl FnOnce(&mut Session) -> bool) -> bool {
        let open = self.sessions.get_mut(&id).filter(|s| s.fence == fence && s.phase < Phase::Ended);
        open.is_some_and(change)
    }
}
