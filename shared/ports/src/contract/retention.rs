//! What a record store lets go of, and what becomes of it.

mod needed;
mod past;
mod removals;
mod rule;

use super::sample::{self, at, completed, key as blob};
use crate::records::{Avatar, Records};
use crate::retention::{LeavingBlob, Retention};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, WriteOutcome};
use mouthpiece_domain::names;
use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_domain::session::{BlobKey, Fence, Session, SessionEnd, SessionKind, SessionOutput, SessionSpec};
use mouthpiece_domain::time::Wall;
use std::sync::Arc;

/// Both sides of one store.
struct Subject {
    records: Arc<dyn Records>,
    ages: Arc<dyn Retention>,
}

/// Runs the suite.
pub async fn retention<A: Records + Retention + 'static>(fresh: impl AsyncFn() -> Arc<A>) {
    let fresh = async || {
        let store = fresh().await;
        Subject { records: Arc::clone(&store) as _, ages: store }
    };
    each!(fresh:
        an_upload_that_returns_lies_elsewhere, a_use_makes_an_upload_young, what_names_an_upload_keeps_it,
        taking_an_avatar_keeps_its_portrait, what_was_prepared_stays_when_the_portrait_returns,
        an_avatar_goes_when_it_was_not_used, a_result_is_removed_on_record, only_results_of_renders_go,
        a_token_that_went_is_new, what_is_leaving_is_told_in_pages,
        past::a_session_goes_and_the_books_stay, past::the_books_go_by_the_hour, past::an_open_session_keeps_its_books,
        past::what_is_kept_is_counted, removals::an_avatar_takes_all_with_it, removals::what_is_used_again_stays,
        removals::open_sessions_are_waited_for, removals::a_result_goes_at_once, removals::the_turn_is_kept,
    );
    rule::is_kept(&fresh).await;
    needed::by_open_sessions(&fresh).await;
}

fn content(n: u128) -> String {
    format!("{n:064x}")
}

/// Where the `n`-th upload is put.
fn place(n: u128) -> BlobKey {
    names::upload(&content(n), n).unwrap()
}

/// An avatar of the `n`-th upload.
fn avatar(n: u128, used: Wall) -> Avatar {
    Avatar {
        id: AvatarId(n),
        key: KeyId(1),
        name: String::new(),
        content: content(n),
        portrait: place(n),
        media_type: "image/png".into(),
        bytes: 5,
        face: None,
        prepared_by: SessionId(n),
        created: used,
        used,
    }
}

/// A session of these uploads and this avatar.
fn session(id: u128, portrait: u128, speech: Option<u128>, created: Wall) -> Session {
    let first = sample::session(id);
    let spec = SessionSpec {
        portrait: place(portrait),
        content: content(portrait),
        speech: speech.map(place),
        ..(*first.spec).clone()
    };
    Session { avatar: AvatarId(portrait), spec: Arc::new(spec), created, updated: created, ..first }
}

fn token(id: u128) -> Idempotency {
    Idempotency { key: KeyId(1), token: format!("token {id}"), fingerprint: content(id) }
}

impl Subject {
    async fn upload(&self, n: u128, used: Wall) {
        rule!(self.records.use_upload(&content(n), &place(n), used).await, Ok(place(n)), "an upload is used");
    }

    async fn make(&self, session: Session, idempotency: Option<Idempotency>) -> WriteOutcome {
        let create = LedgerWrite::Create { session: Box::new(session), idempotency };
        self.records.write(&[create]).await.unwrap().remove(0)
    }

    async fn end(&self, id: u128, end: SessionEnd, at: Wall) {
        let (session, fence, end) = (SessionId(id), Fence::FIRST, Box::new(end));
        let end = LedgerWrite::End { session, fence, end, progress: None, delivered: None, at };
        rule!(self.records.write(&[end]).await, Ok(vec![WriteOutcome::Applied]), "a session ends");
    }

    async fn let_go(&self, class: RetentionClass, bound: Wall) -> u32 {
        self.ages.let_go(class, bound, at(99_000), 100).await.unwrap()
    }

    async fn output(&self, id: u128) -> SessionOutput {
        let session = self.records.session(SessionId(id)).await.unwrap().unwrap();
        *session.end.unwrap().output.unwrap()
    }

    async fn leaving(&self) -> Vec<LeavingBlob> {
        self.ages.leaving(None, 1000).await.unwrap()
    }
}

