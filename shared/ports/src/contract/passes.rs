//! What every store of passes must do.

use super::sample::at;
use crate::passes::{Pass, PassKind, Passes};
use mouthpiece_domain::ids::KeyId;
use std::sync::Arc;

type Subject = Arc<dyn Passes>;

/// Runs the suite.
///
/// # Panics
/// When a rule is broken.
pub async fn passes<P: Passes + 'static>(fresh: impl AsyncFn() -> Arc<P>) {
    let fresh = async || fresh().await as Subject;
    each!(fresh:
        a_pass_comes_back_as_it_was_added, a_pass_is_of_one_kind, a_pass_expires, a_pass_lasts_longer,
        a_pass_is_taken_once, a_key_has_so_many_at_most,
    );
}

fn pass(n: u128, kind: PassKind) -> Pass {
    Pass { hash: format!("{n:064x}"), kind, key: KeyId(n), expires: at(100) }
}

async fn a_pass_comes_back_as_it_was_added(passes: Subject) {
    let wanted = pass(1, PassKind::Page);
    rule!(passes.pass(PassKind::Page, &wanted.hash, at(0)).await.unwrap(), None, "there are no passes at first");
    let other = Pass { key: KeyId(u128::MAX >> 1), ..pass(2, PassKind::Link) };
    for one in [&wanted, &other] {
        rule!(passes.add_pass(one, 5, at(0)).await, Ok(()), "a pass is added");
    }
    for one in [wanted, other] {
        let found = passes.pass(one.kind, &one.hash, at(0)).await.unwrap();
        rule!(found, Some(one), "a pass comes back as it was added, as often as it is asked for");
    }
    for unknown in ["", "1", "%"] {
        rule!(passes.pass(PassKind::Page, unknown, at(0)).await.unwrap(), None, "no pass has the hash '{unknown}'");
    }
}

async fn a_pass_is_of_one_kind(passes: Subject) {
    let link = pass(1, PassKind::Link);
    passes.add_pass(&link, 5, at(0)).await.unwrap();
    rule!(passes.pass(PassKind::Page, &link.hash, at(0)).await.unwrap(), None, "a link is no page's session");
    rule!(passes.take_pass(PassKind::Page, &link.hash, at(0)).await.unwrap(), None, "nor is it taken as one");
    passes.extend_pass(PassKind::Page, &link.hash, at(900)).await.unwrap();
    rule!(passes.pass(PassKind::Link, &link.hash, at(0)).await.unwrap(), Some(link), "nor does it last longer as one");
}

async fn a_pass_expires(passes: Subject) {
    let one = pass(1, PassKind::Page);
    passes.add_pass(&one, 5, at(0)).await.unwrap();
    rule!(
        passes.pass(one.kind, &one.hash, at(99)).await.unwrap(),
        Some(one.clone()),
        "a pass is good until it expires"
    );
    for late in [100, 5000] {
        rule!(passes.pass(one.kind, &one.hash, at(late)).await.unwrap(), None, "an expired pass is not there");
        rule!(passes.take_pass(one.kind, &one.hash, at(late)).await.unwrap(), None, "an expired pass is not taken");
    }
}

async fn a_pass_lasts_longer(passes: Subject) {
    let one = pass(1, PassKind::Page);
    rule!(passes.extend_pass(one.kind, &one.hash, at(200)).await, Ok(()), "extending what is not there is no error");
    passes.add_pass(&one, 5, at(0)).await.unwrap();
    passes.add_pass(&pass(2, PassKind::Page), 5, at(0)).await.unwrap();
    passes.extend_pass(one.kind, &one.hash, at(200)).await.unwrap();
    let found = passes.pass(one.kind, &one.hash, at(150)).await.unwrap();
    rule!(found, Some(Pass { expires: at(200), ..one }), "a pass that was extended lasts longer");
    let other = passes.pass(PassKind::Page, &pass(2, PassKind::Page).hash, at(150)).await.unwrap();
    rule!(other, None, "extending touches no other");
}

async fn a_pass_is_taken_once(passes: Subject) {
    let one = pass(1, PassKind::Link);
    passes.add_pass(&one, 5, at(0)).await.unwrap();
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (passes, hash) = (passes.clone(), one.hash.clone());
            tokio::spawn(async move { passes.take_pass(PassKind::Link, &hash, at(0)).await.unwrap() })
        })
        .collect();
    let mut got = Vec::new();
    for one in tries {
        got.extend(one.await.unwrap());
    }
    rule!(got, vec![one.clone()], "of 8 at once one takes the pass");
    rule!(passes.pass(one.kind, &one.hash, at(0)).await.unwrap(), None, "what was taken is gone");
}

async fn a_key_has_so_many_at_most(passes: Subject) {
    let of = |n: u128, kind, key: u128, expires| Pass { key: KeyId(key), expires: at(expires), ..pass(n, kind) };
    for n in 1..=3u8 {
        passes.add_pass(&of(n.into(), PassKind::Page, 7, 100 + i64::from(n)), 3, at(0)).await.unwrap();
    }
    passes.add_pass(&of(10, PassKind::Page, 8, 101), 3, at(0)).await.unwrap();
    passes.add_pass(&of(11, PassKind::Link, 7, 101), 3, at(0)).await.unwrap();
    // A new one is kept even where it would expire first.
    passes.add_pass(&of(4, PassKind::Page, 7, 50), 2, at(0)).await.unwrap();
    let there = async |n: u128, kind| passes.pass(kind, &pass(n, kind).hash, at(0)).await.unwrap().is_some();
    let mut found = Vec::new();
    for n in 1..=4 {
        found.push(there(n, PassKind::Page).await);
    }
    rule!(found, vec![false, false, true, true], "of too many those go that would expire first, and never the new one");
    rule!(there(10, PassKind::Page).await, true, "another key's passes stay");
    rule!(there(11, PassKind::Link).await, true, "passes of another kind stay");
}
