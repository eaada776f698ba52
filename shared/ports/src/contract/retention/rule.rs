//! Random things of every class: a record store lets go of what `domain::retention` chooses.

use super::super::sample::completed;
use super::{Subject, avatar, session, token};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::retention::{Class, Kept, chosen};
use mouthpiece_domain::session::Session;
use mouthpiece_domain::time::Wall;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Stores of things that are tried.
const CASES: u32 = 12;
/// Later than everything.
const REMOVED: Wall = Wall(1_000_000);

pub(super) async fn is_kept(fresh: &impl AsyncFn() -> Subject) {
    let mut runner = TestRunner::default();
    for class in Class::ALL {
        for _ in 0..CASES {
            let (things, bound, limit) = stock().new_tree(&mut runner).unwrap().current();
            compare(&fresh().await, class, things, Wall(bound), limit).await;
        }
    }
}

/// Things, a bound and a limit. No two were used at the same time: which of them goes first is the store's.
fn stock() -> impl Strategy<Value = (Vec<Kept>, i64, u32)> {
    let kept = (0i64..40, any::<bool>()).prop_map(|(used, needed)| Kept { used: Wall(used * 16), needed });
    let apart =
        |things: Vec<Kept>| (0..).zip(things).map(|(n, kept)| Kept { used: Wall(kept.used.0 + n), ..kept }).collect();
    (vec(kept, 0..16).prop_map(apart), (0i64..45).prop_map(|bound| bound * 16), 1u32..6)
}

async fn compare(subject: &Subject, class: Class, things: Vec<Kept>, bound: Wall, limit: u32) {
    let things: Vec<(u128, Kept)> = (1..).zip(things).collect();
    for (n, kept) in &things {
        stock_up(subject, class, *n, *kept).await;
    }
    let mut left = things.clone();
    loop {
        let went = subject.ages.let_go(class, bound, REMOVED, limit).await.unwrap();
        let expected = chosen(left.iter().copied(), bound, limit as usize);
        left.retain(|(n, _)| !expected.contains(n));
        rule!(went as usize, expected.len(), "of {things:?} at {bound:?}, by {limit}, {} go", class.name());
        let mut found = Vec::new();
        for (n, _) in &things {
            if is_there(subject, class, *n).await {
                found.push(*n);
            }
        }
        let stay: Vec<_> = left.iter().map(|(n, _)| *n).collect();
        rule!(found, stay, "of {things:?} at {bound:?}, by {limit}, of {} the others stay", class.name());
        if expected.is_empty() {
            return;
        }
    }
}

/// One thing that was used then, and something that needs it if it is needed.
async fn stock_up(subject: &Subject, class: Class, n: u128, kept: Kept) {
    let session = session(n, n, Some(1000 + n), kept.used);
    match class {
        Class::Avatars => {
            subject.records.add_avatar(&avatar(n, kept.used)).await.unwrap();
            if kept.needed {
                subject.make(session, None).await;
            }
        }
        Class::Uploads => {
            subject.upload(n, kept.used).await;
            match n % 3 {
                _ if !kept.needed => {}
                0 => drop(subject.records.add_avatar(&avatar(n, kept.used)).await.unwrap()),
                1 => drop(subject.make(session, None).await),
                _ => {
                    let speaks = super::session(n, 2000, Some(n), kept.used);
                    subject.make(Session { id: SessionId(n), ..speaks }, None).await;
                }
            }
        }
        Class::Results | Class::Tokens => {
            subject.make(session, Some(token(n))).await;
            if !kept.needed {
                subject.end(n, completed(), kept.used).await;
            }
        }
    }
}

async fn is_there(subject: &Subject, class: Class, n: u128) -> bool {
    match class {
        Class::Avatars => subject.records.avatar(AvatarId(n)).await.unwrap().is_some(),
        Class::Uploads => subject.leaving().await.iter().all(|leaving| leaving.key != super::place(n)),
        Class::Results => {
            let session = subject.records.session(SessionId(n)).await.unwrap().unwrap();
            session.end.and_then(|end| end.output).is_none_or(|output| output.removed.is_none())
        }
        Class::Tokens => subject.records.repeated(KeyId(1), &token(n).token).await.unwrap().is_some(),
    }
}
