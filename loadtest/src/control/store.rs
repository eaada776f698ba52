//! Records in memory, by the ledger's rule, and how many of them are open.

use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{LedgerWrite, ReferenceLedger, WriteOutcome};
use mouthpiece_domain::session::{Phase, Session};

/// All sessions.
#[derive(Default)]
pub(super) struct CountingStore {
    ledger: ReferenceLedger,
    open: usize,
}

impl CountingStore {
    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn all_open(&self) -> Vec<Session> {
        self.ledger.open_sessions()
    }

    pub(super) fn phase(&self, id: SessionId) -> Option<Phase> {
        self.ledger.session(id).map(|session| session.phase)
    }

    pub(super) fn write(&mut self, write: &LedgerWrite) -> WriteOutcome {
        let written = self.ledger.write(write);
        match (write, &written) {
            (LedgerWrite::Create { .. }, WriteOutcome::Applied) => self.open += 1,
            (LedgerWrite::End { .. }, WriteOutcome::Applied) => self.open -= 1,
            _ => {}
        }
        written
    }
}
