//! Open sessions: their records, by the ledger's rule, and what their callers know.

use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome, apply};
use mouthpiece_domain::session::{Phase, Session};
use mouthpiece_domain::time::Mono;
use std::time::Duration;

/// One session that has not ended.
#[derive(Debug)]
pub(super) struct OpenCell {
    pub(super) id: SessionId,
    record: Option<Session>,
    pub(super) asked: Mono,
    /// Its caller got a slot once.
    pub(super) served: bool,
    /// What is left of its length, while it does not run.
    pub(super) left: Duration,
    /// Where it runs, and until when.
    pub(super) runs: Option<(Hold, Mono)>,
}

/// All of them. An id names its cell, so nothing has to be looked for.
#[derive(Debug, Default)]
pub(super) struct OpenSessions {
    cells: Vec<Option<OpenCell>>,
    free: Vec<u32>,
    made: u32,
    pub(super) open: u32,
    pub(super) most: u32,
}

impl OpenSessions {
    pub(super) fn cell_of(id: SessionId) -> u32 {
        id.0 as u32
    }

    pub(super) fn serial_of(id: SessionId) -> u32 {
        (id.0 >> 32) as u32
    }

    /// A place for one more; its id.
    pub(super) fn come(&mut self, now: Mono, length: Duration) -> SessionId {
        let cell = self.free.pop().unwrap_or_else(|| {
            self.cells.push(None);
            self.cells.len() as u32 - 1
        });
        self.made = self.made.wrapping_add(1);
        let id = SessionId(u128::from(self.made) << 32 | u128::from(cell));
        let open = OpenCell { id, record: None, asked: now, served: false, left: length, runs: None };
        self.cells[cell as usize] = Some(open);
        self.open += 1;
        id
    }

    pub(super) fn get(&mut self, id: SessionId) -> Option<&mut OpenCell> {
        let cell = self.cells.get_mut(Self::cell_of(id) as usize)?.as_mut();
        cell.filter(|cell| cell.id == id)
    }

    /// It is over, or never began.
    pub(super) fn forget(&mut self, id: SessionId) -> Option<OpenCell> {
        self.get(id)?;
        self.open -= 1;
        self.free.push(Self::cell_of(id));
        self.cells[Self::cell_of(id) as usize].take()
    }

    /// Carries out a write of a session, or refuses it.
    pub(super) fn write(&mut self, id: SessionId, write: &LedgerWrite) -> WriteOutcome {
        match self.get(id) {
            Some(cell) => apply(&mut cell.record, write),
            None => apply(&mut None, write),
        }
    }

    /// The records of all that have not ended.
    pub(super) fn records(&self) -> Vec<Session> {
        let records = self.cells.iter().flatten().filter_map(|cell| cell.record.as_ref());
        records.filter(|record| record.phase < Phase::Ended).cloned().collect()
    }
}