async fn an_upload_that_returns_lies_elsewhere(subject: Subject) {
    subject.upload(1, at(10)).await;
    rule!(subject.let_go(RetentionClass::Uploads, at(9)).await, 0, "what is younger than the bound stays");
    rule!(subject.leaving().await, vec![], "what stays is not leaving");
    rule!(subject.let_go(RetentionClass::Uploads, at(10)).await, 1, "what was used at the bound goes");
    rule!(subject.let_go(RetentionClass::Uploads, at(10)).await, 0, "what went goes once");
    let prepared = LeavingBlob { key: names::prepared(&content(1)).unwrap(), class: RetentionClass::Avatars };
    let upload = LeavingBlob { key: place(1), class: RetentionClass::Uploads };
    rule!(subject.leaving().await, vec![prepared, upload], "an upload leaves with what was prepared from it");
    let fresh = blob("uploads/anew");
    let again = subject.records.use_upload(&content(1), &fresh, at(20)).await;
    rule!(again, Ok(fresh), "the place of an upload that went is not given out again");
    rule!(subject.leaving().await.iter().any(|l| l.key == place(1)), true, "it leaves all the same");
}

async fn a_use_makes_an_upload_young(subject: Subject) {
    subject.upload(1, at(10)).await;
    subject.upload(1, at(20)).await;
    subject.upload(1, at(15)).await;
    rule!(subject.let_go(RetentionClass::Uploads, at(19)).await, 0, "the latest use counts");
    rule!(subject.let_go(RetentionClass::Uploads, at(20)).await, 1, "the latest use counts");
}

async fn what_names_an_upload_keeps_it(subject: Subject) {
    for n in 1..=4 {
        subject.upload(n, at(1)).await;
    }
    subject.records.add_avatar(&avatar(1, at(1))).await.unwrap();
    subject.make(session(10, 2, Some(3), at(1)), None).await;
    rule!(subject.let_go(RetentionClass::Uploads, at(50)).await, 1, "what no avatar and no open session names goes");
    rule!(subject.leaving().await.iter().any(|l| l.key == place(4)), true, "and nothing else");
    subject.end(10, completed(), at(2)).await;
    rule!(subject.let_go(RetentionClass::Uploads, at(50)).await, 2, "an ended session keeps nothing");
    rule!(subject.let_go(RetentionClass::Uploads, at(50)).await, 0, "an avatar keeps its portrait");
    rule!(subject.records.remove_avatar(AvatarId(1)).await, Ok(true), "an avatar is removed");
    rule!(subject.let_go(RetentionClass::Uploads, at(50)).await, 1, "an avatar that was removed keeps nothing");
}

async fn taking_an_avatar_keeps_its_portrait(subject: Subject) {
    subject.upload(1, at(1)).await;
    subject.records.add_avatar(&avatar(1, at(1))).await.unwrap();
    subject.records.use_avatar(AvatarId(1), at(40)).await.unwrap();
    rule!(subject.let_go(RetentionClass::Avatars, at(39)).await, 0, "an avatar that was taken is young");
    // Removed between being taken and the session's record: the session finds its portrait all the same.
    subject.records.remove_avatar(AvatarId(1)).await.unwrap();
    rule!(subject.let_go(RetentionClass::Uploads, at(39)).await, 0, "taking an avatar is a use of its portrait");
    rule!(subject.let_go(RetentionClass::Uploads, at(40)).await, 1, "of that age it goes");
}

async fn what_was_prepared_stays_when_the_portrait_returns(subject: Subject) {
    subject.upload(1, at(1)).await;
    subject.let_go(RetentionClass::Uploads, at(1)).await;
    subject.records.use_upload(&content(1), &blob("uploads/anew"), at(2)).await.unwrap();
    let upload = LeavingBlob { key: place(1), class: RetentionClass::Uploads };
    rule!(subject.leaving().await, vec![upload], "of a portrait that returns what was prepared leaves no more");
}

async fn an_avatar_goes_when_it_was_not_used(subject: Subject) {
    for n in 1..=2 {
        subject.upload(n, at(1)).await;
        subject.records.add_avatar(&avatar(n, at(1))).await.unwrap();
    }
    subject.make(session(10, 1, None, at(1)), None).await;
    rule!(subject.let_go(RetentionClass::Avatars, at(50)).await, 1, "the avatar of an open session stays");
    rule!(subject.records.avatar(AvatarId(2)).await, Ok(None), "an avatar that went is not there");
    rule!(subject.records.use_avatar(AvatarId(2), at(51)).await, Ok(None), "an avatar that went is not taken");
    rule!(subject.let_go(RetentionClass::Uploads, at(50)).await, 1, "its portrait follows it");
    subject.end(10, completed(), at(2)).await;
    rule!(subject.let_go(RetentionClass::Avatars, at(50)).await, 1, "it goes when the session has ended");
    rule!(subject.let_go(RetentionClass::Uploads, at(50)).await, 1, "its portrait follows it");
}

