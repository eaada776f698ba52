//! Conditional writes, rule by rule of `domain::ledger`.

use super::super::sample::{at, completed, hold, live_session, ms, session};
use super::{Subject, create, found, write};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{EndReason, Fence, FrameProgress, Phase, Session, SessionEnd, SessionKind, SlotIndex};
use std::sync::Arc;

fn assign(hold: Hold, ms: i64) -> LedgerWrite {
    LedgerWrite::Assign { hold, at: at(ms) }
}

fn requeue(hold: Hold, ms: i64) -> LedgerWrite {
    LedgerWrite::Requeue { hold, lost: true, at: at(ms) }
}

fn advance(hold: Hold, phase: Phase, (done, total): (u64, u64), ms_at: i64) -> LedgerWrite {
    LedgerWrite::Advance { hold, phase, progress: FrameProgress { done, total }, delivered: ms(0), at: at(ms_at) }
}

fn end(session: u128, fence: u32, end: SessionEnd, ms: i64) -> LedgerWrite {
    let (session, fence) = (SessionId(session), Fence(fence));
    LedgerWrite::End { session, fence, end: Box::new(end), progress: None, delivered: None, at: at(ms) }
}

fn make(session: Session, token: Option<(u128, &str, &str)>) -> LedgerWrite {
    let idempotency = token.map(|(key, token, fingerprint)| Idempotency {
        key: KeyId(key),
        token: token.into(),
        fingerprint: fingerprint.repeat(32),
    });
    LedgerWrite::Create { session: Box::new(session), idempotency }
}

/// The write is refused with the record as it stands, and leaves it alone.
async fn refused(records: &Subject, one: LedgerWrite, why: &str) {
    let id = one.session().unwrap();
    let before = records.session(id).await.unwrap();
    let outcome = write(records, one.clone()).await;
    rule!(outcome, WriteOutcome::Stale(before.clone().map(Box::new)), "{why}: {one:?} is stale and tells the record");
    rule!(records.session(id).await.unwrap(), before, "{why}: a stale write changes nothing");
}

async fn applied(records: &Subject, one: LedgerWrite, why: &str) {
    let outcome = write(records, one.clone()).await;
    rule!(outcome, WriteOutcome::Applied, "{why}: {one:?}");
}

pub(super) async fn a_session_comes_back_as_it_was_written(records: Subject) {
    let mut plain = session(2);
    plain.kind = SessionKind::Prepare;
    plain.metadata.clear();
    let mut spec = (*plain.spec).clone();
    (spec.speech, spec.face, spec.seed) = (None, None, 0);
    plain.spec = Arc::new(spec);
    for one in [session(1), plain, live_session(3), session(u128::MAX)] {
        rule!(records.session(one.id).await.unwrap(), None, "what was not written is not there");
        applied(&records, make(one.clone(), None), "a new session is created").await;
        rule!(records.session(one.id).await.unwrap(), Some(one), "a session comes back as it was written");
    }
}

pub(super) async fn every_reason_is_kept(records: Subject) {
    for (id, reason) in (1..).zip(EndReason::ALL) {
        applied(&records, make(live_session(id), None), "a new session is created").await;
        let over = SessionEnd::new(reason, None);
        applied(&records, end(id, 1, over.clone(), 9), "an open session is ended").await;
        rule!(found(&records, id).await.end, Some(over), "a session's end comes back as it was written");
    }
}

pub(super) async fn a_session_is_created_once(records: Subject) {
    create(&records, [1]).await;
    let mut other = session(1);
    other.key = KeyId(99);
    refused(&records, make(other.clone(), None), "a session's id is used once").await;
    refused(&records, make(other, Some((1, "unused", "ab"))), "a session's id is used once").await;
    rule!(records.repeated(KeyId(1), "unused").await.unwrap(), None, "a refused creation uses up no token");
}

pub(super) async fn a_token_makes_one_session(records: Subject) {
    applied(&records, make(session(1), Some((1, "token", "ab"))), "a token's first use creates").await;
    rule!(
        records.repeated(KeyId(1), "token").await.unwrap(),
        Some(("ab".repeat(32), SessionId(1))),
        "a token tells its session and what was asked for"
    );
    applied(&records, assign(hold(1, 1, 1, 0), 5), "requested -> assigned").await;
    let now = found(&records, 1).await;
    for (fingerprint, same) in [("ab", true), ("cd", false), ("ab", true)] {
        let outcome = write(&records, make(session(2), Some((1, "token", fingerprint)))).await;
        let wanted = WriteOutcome::Repeated { session: Box::new(now.clone()), same };
        rule!(
            outcome,
            wanted,
            "a token that was used tells the session as it stands, and whether it was the same request"
        );
        rule!(records.session(SessionId(2)).await.unwrap(), None, "a repeated creation writes nothing");
    }
    let outcome = write(&records, make(session(1), Some((1, "token", "ab")))).await;
    rule!(
        outcome,
        WriteOutcome::Repeated { session: Box::new(now), same: true },
        "the very same write again is a repetition"
    );
    applied(&records, end(1, 1, completed(), 9), "an end").await;
    let ended = found(&records, 1).await;
    let outcome = write(&records, make(session(3), Some((1, "token", "ab")))).await;
    rule!(
        outcome,
        WriteOutcome::Repeated { session: Box::new(ended), same: true },
        "a token outlives its session's end"
    );
}

