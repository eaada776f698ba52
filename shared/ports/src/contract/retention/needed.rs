//! Random writes: what a session that is open afterwards names stays, and everything else goes.

use super::super::drafts::{SESSIONS, batches};
use super::super::sample::at;
use super::{Subject, avatar, place, session};
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::ledger::{LedgerWrite, ReferenceLedger};
use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_domain::session::Session;
use mouthpiece_domain::time::Wall;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Stores that are tried.
const CASES: u32 = 12;
/// The n-th session speaks the upload of this number and n.
const SPEECH: u128 = 100;
/// Everything is old.
const BOUND: Wall = Wall(1 << 50);

pub(super) async fn by_open_sessions(fresh: &impl AsyncFn() -> Subject) {
    let mut runner = TestRunner::default();
    for _ in 0..CASES {
        let drafts = batches().new_tree(&mut runner).unwrap().current().into_iter().flatten();
        let (mut model, mut writes) = (ReferenceLedger::default(), Vec::new());
        for draft in drafts {
            let Some(write) = draft.write(&model, &writes) else { continue };
            let write = with_files_of_its_own(write);
            model.write(&write);
            writes.push(write);
        }
        compare(&fresh().await, &model, &writes).await;
    }
}

fn with_files_of_its_own(mut write: LedgerWrite) -> LedgerWrite {
    if let LedgerWrite::Create { session: made, .. } = &mut write {
        let n = made.id.0;
        **made = Session { key: made.key, ..session(n, n, Some(SPEECH + n), at(1)) };
    }
    write
}

async fn compare(subject: &Subject, model: &ReferenceLedger, writes: &[LedgerWrite]) {
    for n in 1..=SESSIONS {
        subject.upload(n, at(1)).await;
        subject.upload(SPEECH + n, at(1)).await;
        subject.records.add_avatar(&avatar(n, at(1))).await.unwrap();
    }
    subject.records.write(writes).await.unwrap();

    let open: Vec<_> = model.open_sessions().iter().map(|session| session.id).collect();
    let ended = model.sessions().count() - open.len();
    for class in RetentionClass::ALL {
        let went = subject.let_go(class, BOUND).await as usize;
        if class == RetentionClass::Results {
            rule!(went, ended, "the results of the ended sessions go: {writes:?}");
        }
    }
    let leaving = subject.leaving().await;
    for n in 1..=SESSIONS {
        let needed = open.contains(&SessionId(n));
        let there = subject.records.session(SessionId(n)).await.unwrap().is_some();
        rule!(there, needed, "the record of an open session stays, that of an ended one goes: {n}, {writes:?}");
        let there = subject.records.avatar(AvatarId(n)).await.unwrap().is_some();
        rule!(there, needed, "an open session needs its avatar, an ended one does not: {n}, {writes:?}");
        for upload in [n, SPEECH + n] {
            let there = leaving.iter().all(|leaving| leaving.key != place(upload));
            rule!(there, needed, "an open session needs its uploads, an ended one does not: {upload}, {writes:?}");
        }
    }
    for ((key, token), made) in model.tokens() {
        let there = subject.records.repeated(*key, token).await.unwrap().is_some();
        rule!(there, open.contains(&made.session), "an open session needs its token: {token}, {writes:?}");
    }
}
