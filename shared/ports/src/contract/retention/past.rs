//! Records of sessions, and the books.

use super::super::sample::{HOUR, at, capability, completed, hold, ms, session};
use super::{Subject, token};
use crate::records::{Period, SessionFilter};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_domain::session::{FrameProgress, Phase, Session, SessionKind};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use std::time::Duration;

const ALWAYS: Period = Period { from: Wall(0), to: Wall(i64::MAX) };

/// No usage and no machine time.
const NOTHING: [Vec<i64>; 2] = [Vec::new(), Vec::new()];

fn hour(n: i64) -> Wall {
    Wall(HOUR.0 + n * HOUR_MS)
}

/// A live session that runs on a worker.
async fn start(subject: &Subject, hold: Hold) {
    subject.make(Session { kind: SessionKind::Live, ..session(hold.session.0) }, None).await;
    let assign = LedgerWrite::Assign { hold, at: at(1) };
    rule!(subject.records.write(&[assign]).await, Ok(vec![WriteOutcome::Applied]), "requested -> assigned");
}

fn report(hold: Hold, delivered: u64, at: Wall) -> LedgerWrite {
    let progress = FrameProgress { done: delivered, total: 0 };
    LedgerWrite::Advance { hold, phase: Phase::Running, progress, delivered: ms(delivered), at }
}

fn machine(worker: u128, uptime: u64, at: Wall) -> LedgerWrite {
    let capability = Box::new(capability("g4dn.xlarge"));
    LedgerWrite::Machine { worker: WorkerId(worker), capability, uptime: ms(uptime), busy: ms(0), at }
}

/// The hours, counted from [`HOUR`], of all usage and of all machine time.
async fn hours(subject: &Subject) -> [Vec<i64>; 2] {
    let count = |hour: Wall| (hour.0 - HOUR.0) / HOUR_MS;
    let usage = subject.records.usage(ALWAYS).await.unwrap().iter().map(|u| count(u.hour)).collect();
    [usage, subject.records.machines(ALWAYS).await.unwrap().iter().map(|m| count(m.hour)).collect()]
}

pub(super) async fn a_session_goes_and_the_books_stay(subject: Subject) {
    let mine = hold(1, 1, 7, 0);
    start(&subject, mine).await;
    subject.make(Session { kind: SessionKind::Live, ..session(2) }, None).await;
    subject.records.write(&[machine(7, 5000, at(2)), report(mine, 4000, at(2))]).await.unwrap();
    rule!(subject.let_go(RetentionClass::Sessions, at(99)).await, 0, "an open session stays");
    for id in [1, 2] {
        subject.end(id, completed(), at(30)).await;
    }
    let before = subject.records.usage(ALWAYS).await;
    rule!(subject.let_go(RetentionClass::Sessions, at(29)).await, 0, "a record is as old as its session's end");
    rule!(subject.let_go(RetentionClass::Sessions, at(30)).await, 2, "of that age it goes");
    rule!(subject.let_go(RetentionClass::Sessions, at(30)).await, 0, "a record goes once");
    rule!(subject.records.session(SessionId(1)).await, Ok(None), "a record that went is not there");
    let all = SessionFilter { limit: 10, ..SessionFilter::default() };
    rule!(subject.records.sessions(&all).await, Ok(vec![]), "nor is it listed");
    rule!(subject.records.usage(ALWAYS).await, before, "what it delivered stays in the books, with whose it was");
    let late = subject.records.write(&[report(mine, 9000, at(40)), report(hold(2, 1, 7, 0), 9000, at(40))]).await;
    rule!(late, Ok(vec![WriteOutcome::Stale(None); 2]), "what comes late for it changes nothing");
    rule!(subject.let_go(RetentionClass::Usage, hour(1)).await, 3, "usage, the machine's hour and the quota's go");
    rule!(hours(&subject).await, NOTHING, "then nothing is left of it");
    rule!(subject.ages.kept(RetentionClass::Sessions).await, Ok(0), "not even its row");
}

pub(super) async fn the_books_go_by_the_hour(subject: Subject) {
    let mine = hold(1, 1, 7, 0);
    start(&subject, mine).await;
    for (delivered, at) in [(1000, at(5)), (3000, hour(1)), (6000, hour(2))] {
        subject.records.write(&[machine(7, delivered, at), report(mine, delivered, at)]).await.unwrap();
    }
    subject.end(1, completed(), hour(2)).await;
    rule!(subject.let_go(RetentionClass::Usage, Wall(hour(1).0 - 1)).await, 0, "an hour that is not over stays");
    rule!(subject.let_go(RetentionClass::Usage, hour(1)).await, 3, "an hour is as old as its end");
    rule!(hours(&subject).await, [vec![1, 2], vec![1, 2]], "the others stay");
    rule!(
        subject.records.delivered_since(KeyId(1), Wall(0)).await,
        Ok(ms(5000)),
        "and so does what quotas are judged by"
    );
    let step = subject.ages.let_go(RetentionClass::Usage, hour(9), at(99), 2).await.unwrap();
    rule!(step, 2, "no more go than are wanted");
    while subject.let_go(RetentionClass::Usage, hour(9)).await > 0 {}
    rule!(hours(&subject).await, NOTHING, "step by step all go");
    rule!(subject.records.session(SessionId(1)).await.unwrap().is_some(), true, "the session's record has its own age");
}

pub(super) async fn an_open_session_keeps_its_books(subject: Subject) {
    let mine = hold(1, 1, 7, 0);
    start(&subject, mine).await;
    subject.records.write(&[report(mine, 1000, at(5))]).await.unwrap();
    subject.let_go(RetentionClass::Usage, hour(9)).await;
    subject.records.write(&[report(mine, 3000, hour(8))]).await.unwrap();
    let usage = subject.records.usage(ALWAYS).await.unwrap();
    let booked: Duration = usage.iter().map(|u| u.delivered).sum();
    rule!(booked, ms(3000), "reports are cumulative: nothing is booked twice");
}

pub(super) async fn what_is_kept_is_counted(subject: Subject) {
    subject.upload(1, at(1)).await;
    subject.records.add_avatar(&super::avatar(1, at(1))).await.unwrap();
    for id in 1..=3 {
        subject.make(session(id), Some(token(id))).await;
    }
    subject.end(1, completed(), at(2)).await;
    let mine = hold(2, 1, 7, 0);
    subject.records.write(&[LedgerWrite::Assign { hold: mine, at: at(2) }, machine(7, 9, at(2))]).await.unwrap();
    subject.records.write(&[report(mine, 1000, at(5))]).await.unwrap();
    for (class, count) in RetentionClass::ALL.into_iter().zip([1, 1, 1, 3, 3, 2]) {
        rule!(subject.ages.kept(class).await, Ok(count), "{} are counted", class.name());
    }
}
