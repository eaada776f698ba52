//! Records in memory: the ledger's rule, watched for what must never happen.

use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{LedgerWrite, ReferenceLedger, WriteOutcome};
use mouthpiece_domain::session::{Fence, Session};
use std::collections::HashSet;
use std::time::Duration;

#[derive(Default)]
pub struct Records {
    ledger: ReferenceLedger,
    /// Placements that were moved away.
    moved_away: HashSet<Hold>,
}

impl Records {
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.ledger.sessions()
    }

    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.ledger.session(id)
    }

    pub fn was_moved_away(&self, hold: Hold) -> bool {
        self.moved_away.contains(&hold)
    }

    pub fn open(&self) -> Vec<Session> {
        self.ledger.open_sessions()
    }

    pub fn usage(&self) -> impl Iterator<Item = (&(SessionId, Fence), &Duration)> {
        self.ledger.booked().iter()
    }

    pub fn write(&mut self, write: &LedgerWrite) -> WriteOutcome {
        let id = write.session();
        let before = id.and_then(|id| self.get(id)).map(|s| (s.version(), s.progress));
        let written = self.ledger.write(write);
        if let (LedgerWrite::Move { from, .. }, WriteOutcome::Applied) = (write, &written) {
            self.moved_away.insert(*from);
        }
        let after = id.and_then(|id| self.get(id)).map(|s| (s.version(), s.progress));
        if let (Some((version, progress)), Some((later, more))) = (before, after) {
            assert!(
                !matches!(write, LedgerWrite::Create { .. }) || written != WriteOutcome::Applied,
                "{id:?} was made twice"
            );
            assert!(later >= version, "a record went backwards: {version:?} to {later:?}");
            let shrunk = later.0 == version.0 && more != progress.at_least(more);
            assert!(!shrunk, "progress shrank within a placement: {progress:?} to {more:?}");
        }
        if written != WriteOutcome::Applied {
            assert_eq!(before, after, "a refused write changed the record: {write:?}");
        }
        written
    }
}
