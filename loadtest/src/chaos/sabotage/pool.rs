//! The slots of the small farm and their leases.

use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::SlotIndex;
use mouthpiece_domain::time::Mono;
use std::collections::BTreeMap;
use std::time::Duration;

/// Who holds which slot until when.
pub(super) struct SlotTable {
    held: BTreeMap<(WorkerId, SlotIndex), (Hold, Mono)>,
    /// Slots are given to whoever asks.
    generous: bool,
}

impl SlotTable {
    pub(super) fn new(generous: bool) -> Self {
        Self { held: BTreeMap::new(), generous }
    }

    fn holder(&self, hold: &Hold, now: Mono) -> Option<&Hold> {
        let (holder, until) = self.held.get(&(hold.worker, hold.slot))?;
        (*until > now).then_some(holder)
    }

    pub(super) fn claim(&mut self, hold: &Hold, expiry: Duration, now: Mono) -> bool {
        let free = self.holder(hold, now).is_none() || self.generous;
        if free {
            self.held.insert((hold.worker, hold.slot), (*hold, now + expiry));
        }
        free
    }

    pub(super) fn renew(&mut self, hold: &Hold, expiry: Duration, now: Mono) -> bool {
        let theirs = self.holder(hold, now) == Some(hold);
        if theirs {
            self.held.insert((hold.worker, hold.slot), (*hold, now + expiry));
        }
        theirs || self.generous
    }

    pub(super) fn release(&mut self, hold: &Hold, now: Mono) {
        if self.holder(hold, now) == Some(hold) {
            self.held.remove(&(hold.worker, hold.slot));
        }
    }

    pub(super) fn remaining(&self, hold: &Hold, now: Mono) -> Option<Duration> {
        let (holder, until) = self.held.get(&(hold.worker, hold.slot))?;
        (holder == hold && *until > now).then(|| *until - now)
    }

    pub(super) fn forget(&mut self, worker: WorkerId) {
        self.held.retain(|(of, _), _| *of != worker);
    }
}
