//! The brain in a small world: records, a pool, workers and a bus in memory, virtual time, one seed a run.
//!
//! Workers crash and freeze, coordinators crash, messages are repeated and reordered, writes fail with and without
//! having been applied. The five rules of the design are checked at every step and at the end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../common/mod.rs"]
mod common;
mod records;
mod rules;
mod worker;
mod world;

use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::session::SessionKind;
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

    #[test]
    fn what_was_served_to_its_end_is_not_served_again_because_a_coordinator_was_cut_off(seed in any::<u64>()) {
        let world = World::new(seed, 2, Chaos::dead_links_only()).live(400).settle();
        // A live one that ends while it is moved may come to its end at both places.
        let is_film = |id: &SessionId| world.records.get(*id).is_some_and(|session| session.kind == SessionKind::Render);
        let mut completed: Vec<_> = world.workers.iter().flat_map(|worker| worker.completed()).filter(is_film).collect();
        completed.sort_unstable();
        let twice = completed.windows(2).find(|pair| pair[0] == pair[1]);
        prop_assert!(twice.is_none(), "served to its end twice: {twice:?}");
    }

    #[test]
    fn where_workers_only_drain_nothing_that_runs_is_placed_from_the_queue_again(seed in any::<u64>()) {
        let world = World::new(seed, 1, Chaos::drains_only()).live(400).settle();
        for session in world.records.sessions() {
            let end = session.end.as_ref().unwrap();
            prop_assert_eq!(end.reason.name(), "completed");
            let ran = world.records.usage().filter(|((id, _), delivered)| *id == session.id && !delivered.is_zero());
            prop_assert!(ran.count() as u32 <= session.moves + 1, "what ran was placed from the queue again: {:?}", session);
        }
    }
}

/// The worlds above are worth something only if sessions move in them.
#[test]
fn sessions_move_in_calm_and_in_troubled_worlds() {
    for (brains, chaos) in [(1, Chaos::drains_only()), (2, Chaos::drains_only()), (1, Chaos::all()), (2, Chaos::all())]
    {
        let (mut recorded, mut told) = (0, 0);
        for seed in 0..20 {
            let world = World::new(seed, brains, chaos).live(400).settle();
            recorded += world.records.sessions().map(|session| session.moves).sum::<u32>();
            told += world.workers.iter().map(|worker| worker.moved_here()).sum::<u32>();
        }
        assert!(recorded >= 10 && told * 2 >= recorded, "{recorded} moves, {told} of them told to the worker");
    }
}
