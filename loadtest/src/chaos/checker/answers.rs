//! Rules 1, 4 and 5: every request is answered, what was accepted ends, and for a reason.

use super::processes::Processes;
use super::{ChaosRule, CheckTerms, Findings};
use crate::chaos::history::{Happening, HistoryEvent};
use std::collections::{BTreeMap, BTreeSet};

/// A session's record.
struct Record<'a> {
    state: &'a str,
    reason: Option<&'a str>,
}

pub(super) fn check(history: &[HistoryEvent], processes: &Processes, terms: &CheckTerms, findings: &mut Findings) {
    let mut open: BTreeSet<u32> = BTreeSet::new();
    let mut accepted: BTreeMap<&str, u32> = BTreeMap::new();
    let mut records: BTreeMap<&str, Record<'_>> = BTreeMap::new();
    let mut made: BTreeMap<u32, &str> = BTreeMap::new();
    let mut ends: BTreeMap<&str, &str> = BTreeMap::new();
    for HistoryEvent { at_ms, what } in history {
        match what {
            Happening::Asked { request, .. } => {
                open.insert(*request);
            }
            Happening::Answered { request, status, session, retry_after } => {
                open.remove(request);
                match (status, session) {
                    (200..=202, Some(session)) => {
                        accepted.insert(session, *request);
                    }
                    (429 | 503, _) if *retry_after => {}
                    (429 | 503, _) => {
                        let what =
                            format!("request {request} is answered {status} at {at_ms} ms, without when to come back");
                        findings.add(ChaosRule::Answer, what);
                    }
                    _ => {
                        findings
                            .add(ChaosRule::Answer, format!("request {request} is answered {status} at {at_ms} ms"));
                    }
                }
            }
            Happening::Unanswered { request, coordinator, since_ms, why }
                if !processes.was_away(coordinator, (*since_ms, *at_ms), terms.recovery_ms) =>
            {
                let what = format!(
                    "request {request} has no answer of {coordinator}, which was there, from {since_ms} to {at_ms} ms: {why}"
                );
                findings.add(ChaosRule::Answer, what);
            }
            // Other states may be told late: not every coordinator has heard of the end at once.
            Happening::Seen { session, state, reason, .. } if state == "ended" => {
                end(session, reason.as_deref(), &mut ends, findings);
            }
            Happening::Recorded { session, state, reason, request, .. } => {
                let record = Record { state, reason: reason.as_deref() };
                if records.insert(session, record).is_some() {
                    findings.add(ChaosRule::Double, format!("{session} is on record twice"));
                }
                if let Some(other) = request.and_then(|request| made.insert(request, session)) {
                    findings.add(ChaosRule::Double, format!("one request made {other} and {session}"));
                }
            }
            _ => {}
        }
    }
    for request in open {
        findings.add(ChaosRule::Answer, format!("request {request} was never answered"));
    }
    for (session, request) in &accepted {
        match records.get(session) {
            None => findings.add(ChaosRule::Lost, format!("{session} of request {request} is not on record")),
            Some(record) if record.state != "ended" => {
                findings.add(
                    ChaosRule::Lost,
                    format!("{session} of request {request} has not ended: it is {}", record.state),
                );
            }
            Some(_) => {}
        }
    }
    for (session, record) in &records {
        match record.state {
            "ended" => end(session, record.reason, &mut ends, findings),
            // An accepted one was found above.
            state if !accepted.contains_key(session) => {
                findings.add(
                    ChaosRule::Lost,
                    format!("{session}, whose caller never heard of it, has not ended: it is {state}"),
                );
            }
            _ => {}
        }
    }
}

/// Notes an end; it must have a reason, the same as before.
fn end<'a>(session: &'a str, reason: Option<&'a str>, ends: &mut BTreeMap<&'a str, &'a str>, findings: &mut Findings) {
    let Some(reason) = reason else {
        findings.add(ChaosRule::Reason, format!("{session} has ended without a reason"));
        return;
    };
    if let Some(before) = ends.insert(session, reason)
        && before != reason
    {
        findings.add(ChaosRule::Reason, format!("{session} has ended with {before} and with {reason}"));
    }
}
