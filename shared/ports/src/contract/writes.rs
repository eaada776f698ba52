//! Random batches of writes: a record store must do what the [`ReferenceLedger`] does, answer by answer, and hold the same
//! after each batch.

use super::drafts::{Draft, HOURS, batches};
use crate::records::{Period, Records, RecordsError, SessionFilter};
use mouthpiece_domain::cost::UsageHour;
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::ledger::{ReferenceLedger, UsageAmount};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::sync::Arc;

/// Sequences that are tried; each takes a fresh store.
pub(super) const CASES: u32 = 24;
/// Steps in looking for a shorter sequence that fails too.
const SHORTENINGS: u32 = 200;

/// Tries random sequences, and reports the shortest found that is not carried out as the rules say.
pub(super) async fn follow_the_model(fresh: &impl AsyncFn() -> Arc<dyn Records>) {
    let mut runner = TestRunner::default();
    for _ in 0..CASES {
        let mut tree = batches().new_tree(&mut runner).unwrap();
        let Err(mut found) = compare(&*fresh().await, tree.current()).await else { continue };
        let mut smaller = tree.simplify();
        for _ in 0..SHORTENINGS {
            if !smaller {
                break;
            }
            match compare(&*fresh().await, tree.current()).await {
                Err(shorter) => {
                    found = shorter;
                    smaller = tree.simplify();
                }
                Ok(()) => smaller = tree.complicate(),
            }
        }
        panic!("rule broken: writes are carried out as the ledger says{found}");
    }
}

async fn compare(records: &dyn Records, batches: Vec<Vec<Draft>>) -> Result<(), String> {
    let mut model = ReferenceLedger::default();
    let mut before = Vec::new();
    let mut told = String::new();
    for drafts in &batches {
        let (first, mut expected) = (before.len(), Vec::new());
        for draft in drafts {
            let Some(write) = draft.write(&model, &before) else { continue };
            expected.push(model.write(&write));
            before.push(write);
        }
        let batch = &before[first..];
        let outcomes = records.write(batch).await.map_err(said)?;
        differ("how many writes were answered", outcomes.len(), batch.len())?;
        told.push_str("\na batch:");
        for (write, (outcome, expected)) in batch.iter().zip(outcomes.into_iter().zip(expected)) {
            told.push_str(&format!("\n{write:?}\n  -> {outcome:?}"));
            differ("the answer to the last of these", outcome, expected).map_err(|e| format!("{told}\n{e}"))?;
        }
        same_state(records, &model).await.map_err(|e| format!("{told}\n{e}"))?;
    }
    Ok(())
}

fn amount(usage: &UsageHour) -> UsageAmount {
    UsageAmount { delivered: usage.delivered, sent_bytes: usage.sent_bytes }
}

pub(super) async fn same_state(records: &dyn Records, model: &ReferenceLedger) -> Result<(), String> {
    let mut all: Vec<_> = model.sessions().cloned().collect();
    for expected in &all {
        differ("a session", records.session(expected.id).await.map_err(said)?.as_ref(), Some(expected))?;
    }
    all.reverse();
    let list = SessionFilter { limit: 500, ..SessionFilter::default() };
    differ("all sessions, newest first", records.sessions(&list).await.map_err(said)?, all)?;
    differ("the open sessions", records.open_sessions().await.map_err(said)?, model.open_sessions())?;
    for ((key, token), made) in model.tokens() {
        let expected = Some((made.fingerprint.clone(), made.session));
        differ("what a token made", records.repeated(*key, token).await.map_err(said)?, expected)?;
    }

    let period = Period { from: Wall(0), to: Wall(HOURS * HOUR_MS) };
    let mut usage: Vec<_> = records.usage(period).await.map_err(said)?;
    usage.sort_by_key(|u| (u.hour, u.session, u.worker));
    for u in &usage {
        let Some(s) = model.session(u.session) else { return Err(format!("usage of an unknown session: {u:?}")) };
        let expected = (s.kind, s.key, s.avatar, s.end.as_ref().map(|e| e.reason));
        differ("what usage says of its session", (u.kind, u.key, u.avatar, u.end), expected)?;
    }
    let usage: Vec<_> = usage.into_iter().map(|u| ((u.hour, u.session, u.worker), amount(&u))).collect();
    differ("the usage by hour, session and worker", usage, model.usage().clone().into_iter().collect())?;

    let machines = records.machines(period).await.map_err(said)?;
    let mut machines: Vec<_> = machines.into_iter().map(|m| ((m.hour, m.worker), (m.up, m.busy, m.starting))).collect();
    machines.sort_unstable();
    let expected = model.machines().iter().map(|(place, time)| (*place, (time.up, time.busy, time.starting))).collect();
    differ("the machine time by hour and worker", machines, expected)?;

    for key in [KeyId(1), KeyId(2)] {
        for since in [Wall(0), Wall(HOUR_MS), Wall(2 * HOUR_MS)] {
            let found = records.delivered_since(key, since).await.map_err(said)?;
            differ("what was delivered to a caller", found, model.delivered_since(key, since))?;
        }
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn said(e: RecordsError) -> String {
    e.to_string()
}

#[allow(clippy::needless_pass_by_value, reason = "so that what is compared needs no name")]
fn differ<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}\n   found: {found:?}\n  wanted: {expected:?}")) }
}
