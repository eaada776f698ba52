//! Random things of every class: a record store lets go of what `domain::retention` chooses.

use super::super::sample::completed;
use super::{Subject, avatar, session, token};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::retention::{KeptThing, RetentionClass, chosen};
use mouthpiece_domain::session::{Session, SessionKind};
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
    // Usage is no thing of its own: it is tried by what it is made of.
    for class in RetentionClass::ALL.into_iter().filter(|class| *class != RetentionClass::Usage) {
        for _ in 0..CASES {
            let (things, bound, limit) = stock().new_tree(&mut runner).unwrap().current();
            compare(&fresh().await, class, things, Wall(bound), limit).await;
        }
    }
}

/// Things, a bound and a limit. No two were used at the same time: which of them goes first is the store's.
fn stock() -> impl Strategy<Value = (Vec<KeptThing>, i64, u32)> {
    let kept = (0i64..40, any::<bool>()).prop_map(|(used, needed)| KeptThing { used: Wall(used * 16), needed });
    let apart = |things: Vec<KeptThing>| {
        (0..).zip(things).map(|(n, kept)| KeptThing { used: Wall(kept.used.0 + n), ..kept }).collect()
    };
    (vec(kept, 0..16).prop_map(apart), (0i64..45).prop_map(|bound| bound * 16), 1u32..6)
}

async fn compare(subject: &Subject, class: RetentionClass, things: Vec<KeptThing>, bound: Wall, limit: u32) {
    let things: Vec<(u128, KeptThing)> = (1..).zip(things).collect();
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
async fn stock_up(subject: &Subject, class: RetentionClass, n: u128, kept: KeptThing) {
    let session = session(n, n, Some(1000 + n), kept.used);
    match class {
        RetentionClass::Avatars => {
            subject.records.add_avatar(&avatar(n, kept.used)).await.unwrap();
            if kept.needed {
                subject.make(session, None).await;
            }
        }
        RetentionClass::Uploads => {
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
        RetentionClass::Sessions => {
            // Needed: a render with its result, what a token or an avatar names, what is open.
            let kind = if kept.needed && n.is_multiple_of(4) { SessionKind::Render } else { SessionKind::Live };
            let token = (kept.needed && n % 4 == 1).then(|| token(n));
            subject.make(Session { kind, ..session }, token).await;
            if kept.needed && n % 4 == 2 {
                subject.records.add_avatar(&avatar(n, kept.used)).await.unwrap();
            }
            if !(kept.needed && n % 4 == 3) {
                subject.end(n, completed(), kept.used).await;
            }
        }
        RetentionClass::Usage => unreachable!("it is tried elsewhere"),
        RetentionClass::Results | RetentionClass::Tokens => {
            subject.make(session, Some(token(n))).await;
            if !kept.needed {
                subject.end(n, completed(), kept.used).await;
            }
        }
    }
}

async fn is_there(subject: &Subject, class: RetentionClass, n: u128) -> bool {
    match class {
        RetentionClass::Avatars => subject.records.avatar(AvatarId(n)).await.unwrap().is_some(),
        RetentionClass::Uploads => subject.leaving().await.iter().all(|leaving| leaving.key != super::place(n)),
        RetentionClass::Results => {
            let session = subject.records.session(SessionId(n)).await.unwrap().unwrap();
            session.end.and_then(|end| end.output).is_none_or(|output| output.removed.is_none())
        }
        RetentionClass::Sessions => subject.records.session(SessionId(n)).await.unwrap().is_some(),
        RetentionClass::Usage => unreachable!("it is tried elsewhere"),
        RetentionClass::Tokens => subject.records.repeated(KeyId(1), &token(n).token).await.unwrap().is_some(),
    }
}
