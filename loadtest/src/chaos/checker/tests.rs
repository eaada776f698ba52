//! Each rule on a history of a few lines.

use super::{ChaosRule, CheckTerms, check};
use crate::chaos::history::{Happening, HistoryEvent, Placement};
use proptest::prelude::*;

fn at(at_ms: u64, what: Happening) -> HistoryEvent {
    HistoryEvent { at_ms, what }
}

fn place(worker: &str, session: &str, fence: u32, slot: u8) -> Placement {
    Placement { worker: worker.to_owned(), session: session.to_owned(), fence, slot }
}

fn serves(worker: &str, session: &str, fence: u32) -> Happening {
    Happening::Serves { place: place(worker, session, fence, 0) }
}

fn lets_go(worker: &str, session: &str, fence: u32) -> Happening {
    Happening::LetGo { place: place(worker, session, fence, 0), delivered_ms: 0 }
}

fn reported(worker: &str, session: &str, fence: u32, delivered_ms: u64, ended: bool) -> Happening {
    Happening::Reported { place: place(worker, session, fence, 0), delivered_ms, ended }
}

fn recorded(session: &str, state: &str, reason: Option<&str>, request: Option<u32>) -> Happening {
    let (session, kind, state) = (session.to_owned(), "live".to_owned(), state.to_owned());
    Happening::Recorded { session, kind, state, fence: 1, reason: reason.map(str::to_owned), request }
}

fn billed(session: &str, delivered_ms: u64) -> Happening {
    Happening::Billed { session: session.to_owned(), delivered_ms }
}

fn asked(request: u32) -> Happening {
    Happening::Asked { request, kind: "live".to_owned() }
}

fn answered(request: u32, status: u16, session: Option<&str>, retry_after: bool) -> Happening {
    Happening::Answered { request, status, session: session.map(str::to_owned), retry_after }
}

fn process(name: &str) -> String {
    name.to_owned()
}

/// The rules that a history breaks, one for each time.
fn broken(history: &[HistoryEvent]) -> Vec<ChaosRule> {
    check(history, &CheckTerms::default()).violations.into_iter().map(|violation| violation.rule).collect()
}

/// A session that is asked for, served, reported and billed.
fn whole() -> Vec<HistoryEvent> {
    vec![
        at(0, Happening::Started { process: process("worker-0#1") }),
        at(0, Happening::Started { process: process("coordinator-0#1") }),
        at(100, asked(1)),
        at(150, answered(1, 201, Some("ses_1"), false)),
        at(200, serves("worker-0#1", "ses_1", 1)),
        at(1200, reported("worker-0#1", "ses_1", 1, 1000, false)),
        at(2200, reported("worker-0#1", "ses_1", 1, 2000, true)),
        at(2210, lets_go("worker-0#1", "ses_1", 1)),
        at(9000, recorded("ses_1", "ended", Some("cancelled"), Some(1))),
        at(9000, billed("ses_1", 2000)),
    ]
}

/// That history with something else in the place of an event, or nothing.
fn with(index: usize, what: Option<Happening>) -> Vec<HistoryEvent> {
    let mut history = whole();
    let at_ms = history[index].at_ms;
    history.splice(index..=index, what.map(|what| at(at_ms, what)));
    history
}

#[test]
fn a_whole_life_breaks_nothing() {
    assert_eq!(broken(&whole()), []);
}

#[test]
fn what_was_accepted_must_end_on_record() {
    assert_eq!(broken(&with(8, None)), [ChaosRule::Lost, ChaosRule::Billing]);
    assert_eq!(broken(&with(8, Some(recorded("ses_1", "live", None, Some(1))))), [ChaosRule::Lost]);
    let orphan = [whole(), vec![at(9000, recorded("ses_2", "requested", None, Some(2)))]].concat();
    assert_eq!(broken(&orphan), [ChaosRule::Lost], "nobody heard of it, and it must end all the same");
}

#[test]
fn an_end_has_one_reason() {
    assert_eq!(broken(&with(8, Some(recorded("ses_1", "ended", None, Some(1))))), [ChaosRule::Reason]);
    let seen = |reason: &str| Happening::Seen {
        session: "ses_1".to_owned(),
        fence: 1,
        state: "ended".to_owned(),
        reason: Some(reason.to_owned()),
    };
    let mut history = whole();
    history.insert(8, at(2300, seen("cancelled")));
    assert_eq!(broken(&history), []);
    history.insert(8, at(2300, seen("completed")));
    assert_eq!(broken(&history), [ChaosRule::Reason]);
}