async fn a_result_is_removed_on_record(subject: Subject) {
    subject.make(session(1, 1, Some(2), at(1)), None).await;
    rule!(subject.let_go(RetentionClass::Results, at(50)).await, 0, "an open session has no result to go");
    subject.end(1, completed(), at(30)).await;
    let before = subject.records.session(SessionId(1)).await.unwrap().unwrap();
    rule!(subject.let_go(RetentionClass::Results, at(29)).await, 0, "a result is as old as its session's end");
    rule!(subject.let_go(RetentionClass::Results, at(30)).await, 1, "of that age it goes");
    rule!(subject.let_go(RetentionClass::Results, at(30)).await, 0, "a result goes once");
    let folder = LeavingBlob { key: names::results(SessionId(1)).unwrap(), class: RetentionClass::Results };
    rule!(subject.leaving().await, vec![folder], "with it goes what earlier placements left");
    let mut wanted = before;
    let output = wanted.end.as_mut().and_then(|end| end.output.as_mut()).unwrap();
    (output.blob, output.removed) = (None, Some(at(99_000)));
    let found = subject.records.session(SessionId(1)).await.unwrap().unwrap();
    rule!(found, wanted, "the record tells when it was removed, and everything else as before");
}

async fn only_results_of_renders_go(subject: Subject) {
    subject.make(Session { kind: SessionKind::Prepare, ..session(1, 1, None, at(1)) }, None).await;
    subject.make(Session { kind: SessionKind::Live, ..session(2, 1, None, at(1)) }, None).await;
    subject.make(session(3, 1, Some(2), at(1)), None).await;
    for id in 1..=2 {
        subject.end(id, completed(), at(2)).await;
    }
    let failed = SessionEnd::new(mouthpiece_domain::session::EndReason::Failed, "so it ended".to_owned());
    subject.end(3, failed.clone(), at(2)).await;
    rule!(
        subject.let_go(RetentionClass::Results, at(50)).await,
        1,
        "a render without a result may have left something too"
    );
    rule!(subject.output(1).await, *completed().output.unwrap(), "what a preparation left is the avatar's");
    let found = subject.records.session(SessionId(3)).await.unwrap().unwrap();
    rule!(found.end, Some(failed), "where there was no result none was removed");
}

async fn a_token_that_went_is_new(subject: Subject) {
    subject.make(session(1, 1, None, at(10)), Some(token(7))).await;
    rule!(subject.let_go(RetentionClass::Tokens, at(50)).await, 0, "the token of an open session stays");
    subject.end(1, completed(), at(40)).await;
    rule!(subject.let_go(RetentionClass::Tokens, at(9)).await, 0, "a token is as old as its session");
    let repeated = subject.make(session(2, 1, None, at(45)), Some(token(7))).await;
    rule!(matches!(repeated, WriteOutcome::Repeated { .. }), true, "until it goes it stands for its session");
    rule!(subject.let_go(RetentionClass::Tokens, at(10)).await, 1, "of that age it goes");
    rule!(subject.records.repeated(KeyId(1), &token(7).token).await, Ok(None), "a token that went made nothing");
    let made = subject.make(session(2, 1, None, at(45)), Some(token(7))).await;
    rule!(made, WriteOutcome::Applied, "a token that went makes a session again");
    rule!(subject.let_go(RetentionClass::Tokens, at(44)).await, 0, "and is as old as that");
}

async fn what_is_leaving_is_told_in_pages(subject: Subject) {
    for n in 1..=5 {
        subject.upload(n, at(1)).await;
    }
    rule!(subject.let_go(RetentionClass::Uploads, at(1)).await, 5, "all go");
    let all = subject.leaving().await;
    rule!(all.len(), 10, "each with what was prepared from it");
    rule!(all.is_sorted_by_key(|leaving| leaving.key.clone()), true, "what is leaving is told by key");
    let some = subject.ages.leaving(Some(&all[2].key), 4).await.unwrap();
    rule!(some, all[3..7].to_vec(), "it goes on after a key");
    rule!(subject.ages.left(&[all[0].key.clone(), all[4].key.clone()]).await, Ok(()), "what has left is told");
    rule!(subject.ages.left(&[all[0].key.clone(), blob("nowhere")]).await, Ok(()), "twice is no error");
    let left: Vec<_> = all.into_iter().enumerate().filter(|(n, _)| *n != 0 && *n != 4).map(|(_, one)| one).collect();
    rule!(subject.leaving().await, left, "what has left is leaving no more, the others are");
}
