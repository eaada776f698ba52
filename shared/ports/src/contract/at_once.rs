//! Batches written at once: what is answered, and what is left, is as if they had been written one after the other.

use super::drafts::{Draft, SESSIONS, batches};
use super::sample;
use super::writes::same_state;
use crate::records::Records;
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, ReferenceLedger, WriteOutcome};
use mouthpiece_domain::session::Session;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::sync::Arc;

/// Stores that are tried.
const CASES: u32 = 24;
/// Every order of three.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

pub(super) async fn are_as_in_some_order(fresh: &impl AsyncFn() -> Arc<dyn Records>) {
    let mut runner = TestRunner::default();
    for _ in 0..CASES {
        let mut drafts = batches().new_tree(&mut runner).unwrap().current();
        drafts.resize(4, Vec::new());
        compare(fresh().await, drafts).await;
    }
}

/// The first batch is written, then the next three at once.
async fn compare(records: Arc<dyn Records>, drafts: Vec<Vec<Draft>>) {
    let mut model = ReferenceLedger::default();
    // A session is named by others only when it is there.
    let mut before: Vec<LedgerWrite> = (1..=SESSIONS).map(|id| create(id, None)).collect();
    for write in &before {
        model.write(write);
    }
    for draft in &drafts[0] {
        let Some(write) = draft.write(&model, &before) else { continue };
        model.write(&write);
        before.push(write);
    }
    records.write(&before).await.unwrap();

    let together: Vec<Vec<LedgerWrite>> = (0u128..3)
        .map(|n| {
            let drafts = drafts[1 + n as usize].iter().filter_map(|draft| draft.write(&model, &before));
            // All make a session with the same two tokens, not all in the same order.
            let mut tokens = [create(100 + n, Some("a")), create(200 + n, Some("b"))];
            tokens.rotate_left(n as usize % 2);
            let [first, last] = tokens;
            [first].into_iter().chain(drafts).chain([last]).collect()
        })
        .collect();
    let writing: Vec<_> = together
        .iter()
        .map(|batch| {
            let (records, batch) = (Arc::clone(&records), batch.clone());
            tokio::spawn(async move { records.write(&batch).await.unwrap() })
        })
        .collect();
    let mut told = Vec::new();
    for one in writing {
        told.push(one.await.unwrap());
    }

    let mut differences = String::new();
    for order in ORDERS {
        let mut after = model.clone();
        let mut expected = vec![Vec::<WriteOutcome>::new(); 3];
        for n in order {
            expected[n] = together[n].iter().map(|write| after.write(write)).collect();
        }
        if expected != told {
            differences.push_str(&format!("\nin the order {order:?} the answers would be {expected:?}"));
            continue;
        }
        match same_state(&*records, &after).await {
            Ok(()) => return,
            Err(e) => differences.push_str(&format!("\nin the order {order:?} {e}")),
        }
    }
    panic!("rule broken: batches at once are as in some order\nwritten: {together:?}\nanswered: {told:?}{differences}");
}

fn create(id: u128, token: Option<&str>) -> LedgerWrite {
    let key = KeyId(1);
    let session = Session { key, ..sample::session(id) };
    let idempotency = token.map(|token| Idempotency { key, token: token.to_owned(), fingerprint: "ab".repeat(32) });
    LedgerWrite::Create { session: Box::new(session), idempotency }
}