#[test]
fn every_request_is_answered() {
    assert_eq!(broken(&with(3, None)), [ChaosRule::Answer]);
    let refused = |status, retry_after| vec![at(100, asked(1)), at(150, answered(1, status, None, retry_after))];
    for (status, retry_after, rules) in [
        (503, true, &[][..]),
        (429, true, &[]),
        (503, false, &[ChaosRule::Answer]),
        (500, true, &[ChaosRule::Answer]),
        (404, false, &[ChaosRule::Answer]),
        (201, false, &[ChaosRule::Answer]),
    ] {
        assert_eq!(broken(&refused(status, retry_after)), rules, "{status}");
    }
}

#[test]
fn only_a_coordinator_that_was_away_may_be_silent() {
    let silent = |since_ms| Happening::Unanswered {
        request: 1,
        coordinator: "coordinator-0".to_owned(),
        since_ms,
        why: "closed".to_owned(),
    };
    let mut history = whole();
    history.insert(3, at(140, silent(100)));
    history.insert(2, at(0, Happening::Resumed { process: process("coordinator-0#1") }));
    // It had started less than two seconds before.
    assert_eq!(broken(&history), []);
    let mut history = whole();
    history.insert(8, at(6000, silent(5000)));
    assert_eq!(broken(&history), [ChaosRule::Answer]);
    history.insert(8, at(5500, Happening::Died { process: process("coordinator-0#1") }));
    assert_eq!(broken(&history), []);
    let mut history = whole();
    history.insert(8, at(6000, silent(5000)));
    history.insert(8, at(5600, Happening::Resumed { process: process("coordinator-0#1") }));
    history.insert(8, at(4000, Happening::Paused { process: process("coordinator-0#1") }));
    assert_eq!(broken(&history), []);
}

#[test]
fn two_workers_do_not_serve_one_session() {
    let overlap = |second: u64| {
        vec![
            at(0, serves("worker-0#1", "ses_1", 1)),
            at(second, serves("worker-1#1", "ses_1", 2)),
            at(5000, lets_go("worker-0#1", "ses_1", 1)),
            at(6000, lets_go("worker-1#1", "ses_1", 2)),
        ]
    };
    assert_eq!(broken(&overlap(4000)), [ChaosRule::Double]);
    assert_eq!(broken(&overlap(4800)), [], "what is heard a little late");
    let dead = [at(3000, Happening::Died { process: process("worker-0#1") })];
    let mut history = overlap(4000);
    history.splice(2..3, []);
    history.splice(1..1, dead);
    assert_eq!(broken(&history), [], "a worker that died serves no longer");
}

#[test]
fn a_worker_that_wakes_has_a_moment_to_find_out() {
    let woken = |stops: u64| {
        vec![
            at(0, serves("worker-0#1", "ses_1", 1)),
            at(1000, Happening::Paused { process: process("worker-0#1") }),
            at(3500, serves("worker-1#1", "ses_1", 2)),
            at(8000, Happening::Resumed { process: process("worker-0#1") }),
            at(stops, lets_go("worker-0#1", "ses_1", 1)),
            at(15_000, lets_go("worker-1#1", "ses_1", 2)),
        ]
    };
    assert_eq!(broken(&woken(8100)), []);
    assert_eq!(broken(&woken(12_000)), [ChaosRule::Double]);
}

#[test]
fn a_move_may_overlap_for_its_viewers() {
    let moved = |prepared: bool, ends: u64| {
        let mut history = vec![
            at(0, serves("worker-0#1", "ses_1", 1)),
            at(1000, Happening::Prepares { place: place("worker-1#1", "ses_1", 2, 0) }),
            at(3000, serves("worker-1#1", "ses_1", 2)),
            at(3010, Happening::HandsOver { place: place("worker-0#1", "ses_1", 1, 0) }),
            at(ends, lets_go("worker-0#1", "ses_1", 1)),
            at(90_000, lets_go("worker-1#1", "ses_1", 2)),
        ];
        if !prepared {
            history.remove(1);
        }
        history
    };
    assert_eq!(broken(&moved(true, 9000)), []);
    assert_eq!(broken(&moved(false, 9000)), [ChaosRule::Double]);
    assert_eq!(broken(&moved(true, 60_000)), [ChaosRule::Double], "not for ever");
}

