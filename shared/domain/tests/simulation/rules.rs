//! The rules of the design.

use crate::world::World;
use mouthpiece_domain::session::Phase;
use std::collections::HashMap;
use std::time::Duration;

/// What must be true at every moment.
pub fn hold_now(world: &World) {
    // Rule 2: one valid assignment a session.
    let mut holders = HashMap::new();
    for worker in &world.workers {
        for hold in worker.valid(world.now) {
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
