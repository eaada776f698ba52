//! The brain in a small world: records, a pool, workers and a bus in memory, virtual time, one seed a run.
//!
//! Workers crash and freeze, coordinators crash, messages are repeated and reordered, writes fail with and without
//! having been applied. The five rules of the design are checked at every step and at the end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod records;
mod rules;
mod worker;
mod world;

use proptest::prelude::*;
use world::{Chaos, World};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_brain_keeps_the_rules(seed in any::<u64>()) {
        World::new(seed, 1, Chaos::all()).live(400).settle();
    }

    #[test]
    fn two_brains_that_share_the_records_keep_the_rules(seed in any::<u64>()) {
        World::new(seed, 2, Chaos::all()).live(400).settle();
    }

    #[test]
    fn in_a_calm_world_all_sessions_complete_at_their_first_placement(seed in any::<u64>()) {
        let world = World::new(seed, 1, Chaos::none()).live(200).settle();
        for session in world.records.sessions() {
            let end = session.end.as_ref().unwrap();
            prop_assert_eq!(end.reason.name(), "completed");
            prop_assert_eq!(session.fence.0, 1);
        }
    }
}
