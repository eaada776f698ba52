//! The records of the small farm.

use super::Sabotage;
use crate::dice::Dice;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{LedgerWrite, ReferenceLedger, WriteOutcome};
use mouthpiece_domain::session::{Phase, Session};
use std::collections::BTreeMap;
use std::time::Duration;

/// Records by the ledger's rule, or nearly.
pub(super) struct Books {
    ledger: ReferenceLedger,
    sabotage: Sabotage,
    dice: Dice,
    /// Booked beyond what the rule says.
    too_much: BTreeMap<SessionId, Duration>,
}

impl Books {
    pub(super) fn new(sabotage: Sabotage, seed: u64) -> Self {
        Self { ledger: ReferenceLedger::default(), sabotage, dice: Dice::new(seed), too_much: BTreeMap::new() }
    }

    pub(super) fn write(&mut self, write: &LedgerWrite) -> WriteOutcome {
        let forgotten = match (self.sabotage, write) {
            (Sabotage::SessionForgotten, LedgerWrite::Create { .. }) => self.dice.once_in(10),
            (Sabotage::EndForgotten, LedgerWrite::End { session, .. }) => session.0 % 10 == 0,
            _ => false,
        };
        if forgotten {
            return WriteOutcome::Applied;
        }
        let mut write = write.clone();
        if self.sabotage == Sabotage::FenceBlindLedger {
            let newest = write.session().and_then(|id| self.ledger.session(id)).map(|session| session.fence);
            match (&mut write, newest) {
                (LedgerWrite::Advance { hold, .. }, Some(newest)) => hold.fence = newest,
                (LedgerWrite::End { fence, .. }, Some(newest)) => *fence = newest,
                _ => {}
            }
        }
        let booked = |ledger: &ReferenceLedger, id: SessionId| -> Duration {
            let of = ledger.usage().iter().filter(|((_, session, _), _)| *session == id);
            of.map(|(_, amount)| amount.delivered).sum()
        };
        let before = write.session().map(|id| booked(&self.ledger, id));
        let outcome = self.ledger.write(&write);
        if let (Sabotage::ReportBookedTwice, WriteOutcome::Applied, Some(delivery), Some(before)) =
            (self.sabotage, &outcome, write.delivery(), before)
        {
            let new = booked(&self.ledger, delivery.session) - before;
            *self.too_much.entry(delivery.session).or_default() += delivery.total - new.min(delivery.total);
        }
        outcome
    }

    pub(super) fn open(&self) -> Vec<Session> {
        self.ledger.open_sessions()
    }

    pub(super) fn is_open(&self, id: SessionId) -> bool {
        self.ledger.session(id).is_some_and(|session| session.phase < Phase::Ended)
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.ledger.sessions()
    }

    /// What each session is billed for.
    pub(super) fn billed(&self) -> BTreeMap<SessionId, Duration> {
        let mut sums = self.too_much.clone();
        for ((_, session, _), amount) in self.ledger.usage() {
            *sums.entry(*session).or_default() += amount.delivered;
        }
        sums
    }
}
