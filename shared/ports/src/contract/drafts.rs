//! Random writes for a record store and for [`ReferenceLedger`], whose rule the store must follow.
//!
//! Writes at random hardly ever meet a record in the right phase under the right fence, so most drafts look at the records
//! as they stand at their turn; the others are stale, name what is not there, or come twice.

use super::sample;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{KeyId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, ReferenceLedger};
use mouthpiece_domain::session::{EndReason, Fence, FrameProgress, Phase, Session, SessionEnd, SlotIndex};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::time::Duration;

/// Everything happens within so many hours.
pub(super) const HOURS: i64 = 4;
/// Sessions, numbered from 1.
pub(super) const SESSIONS: u128 = 3;

/// A write to be.
#[derive(Debug, Clone)]
pub(super) enum Draft {
    /// As it is.
    Plain(LedgerWrite),
    /// With the fence that the session's record names.
    Fenced(LedgerWrite),
    /// With its place too, where it has one.
    AsRecorded(LedgerWrite),
    /// The same, and what must come before it instead where that is missing: a session is made, assigned, and goes forward.
    InTurn(LedgerWrite),
    /// One of those before, once more: so many back, as far as there are.
    Again(usize),
}

impl Draft {
    /// The write at its turn, after those `before`.
    pub(super) fn write(&self, records: &ReferenceLedger, before: &[LedgerWrite]) -> Option<LedgerWrite> {
        match self {
            Self::Plain(write) => Some(write.clone()),
            Self::Fenced(write) => Some(fenced(write.clone(), records)),
            Self::AsRecorded(write) => Some(placed(fenced(write.clone(), records), records)),
            Self::InTurn(write) => Some(in_turn(placed(fenced(write.clone(), records), records), records)),
            Self::Again(back) => {
                let last = before.len().checked_sub(1)?;
                before.get(last.saturating_sub(*back)).cloned()
            }
        }
    }
}

fn fenced(mut write: LedgerWrite, records: &ReferenceLedger) -> LedgerWrite {
    let Some(record) = write.session().and_then(|id| records.session(id)) else { return write };
    match &mut write {
        LedgerWrite::Assign { hold, .. }
        | LedgerWrite::Requeue { hold, .. }
        | LedgerWrite::Advance { hold, .. }
        | LedgerWrite::Move { from: hold, .. }
        | LedgerWrite::Egress { hold, .. } => {
            hold.fence = record.fence;
        }
        LedgerWrite::HandedOver { hold, .. } => hold.fence = Fence(record.fence.0.saturating_sub(1)),
        LedgerWrite::End { fence, .. } => *fence = record.fence,
        LedgerWrite::Create { .. } | LedgerWrite::Machine { .. } => {}
    }
    write
}

fn placed(mut write: LedgerWrite, records: &ReferenceLedger) -> LedgerWrite {
    let place = write.session().and_then(|id| records.session(id)).and_then(|record| record.place);
    let Some(place) = place else { return write };
    match &mut write {
        LedgerWrite::Assign { hold, .. }
        | LedgerWrite::Requeue { hold, .. }
        | LedgerWrite::Advance { hold, .. }
        | LedgerWrite::Move { from: hold, .. }
        | LedgerWrite::Egress { hold, .. } => {
            (hold.worker, hold.slot) = place;
        }
        LedgerWrite::End { delivered: Some((worker, slot, _)), .. } => (*worker, *slot) = place,
        LedgerWrite::End { .. }
        | LedgerWrite::HandedOver { .. }
        | LedgerWrite::Create { .. }
        | LedgerWrite::Machine { .. } => {}
    }
    write
}

fn in_turn(write: LedgerWrite, records: &ReferenceLedger) -> LedgerWrite {
    let Some(id) = write.session() else { return write };
    let Some(record) = records.session(id) else { return create(id.0, 1, Some((id.0, 0))) };
    match write {
        LedgerWrite::Advance { hold, at, .. } if record.phase == Phase::Requested => LedgerWrite::Assign { hold, at },
        LedgerWrite::Advance { hold, phase, progress, delivered, at } => {
            let phase = phase.clamp(record.phase, Phase::Draining.max(record.phase));
            LedgerWrite::Advance { hold, phase, progress, delivered, at }
        }
        LedgerWrite::Move { from, at, .. } if record.phase == Phase::Requested => {
            LedgerWrite::Assign { hold: from, at }
        }
        LedgerWrite::Move { from: hold, at, .. } if record.phase < Phase::Running => {
            let (progress, delivered) = (record.progress, Duration::ZERO);
            LedgerWrite::Advance { hold, phase: Phase::Running, progress, delivered, at }
        }
        LedgerWrite::HandedOver { hold, delivered, sent_bytes, at } => {
            let Some(hold) = record.handed_over() else {
                let from = Hold { fence: record.fence, ..hold };
                let to = (WorkerId(3 - hold.worker.0), hold.slot);
                return in_turn(placed(LedgerWrite::Move { from, to, at }, records), records);
            };
            LedgerWrite::HandedOver { hold, delivered, sent_bytes, at }
        }
        other => other,
    }
}

