//! Random batches of writes: a record store must do what the [`Model`] does.

use super::model::Model;
use super::sample;
use crate::records::{Period, Records, RecordsError};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{KeyId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, Write};
use mouthpiece_domain::session::{End, EndReason, Phase, Progress, Session};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::sync::Arc;
use std::time::Duration;

/// Sequences that are tried; each takes a fresh store.
const CASES: u32 = 24;
/// Steps in looking for a shorter sequence that fails too.
const SHORTENINGS: u32 = 200;
/// Everything happens within so many hours.
const HOURS: i64 = 4;

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

async fn compare(records: &dyn Records, batches: Vec<Vec<Write>>) -> Result<(), String> {
    let mut model = Model::default();
    let mut told = String::new();
    for batch in &batches {
        let outcomes = records.write(batch).await.map_err(said)?;
        differ("how many writes were answered", outcomes.len(), batch.len())?;
        for (write, outcome) in batch.iter().zip(outcomes) {
            let expected = model.write(write);
            told.push_str(&format!("\n{write:?}\n  -> {outcome:?}"));
            differ("the answer to the last of these", outcome, expected).map_err(|e| format!("{told}\n{e}"))?;
        }
    }
    same_state(records, &model).await.map_err(|e| format!("{told}\n{e}"))
}

async fn same_state(records: &dyn Records, model: &Model) -> Result<(), String> {
    for (id, expected) in &model.sessions {
        differ("a session", records.session(*id).await.map_err(said)?.as_ref(), Some(expected))?;
    }
    let open: Vec<Session> = model.sessions.values().filter(|s| s.phase < Phase::Ended).cloned().collect();
    differ("the open sessions", records.open_sessions().await.map_err(said)?, open)?;
    for ((key, token), expected) in &model.tokens {
        differ("what a token made", records.repeated(*key, token).await.map_err(said)?.as_ref(), Some(expected))?;
    }

    let period = Period { from: Wall(0), to: Wall(HOURS * HOUR_MS) };
    let mut usage: Vec<_> = records.usage(period).await.map_err(said)?;
    usage.sort_by_key(|u| (u.hour, u.session, u.worker));
    for u in &usage {
        let Some(s) = model.sessions.get(&u.session) else { return Err(format!("usage of an unknown session: {u:?}")) };
        let expected = (s.kind, s.key, s.avatar, s.end.as_ref().map(|e| e.reason));
        differ("what usage says of its session", (u.kind, u.key, u.avatar, u.end), expected)?;
    }
    let usage: Vec<_> = usage.into_iter().map(|u| ((u.hour, u.session, u.worker), u.delivered)).collect();
    differ("the usage by hour, session and worker", usage, model.usage.clone().into_iter().collect())?;

    let machines = records.machines(period).await.map_err(said)?;
    let mut machines: Vec<_> = machines.into_iter().map(|m| ((m.hour, m.worker), (m.up, m.busy))).collect();
    machines.sort_unstable();
    differ("the machine time by hour and worker", machines, model.machines.clone().into_iter().collect())?;

    for key in [KeyId(1), KeyId(2)] {
        for since in [Wall(0), Wall(HOUR_MS), Wall(2 * HOUR_MS)] {
            let found = records.delivered_since(key, since).await.map_err(said)?;
            differ("what was delivered to a caller", found, model.delivered(key, since))?;
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

/// Up to 70 writes in batches, on few sessions, fences and places, so that they meet.
fn batches() -> impl Strategy<Value = Vec<Vec<Write>>> {
    vec(vec(write(), 0..12), 1..6)
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
    (1u128..4, fence, 1u128..3, 0u8..2).prop_map(|(s, f, w, slot)| sample::hold(s, f, w, slot))
}

fn progress() -> impl Strategy<Value = Progress> {
    (0u64..10, 0u64..10).prop_map(|(done, total)| Progress { done, total })
}

fn write() -> impl Strategy<Value = Write> {
    let phase = select(Phase::ALL.to_vec());
    let reason = select(EndReason::ALL.to_vec());
    let token = proptest::option::of((0u8..3, 0u8..2));
    prop_oneof![
        3 => (1u128..4, 1u128..3, token).prop_map(|(id, key, token)| create(id, key, token)),
        3 => (placement(), at()).prop_map(|(hold, at)| Write::Assign { hold, at }),
        1 => (placement(), at()).prop_map(|(hold, at)| Write::Requeue { hold, at }),
        5 => (placement(), phase, progress(), span(), at())
            .prop_map(|(hold, phase, progress, delivered, at)| Write::Advance { hold, phase, progress, delivered, at }),
        1 => (placement(), reason, proptest::option::of(progress()), proptest::option::of(span()), at()).prop_map(
            |(hold, reason, progress, delivered, at)| Write::End {
                session: hold.session,
                fence: hold.fence,
                end: Box::new(End::new(reason, "so it ended".to_owned())),
                progress,
                delivered: delivered.map(|d| (hold.worker, hold.slot, d)),
                at,
            }
        ),
        1 => (1u128..3, span(), span(), at()).prop_map(|(worker, uptime, busy, at)| {
            let capability = Box::new(sample::capability("local"));
            Write::Machine { worker: WorkerId(worker), capability, uptime, busy, at }
        }),
    ]
}

fn create(id: u128, key: u128, token: Option<(u8, u8)>) -> Write {
    let session = Session { key: KeyId(key), ..sample::session(id) };
    let idempotency = token.map(|(token, asked)| Idempotency {
        key: KeyId(key),
        token: format!("token {token}"),
        fingerprint: format!("{asked:064x}"),
    });
    Write::Create { session: Box::new(session), idempotency }
}
