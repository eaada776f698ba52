//! Records in memory: the ledger's rule, watched for what must never happen.

use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{ReferenceLedger, Write, Written};
use mouthpiece_domain::session::{Fence, Session};
use std::time::Duration;

#[derive(Default)]
pub struct Records {
    ledger: ReferenceLedger,
}

impl Records {
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.ledger.sessions()
    }

    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.ledger.session(id)
    }

    pub fn open(&self) -> Vec<Session> {
        self.ledger.open_sessions()
    }

    pub fn usage(&self) -> impl Iterator<Item = (&(SessionId, Fence), &Duration)> {
        self.ledger.booked().iter()
    }

    pub fn write(&mut self, write: &Write) -> Written {
        let id = write.session();
        let before = id.and_then(|id| self.get(id)).map(|s| (s.version(), s.progress));
        let written = self.ledger.write(write);
        let after = id.and_then(|id| self.get(id)).map(|s| (s.version(), s.progress));
        if let (Some((version, progress)), Some((later, more))) = (before, after) {
            assert!(!matches!(write, Write::Create { .. }) || written != Written::Applied, "{id:?} was made twice");
            assert!(later >= version, "a record went backwards: {version:?} to {later:?}");
            let shrunk = later.0 == version.0 && more != progress.at_least(more);
            assert!(!shrunk, "progress shrank within a placement: {progress:?} to {more:?}");
        }
        if written != Written::Applied {
            assert_eq!(before, after, "a refused write changed the record: {write:?}");
        }
        written
    }
}