/// Up to 112 writes in batches, on few sessions, fences and places, so that they meet.
pub(super) fn batches() -> impl Strategy<Value = Vec<Vec<Draft>>> {
    vec(vec(draft(), 0..15), 3..9)
}

fn draft() -> impl Strategy<Value = Draft> {
    prop_oneof![
        3 => write().prop_map(Draft::Plain),
        2 => write().prop_map(Draft::Fenced),
        2 => write().prop_map(Draft::AsRecorded),
        6 => write().prop_map(Draft::InTurn),
        1 => (0usize..6).prop_map(Draft::Again),
    ]
}

fn at() -> impl Strategy<Value = Wall> {
    (0..HOURS * HOUR_MS).prop_map(Wall)
}

fn span() -> impl Strategy<Value = Duration> {
    (0u64..20).prop_map(|n| Duration::from_millis(n * 137))
}

/// Most carry the first fences, else hardly any write would be applied.
fn placement() -> impl Strategy<Value = Hold> {
    let fence = prop_oneof![4 => Just(1), 3 => Just(2), 1 => 0u32..5];
    (1..=SESSIONS, fence, 1u128..3, 0u8..2).prop_map(|(s, f, w, slot)| sample::hold(s, f, w, slot))
}

fn progress() -> impl Strategy<Value = FrameProgress> {
    (0u64..10, 0u64..10).prop_map(|(done, total)| FrameProgress { done, total })
}

fn write() -> impl Strategy<Value = LedgerWrite> {
    let phase = select(Phase::ALL.to_vec());
    let reason = select(EndReason::ALL.to_vec());
    let token = proptest::option::weighted(0.8, (1..=SESSIONS, 0u8..2));
    prop_oneof![
        3 => (1..=SESSIONS, 1u128..3, token).prop_map(|(id, key, token)| create(id, key, token)),
        3 => (placement(), at()).prop_map(|(hold, at)| LedgerWrite::Assign { hold, at }),
        2 => (placement(), any::<bool>(), at()).prop_map(|(hold, lost, at)| LedgerWrite::Requeue { hold, lost, at }),
        5 => (placement(), phase, progress(), span(), at())
            .prop_map(|(hold, phase, progress, delivered, at)| LedgerWrite::Advance { hold, phase, progress, delivered, at }),
        2 => (placement(), reason, proptest::option::of(progress()), proptest::option::of(span()), at()).prop_map(
            |(hold, reason, progress, delivered, at)| LedgerWrite::End {
                session: hold.session,
                fence: hold.fence,
                end: Box::new(SessionEnd::new(reason, "so it ended".to_owned())),
                progress,
                delivered: delivered.map(|d| (hold.worker, hold.slot, d)),
                at,
            }
        ),
        2 => (placement(), 0u64..5000, at())
            .prop_map(|(hold, sent_bytes, at)| LedgerWrite::Egress { hold, sent_bytes, at }),
        4 => (placement(), 1u128..3, 0u8..2, at()).prop_map(|(from, worker, slot, at)| LedgerWrite::Move {
            from,
            to: (WorkerId(worker), SlotIndex(slot)),
            at,
        }),
        5 => (placement(), span(), 0u64..5000, at())
            .prop_map(|(hold, delivered, sent_bytes, at)| LedgerWrite::HandedOver { hold, delivered, sent_bytes, at }),
        1 => (1u128..3, span(), span(), at()).prop_map(|(worker, uptime, busy, at)| {
            let capability = Box::new(sample::capability("local"));
            LedgerWrite::Machine { worker: WorkerId(worker), capability, uptime, busy, at }
        }),
    ]
}

fn create(id: u128, key: u128, token: Option<(u128, u8)>) -> LedgerWrite {
    let session = Session { key: KeyId(key), ..sample::session(id) };
    let idempotency = token.map(|(token, asked)| Idempotency {
        key: KeyId(key),
        token: format!("token {token}"),
        fingerprint: format!("{asked:064x}"),
    });
    LedgerWrite::Create { session: Box::new(session), idempotency }
}