pub(super) async fn tokens_of_different_callers_never_meet(records: Subject) {
    let batch = [
        make(session(1), Some((1, "token", "ab"))),
        make(session(2), Some((2, "token", "ab"))),
        make(session(3), Some((1, "Token", "ab"))),
        make(session(4), Some((1, "token ", "ab"))),
        make(session(5), None),
        make(session(6), None),
    ];
    rule!(
        records.write(&batch).await.unwrap(),
        vec![WriteOutcome::Applied; 6],
        "different callers or tokens never meet"
    );
    for (key, token, id) in [(1, "token", 1), (2, "token", 2), (1, "Token", 3), (1, "token ", 4)] {
        let told = records.repeated(KeyId(key), token).await.unwrap().map(|(_, id)| id);
        rule!(told, Some(SessionId(id)), "a token is told apart by its caller and its exact text");
    }
    rule!(records.repeated(KeyId(3), "token").await.unwrap(), None, "a token that was not used is not known");
}

pub(super) async fn assign_takes_only_what_is_requested(records: Subject) {
    create(&records, [1]).await;
    refused(&records, assign(hold(2, 1, 1, 0), 5), "there must be a session").await;
    for fence in [0, 2] {
        refused(&records, assign(hold(1, fence, 1, 0), 5), "an assignment carries the session's fence").await;
    }
    applied(&records, assign(hold(1, 1, 7, 3), 5), "requested -> assigned").await;
    let wanted =
        Session { phase: Phase::Assigned, place: Some((WorkerId(7), SlotIndex(3))), updated: at(5), ..session(1) };
    rule!(found(&records, 1).await, wanted, "an assignment sets phase, place and time, and nothing else");
    refused(&records, assign(hold(1, 1, 7, 3), 6), "what is assigned is not assigned again").await;
    for phase in [Phase::Preparing, Phase::Running, Phase::Draining] {
        applied(&records, advance(hold(1, 1, 7, 3), phase, (0, 0), 7), "a later phase").await;
        refused(&records, assign(hold(1, 1, 8, 0), 8), "what runs is not assigned again").await;
    }
    applied(&records, end(1, 1, completed(), 9), "an end").await;
    refused(&records, assign(hold(1, 1, 8, 0), 10), "what ended is not assigned").await;
}

pub(super) async fn requeue_gives_up_the_placement(records: Subject) {
    create(&records, [1]).await;
    let mut fence = 1;
    for phase in [Phase::Requested, Phase::Assigned, Phase::Preparing, Phase::Running, Phase::Draining] {
        let mine = hold(1, fence, 7, 1);
        if phase != Phase::Requested {
            applied(&records, assign(mine, 5), "requested -> assigned").await;
            applied(&records, advance(mine, phase, (10, 20), 6), "a later phase").await;
        }
        for old in [fence - 1, fence + 1] {
            refused(&records, requeue(hold(1, old, 7, 1), 7), "a placement is given up by its fence").await;
        }
        applied(&records, requeue(mine, 8), "a placement is given up").await;
        fence += 1;
        let wanted = Session { fence: Fence(fence), losses: fence - 1, updated: at(8), ..session(1) };
        rule!(
            found(&records, 1).await,
            wanted,
            "given up in {phase:?}: requested, the fence grown, no place, no progress"
        );
        refused(&records, requeue(mine, 9), "a placement is given up once").await;
        refused(&records, assign(mine, 9), "an old fence is refused").await;
        refused(&records, advance(mine, Phase::Draining, (30, 30), 9), "an old fence is refused").await;
        refused(&records, end(1, fence - 1, completed(), 9), "an old fence is refused").await;
    }
    applied(&records, assign(hold(1, fence, 7, 1), 9), "requested -> assigned").await;
    applied(&records, end(1, fence, completed(), 9), "an end").await;
    refused(&records, requeue(hold(1, fence, 7, 1), 10), "what ended is not requeued").await;
    refused(&records, requeue(hold(2, 1, 7, 1), 10), "there must be a session").await;
}

