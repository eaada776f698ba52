//! The checker can fail: a farm in virtual time whose lease, fence or ledger is broken on purpose, and what the checker says of it.
//!
//! The brains are the real ones, two of them; pool, books and workers are small ones that keep the rules, unless a test breaks one.
//! Workers are killed, paused and cut off from the pool, brains lose their memory, messages come late, twice and out of order.

mod books;
mod pool;
mod worker;
mod world;

use super::checker::{ChaosRule, ChaosVerdict, CheckTerms, check};
use super::history::{Happening, HistoryEvent};
use std::collections::BTreeSet;
use world::World;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sabotage {
    /// Nothing.
    None,
    /// A worker that reaches nobody goes on all the same.
    LeaseForgotten,
    /// The pool gives a slot that is held to whoever asks.
    SlotGivenTwice,
    /// A worker takes up whatever comes, whether or not it still holds the lease for it.
    OldFenceTaken,
    /// The ledger takes reports of any fence for those of the newest one.
    FenceBlindLedger,
    /// The ledger books each report in full, not what is new of it.
    ReportBookedTwice,
    /// The ledger forgets one of ten sessions that it was told to keep.
    SessionForgotten,
    /// The ledger takes no end of one session of ten.
    EndForgotten,
}

/// The history of one run.
fn history(sabotage: Sabotage, seed: u64) -> Vec<HistoryEvent> {
    let mut world = World::new(sabotage, seed);
    world.run(30_000);
    world.settle(90_000);
    world.history()
}

fn verdict(sabotage: Sabotage, seed: u64) -> ChaosVerdict {
    check(&history(sabotage, seed), &CheckTerms::default())
}

/// The rules that are broken within a few runs.
fn broken(sabotage: Sabotage) -> BTreeSet<ChaosRule> {
    (0..8).flat_map(|seed| verdict(sabotage, seed).violations).map(|violation| violation.rule).collect()
}

#[test]
fn a_farm_that_keeps_the_rules_is_found_to() {
    let (mut again, mut cut_off, mut completed) = (0, 0, 0);
    for seed in 0..24 {
        let verdict = verdict(Sabotage::None, seed);
        assert_eq!(verdict.violations, [], "seed {seed}");
        again += verdict.counts.placed_again;
        cut_off += verdict.counts.cut_off;
        completed += verdict.counts.ends.get("completed").copied().unwrap_or_default();
    }
    assert!(again > 24 && cut_off > 24 && completed > 240, "{again} {cut_off} {completed}");
}

#[test]
fn a_lease_that_is_not_kept_is_seen() {
    assert!(broken(Sabotage::LeaseForgotten).contains(&ChaosRule::Double));
}

#[test]
fn a_slot_with_two_holders_is_seen() {
    assert!(broken(Sabotage::SlotGivenTwice).contains(&ChaosRule::Double));
}

#[test]
fn an_old_fence_that_runs_is_seen() {
    assert!(broken(Sabotage::OldFenceTaken).contains(&ChaosRule::Double));
}

#[test]
fn a_ledger_that_ignores_the_fence_is_seen() {
    assert!(broken(Sabotage::FenceBlindLedger).contains(&ChaosRule::Billing));
}

#[test]
fn a_ledger_that_books_twice_is_seen() {
    assert_eq!(broken(Sabotage::ReportBookedTwice), [ChaosRule::Billing].into());
}

#[test]
fn a_session_that_vanishes_is_seen() {
    assert!(broken(Sabotage::SessionForgotten).contains(&ChaosRule::Lost));
}

#[test]
fn a_session_that_never_ends_is_seen() {
    assert!(broken(Sabotage::EndForgotten).contains(&ChaosRule::Lost));
}

#[test]
fn an_answer_that_is_withheld_is_seen() {
    let mut history = history(Sabotage::None, 1);
    let answered = |event: &HistoryEvent| matches!(event.what, Happening::Answered { .. });
    let at = history.iter().position(answered).unwrap();
    history.remove(at);
    let found = check(&history, &CheckTerms::default()).violations;
    assert_eq!(found.iter().map(|v| v.rule).collect::<Vec<_>>(), [ChaosRule::Answer], "{found:?}");
}

#[test]
fn an_end_whose_reason_is_withheld_is_seen() {
    let mut history = history(Sabotage::None, 1);
    for event in &mut history {
        if let Happening::Recorded { reason, .. } = &mut event.what {
            *reason = None;
            break;
        }
    }
    let found = check(&history, &CheckTerms::default()).violations;
    assert_eq!(found.iter().map(|v| v.rule).collect::<Vec<_>>(), [ChaosRule::Reason], "{found:?}");
}