#[cfg(test)]
mod tests {
    use super::super::writes::CASES;
    use super::*;
    use mouthpiece_domain::ledger::WriteOutcome;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeMap;

    /// A comparison is worth what it reaches: every write is applied, and refused, in all the ways that there are.
    #[test]
    fn random_batches_reach_what_there_is() {
        let mut runner = TestRunner::deterministic();
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for _ in 0..CASES {
            let mut ledger = ReferenceLedger::default();
            let mut before = Vec::new();
            for draft in batches().new_tree(&mut runner).unwrap().current().into_iter().flatten() {
                let Some(write) = draft.write(&ledger, &before) else { continue };
                let was = write.session().and_then(|id| ledger.session(id)).cloned();
                for what in reached(&write, was.as_ref(), &ledger.write(&write)) {
                    *seen.entry(what).or_default() += 1;
                }
                before.push(write);
            }
        }
        let wanted = [
            "advance: applied",
            "advance: less done than before",
            "advance: refused by its fence",
            "advance: refused by its phase",
            "assign: applied",
            "assign: refused by its fence",
            "assign: refused by its phase",
            "create: applied",
            "create: refused",
            "create: repeated, another request",
            "create: repeated, the same",
            "egress: applied",
            "egress: refused by its fence",
            "egress: refused by its place",
            "end: applied",
            "end: refused by its fence",
            "end: refused by its phase",
            "handed over: applied",
            "handed over: refused by its fence",
            "handed over: refused by its place",
            "machine: applied",
            "move: applied",
            "move: refused by its fence",
            "move: refused by its phase or place",
            "no such session",
            "requeue: applied",
            "requeue: refused by its fence",
            "requeue: refused by its phase",
            "requeue: refused by its place",
        ];
        let missing: Vec<_> = wanted.iter().filter(|what| seen.get(*what).is_none_or(|n| *n < 3)).collect();
        assert!(missing.is_empty(), "hardly reached: {missing:?} of {seen:?}");
    }

    fn reached(write: &LedgerWrite, was: Option<&Session>, written: &WriteOutcome) -> Vec<&'static str> {
        match written {
            WriteOutcome::Repeated { same: true, .. } => return vec!["create: repeated, the same"],
            WriteOutcome::Repeated { same: false, .. } => return vec!["create: repeated, another request"],
            WriteOutcome::Stale(None) => return vec!["no such session"],
            WriteOutcome::Applied | WriteOutcome::Stale(Some(_)) => {}
        }
        let applied = *written == WriteOutcome::Applied;
        let by = |fence, names: [&'static str; 3]| match (applied, was) {
            (true, _) => vec![names[0]],
            (false, Some(was)) if was.fence != fence => vec![names[1]],
            _ => vec![names[2]],
        };
        match write {
            LedgerWrite::Create { .. } => vec![if applied { "create: applied" } else { "create: refused" }],
            LedgerWrite::Machine { .. } => vec!["machine: applied"],
            LedgerWrite::Egress { hold, .. } => {
                by(hold.fence, ["egress: applied", "egress: refused by its fence", "egress: refused by its place"])
            }
            LedgerWrite::Move { from, .. } => {
                by(from.fence, ["move: applied", "move: refused by its fence", "move: refused by its phase or place"])
            }
            LedgerWrite::HandedOver { hold, .. } => {
                let names =
                    ["handed over: applied", "handed over: refused by its fence", "handed over: refused by its place"];
                by(hold.fence.next(), names)
            }
            LedgerWrite::Assign { hold, .. } => {
                by(hold.fence, ["assign: applied", "assign: refused by its fence", "assign: refused by its phase"])
            }
            LedgerWrite::Requeue { hold, .. } => {
                let open = was.is_some_and(|was| was.fence == hold.fence && was.phase < Phase::Ended);
                match !applied && open {
                    true => vec!["requeue: refused by its place"],
                    false => by(
                        hold.fence,
                        ["requeue: applied", "requeue: refused by its fence", "requeue: refused by its phase"],
                    ),
                }
            }
            LedgerWrite::Advance { hold, progress, .. } => {
                let mut names = by(
                    hold.fence,
                    ["advance: applied", "advance: refused by its fence", "advance: refused by its phase"],
                );
                if applied && was.is_some_and(|was| was.progress.done > progress.done) {
                    names.push("advance: less done than before");
                }
                names
            }
            LedgerWrite::End { fence, .. } => {
                by(*fence, ["end: applied", "end: refused by its fence", "end: refused by its phase"])
            }
        }
    }
}