#[test]
fn a_slot_and_a_fence_are_for_one() {
    let shared = [
        at(0, serves("worker-0#1", "ses_1", 1)),
        at(1000, serves("worker-0#1", "ses_2", 1)),
        at(5000, lets_go("worker-0#1", "ses_1", 1)),
    ];
    assert_eq!(broken(&shared), [ChaosRule::Double]);
    let twice = [
        at(0, serves("worker-0#1", "ses_1", 1)),
        at(1000, lets_go("worker-0#1", "ses_1", 1)),
        at(2000, serves("worker-0#1", "ses_1", 1)),
    ];
    assert_eq!(broken(&twice), [ChaosRule::Double]);
    let old = [
        at(0, serves("worker-0#1", "ses_1", 2)),
        at(1000, lets_go("worker-0#1", "ses_1", 2)),
        at(2000, serves("worker-1#1", "ses_1", 1)),
    ];
    assert_eq!(broken(&old), [ChaosRule::Double]);
    let doubled = [
        at(0, recorded("ses_1", "ended", Some("completed"), Some(7))),
        at(0, recorded("ses_2", "ended", Some("completed"), Some(7))),
    ];
    assert_eq!(broken(&doubled), [ChaosRule::Double]);
}

#[test]
fn what_is_billed_is_what_was_told() {
    for (ms, rules) in [
        (2000, &[][..]),
        (2050, &[]),
        (2100, &[ChaosRule::Billing]),
        (4000, &[ChaosRule::Billing]),
        (1900, &[ChaosRule::Billing]),
        (0, &[ChaosRule::Billing]),
    ] {
        assert_eq!(broken(&with(9, Some(billed("ses_1", ms)))), rules, "{ms}");
    }
    // Cut off before its end was told: the last report may be lost, the one before may not.
    for (ms, rules) in [(2000, &[][..]), (1000, &[]), (900, &[ChaosRule::Billing])] {
        let mut history = with(9, Some(billed("ses_1", ms)));
        history[6] = at(2200, reported("worker-0#1", "ses_1", 1, 2000, false));
        assert_eq!(broken(&history), rules, "{ms}");
    }
    // Placed again while the broker was harmed: what was told meanwhile may be lost, and only that.
    for (harmed, ms, rules) in [
        (true, 1000, &[][..]),
        (true, 900, &[ChaosRule::Billing]),
        (false, 1000, &[ChaosRule::Billing]),
        (false, 2000, &[]),
    ] {
        let mut history = with(9, Some(billed("ses_1", ms)));
        history[8] = at(
            9000,
            Happening::Recorded {
                session: "ses_1".to_owned(),
                kind: "live".to_owned(),
                state: "ended".to_owned(),
                fence: 2,
                reason: Some("cancelled".to_owned()),
                request: Some(1),
            },
        );
        history.insert(7, at(4000, reported("worker-0#1", "ses_1", 1, 3000, true)));
        if harmed {
            history.insert(6, at(1500, Happening::Fault { number: 0, fault: "pause rabbitmq for 3000 ms".to_owned() }));
        }
        assert_eq!(broken(&history), rules, "{harmed} {ms}");
    }
    // Not wanted any more after the first report: what came then is not billed, and may be.
    for (ms, rules) in [(0, &[][..]), (1000, &[]), (2000, &[]), (2100, &[ChaosRule::Billing])] {
        let mut history = with(9, Some(billed("ses_1", ms)));
        history[6] = at(2200, reported("worker-0#1", "ses_1", 1, 2000, false));
        history.insert(6, at(1300, Happening::EndAsked { session: "ses_1".to_owned() }));
        assert_eq!(broken(&history), rules, "{ms}");
    }
}

proptest! {
    /// However its placements follow one another: a session whose workers let go before the next begins is never found double, and
    /// one with any two that overlap for longer than is allowed is.
    #[test]
    fn an_overlap_is_found_wherever_it_is(
        spans in proptest::collection::vec((400u64..3000, 0u64..2000), 2..8), overlaps in any::<prop::sample::Index>(), by in 301u64..400,
    ) {
        let mut history = Vec::new();
        let mut from = 0;
        let wrong = overlaps.index(spans.len() - 1);
        for (double, found) in [(false, 0), (true, 1)] {
            for (n, (length, pause)) in spans.iter().enumerate() {
                let worker = format!("worker-{}#1", n % 2);
                let fence = n as u32 + 1;
                let late = if double && n == wrong { by + pause } else { 0 };
                history.push(at(from, serves(&worker, "ses_1", fence)));
                history.push(at(from + length + late, lets_go(&worker, "ses_1", fence)));
                from += length + pause;
            }
            history.sort_by_key(|event| event.at_ms);
            prop_assert_eq!(broken(&history).len(), found, "{:?}", history);
            (history, from) = (Vec::new(), 0);
        }
    }
}
