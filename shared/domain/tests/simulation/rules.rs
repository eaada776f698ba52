//! The rules of the design.

use crate::world::World;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::session::Phase;
use std::collections::HashMap;
use std::time::Duration;

/// What must be true at every moment.
pub fn hold_now(world: &World) {
    // Rule 2: one valid assignment a session. Where it was moved from it is shown until that worker was told so.
    let mut holders = HashMap::new();
    for worker in &world.workers {
        for hold in worker.valid(world.now) {
            if world.records.was_moved_away(hold) {
                continue;
            }
            if let Some(other) = holders.insert(hold.session, hold) {
                panic!("two workers hold {} validly: {other:?} and {hold:?}", hold.session);
            }
        }
    }
    // Rule 3: nothing is billed that was not delivered.
    for ((session, fence), booked) in world.records.usage() {
        let truth = world.workers.iter().flat_map(|w| &w.truth);
        let delivered: Duration = truth
            .filter(|(h, _)| h.session == *session && h.fence == *fence)
            .map(|(_, d)| *d)
            .max()
            .unwrap_or_default();
        assert!(*booked <= delivered, "{session} at {fence:?}: booked {booked:?}, delivered {delivered:?}");
    }
}

/// Rule 1: whatever was accepted has ended, with a reason.
pub fn all_came_to_an_end(world: &World) {
    for id in &world.accepted {
        let session = world.records.get(*id).unwrap_or_else(|| panic!("{id} vanished"));
        assert_eq!(session.phase, Phase::Ended, "{id} did not end: {session:?}");
        assert!(session.end.is_some(), "{id} ended without a reason");
    }
}

/// A worker is forgotten and its machine given back only when it is gone for good. One that is frozen, or cut off, may
/// still hold a lease; to forget it would give its slots away.
pub fn may_be_let_go(world: &World, id: WorkerId) {
    let worker = world.workers.iter().find(|worker| worker.id == id);
    let may_hold = worker.is_none_or(|worker| worker.may_hold());
    assert!(!may_hold, "{id} was let go of while it may hold a lease");
}

/// What one brain did about a worker whose goodbye it heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LettingGo {
    pub forgotten: u32,
    pub retired: u32,
}

impl LettingGo {
    pub const ONCE: Self = Self { forgotten: 1, retired: 1 };
}