pub(super) async fn requeue_spares_the_placements_of_others(records: Subject) {
    create(&records, [1, 2]).await;
    applied(&records, assign(hold(1, 1, 7, 1), 5), "requested -> assigned").await;
    for other in [hold(1, 1, 8, 1), hold(1, 1, 7, 0)] {
        refused(&records, requeue(other, 6), "who does not know who won a fence requeues nobody else's placement")
            .await;
    }
    applied(&records, requeue(hold(2, 1, 9, 9), 6), "a requested session has no place that could differ").await;
    rule!(found(&records, 2).await.fence, Fence(2), "a requested session's fence grows too");
}

pub(super) async fn advance_goes_forward_only(records: Subject) {
    let mine = hold(1, 1, 7, 0);
    create(&records, [1]).await;
    refused(&records, advance(hold(2, 1, 7, 0), Phase::Running, (0, 0), 4), "there must be a session").await;
    for phase in [Phase::Requested, Phase::Assigned, Phase::Draining] {
        refused(&records, advance(mine, phase, (1, 2), 4), "what is requested is assigned first").await;
    }
    applied(&records, assign(mine, 5), "requested -> assigned").await;
    let steps = [Phase::Assigned, Phase::Preparing, Phase::Running, Phase::Running, Phase::Draining];
    for (n, phase) in (1u64..).zip(steps) {
        applied(&records, advance(mine, phase, (10 * n, 100), 10 + n as i64), "a later or the same phase").await;
        let now = found(&records, 1).await;
        rule!(
            (now.phase, now.progress),
            (phase, FrameProgress { done: 10 * n, total: 100 }),
            "phase and progress are written"
        );
        rule!(now.place, Some((WorkerId(7), SlotIndex(0))), "an advance keeps the place");
        for earlier in Phase::ALL.into_iter().filter(|p| *p < phase) {
            refused(&records, advance(mine, earlier, (99, 99), 90), "a session never goes back").await;
        }
        for fence in [0, 2] {
            refused(&records, advance(hold(1, fence, 7, 0), phase, (99, 99), 90), "an advance carries the fence").await;
        }
        refused(
            &records,
            advance(mine, Phase::Ended, (99, 99), 90),
            "an advance never ends a session: that takes a reason",
        )
        .await;
    }
    for (said, wanted) in [((7, 0), (50, 100)), ((60, 0), (60, 100)), ((0, 120), (60, 120)), ((60, 120), (60, 120))] {
        applied(&records, advance(mine, Phase::Draining, said, 30), "the same phase").await;
        let now = found(&records, 1).await.progress;
        rule!((now.done, now.total), wanted, "progress never shrinks");
    }
    applied(&records, end(1, 1, completed(), 40), "an end").await;
    refused(&records, advance(mine, Phase::Draining, (99, 99), 90), "what ended does not advance").await;
}

pub(super) async fn an_end_is_final(records: Subject) {
    create(&records, [1]).await;
    let mine = hold(1, 1, 7, 2);
    applied(&records, assign(mine, 5), "requested -> assigned").await;
    applied(&records, advance(mine, Phase::Running, (100, 250), 6), "a later phase").await;
    refused(&records, end(2, 1, completed(), 9), "there must be a session").await;
    for fence in [0, 2] {
        refused(&records, end(1, fence, completed(), 9), "an end carries the session's fence").await;
    }
    let last = LedgerWrite::End {
        session: SessionId(1),
        fence: Fence(1),
        end: Box::new(completed()),
        progress: Some(FrameProgress { done: 250, total: 250 }),
        delivered: Some((WorkerId(7), SlotIndex(2), ms(10_000))),
        at: at(9),
    };
    applied(&records, last.clone(), "an end").await;
    let wanted = Session {
        phase: Phase::Ended,
        place: Some((WorkerId(7), SlotIndex(2))),
        progress: FrameProgress { done: 250, total: 250 },
        end: Some(completed()),
        updated: at(9),
        ..session(1)
    };
    rule!(found(&records, 1).await, wanted, "an end sets phase, end, progress and time, and keeps where it ran last");
    refused(&records, last, "a session ends once").await;
    refused(&records, end(1, 1, SessionEnd::new(EndReason::Cancelled, None), 10), "a session ends once").await;
}

pub(super) async fn an_end_may_come_from_anywhere(records: Subject) {
    for (id, reason) in (1u128..).zip(EndReason::ALL) {
        create(&records, [id]).await;
        let why = SessionEnd::new(reason, None);
        applied(&records, end(id, 1, why.clone(), 5), "a session may end before it was placed").await;
        let wanted = Session { phase: Phase::Ended, end: Some(why), updated: at(5), ..session(id) };
        rule!(found(&records, id).await, wanted, "an end keeps everything else");
    }
    for (id, phase) in (20u128..).zip([Phase::Assigned, Phase::Preparing, Phase::Running, Phase::Draining]) {
        create(&records, [id]).await;
        applied(&records, assign(hold(id, 1, 1, 0), 5), "requested -> assigned").await;
        applied(&records, advance(hold(id, 1, 1, 0), phase, (30, 40), 5), "a later phase").await;
        applied(&records, end(id, 1, SessionEnd::new(EndReason::Lost, Some("why".into())), 6), "an end in any phase")
            .await;
        let now = found(&records, id).await;
        rule!(now.progress, FrameProgress { done: 30, total: 40 }, "an end without progress leaves it");
        rule!(now.place, Some((WorkerId(1), SlotIndex(0))), "an end keeps where it ran last");
    }
}

pub(super) async fn a_stale_write_does_not_stop_the_others(records: Subject) {
    create(&records, [1]).await;
    let batch = [
        make(session(2), None),
        assign(hold(9, 1, 1, 0), 5),
        assign(hold(1, 2, 1, 0), 5),
        make(session(2), None),
        assign(hold(1, 1, 1, 0), 5),
        assign(hold(1, 1, 1, 1), 6),
        make(session(3), None),
    ];
    let (one, two) = (found(&records, 1).await, session(2));
    let outcomes = records.write(&batch).await.unwrap();
    let assigned =
        Session { phase: Phase::Assigned, place: Some((WorkerId(1), SlotIndex(0))), updated: at(5), ..one.clone() };
    let stale = |s: Session| WriteOutcome::Stale(Some(Box::new(s)));
    let wanted = vec![
        WriteOutcome::Applied,
        WriteOutcome::Stale(None),
        stale(one),
        stale(two),
        WriteOutcome::Applied,
        stale(assigned),
        WriteOutcome::Applied,
    ];
    rule!(outcomes, wanted, "a stale write does not stop the others, and tells the record as it stood at its turn");
    rule!(records.session(SessionId(3)).await.unwrap(), Some(session(3)), "what follows a stale write is written");
    rule!(records.write(&[]).await.unwrap(), Vec::new(), "an empty batch is answered with nothing");
}

pub(super) async fn a_batch_is_carried_out_in_order(records: Subject) {
    let mine = hold(1, 2, 3, 0);
    let batch = [
        make(session(1), Some((1, "token", "ab"))),
        make(session(2), Some((1, "token", "ab"))),
        assign(hold(1, 1, 3, 0), 2),
        requeue(hold(1, 1, 3, 0), 3),
        assign(mine, 4),
        advance(mine, Phase::Running, (5, 10), 5),
        end(1, 2, completed(), 6),
    ];
    let outcomes = records.write(&batch).await.unwrap();
    for (n, outcome) in outcomes.iter().enumerate() {
        let repeated = matches!(outcome, WriteOutcome::Repeated { session, same: true } if session.id == SessionId(1));
        rule!(
            if n == 1 { repeated } else { *outcome == WriteOutcome::Applied },
            true,
            "write {n} sees those before it: {outcome:?}"
        );
    }
    rule!(found(&records, 1).await.version(), (Fence(2), Phase::Ended), "a batch is carried out in order");
    rule!(records.session(SessionId(2)).await.unwrap(), None, "a token meets itself within a batch");
}

pub(super) async fn one_of_many_assigns(records: Subject) {
    for id in 1..=8u128 {
        create(&records, [id]).await;
        let tries: Vec<_> = (0..8u128)
            .map(|worker| {
                let (records, mine) = (Arc::clone(&records), hold(id, 1, worker, 0));
                tokio::spawn(async move { (mine, write(&records, assign(mine, 5)).await) })
            })
            .collect();
        let (mut winners, mut losers) = (Vec::new(), Vec::new());
        for one in tries {
            match one.await.unwrap() {
                (mine, WriteOutcome::Applied) => winners.push((mine.worker, mine.slot)),
                (_, WriteOutcome::Stale(Some(now))) => losers.push(now.place),
                (mine, other) => panic!("rule broken: an assignment is applied or stale: {mine:?} {other:?}"),
            }
        }
        rule!(winners.len(), 1, "of 8 who assign the same fence one is applied: {winners:?}");
        rule!(losers, vec![Some(winners[0]); 7], "who loses is told who won");
        rule!(found(&records, id).await.place, Some(winners[0]), "the record is the winner's");
    }
}

pub(super) async fn many_write_at_once(records: Subject) {
    let writers: Vec<_> = (0..8u128)
        .map(|n| {
            let records = Arc::clone(&records);
            tokio::spawn(async move {
                for id in (n * 100..).take(10) {
                    let batch = [make(session(id), None), assign(hold(id, 1, n, 0), 2)];
                    rule!(
                        records.write(&batch).await.unwrap(),
                        vec![WriteOutcome::Applied; 2],
                        "writers do not disturb each other"
                    );
                    rule!(found(&records, id).await.phase, Phase::Assigned, "what is answered is seen by a reader");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    rule!(records.open_sessions().await.unwrap().len(), 80, "nothing is lost between writers");
}
