//! Rule 3: what is billed is what was delivered.
//!
//! The count that the bus took last is billed, of each placement. One that was placed again, or that a caller did not want any more, may
//! lose what it told in its last report interval: that can reach the records when the session has gone on. While a coordinator or the
//! broker is harmed, what was told may be under way for longer; a session that is placed again or ended by its caller meanwhile may lose
//! that. What is delivered after a caller asked for the end need not be billed. Nothing is billed that no worker told.

use super::processes::Span;
use super::{ChaosRule, CheckTerms, Findings};
use crate::chaos::history::{Happening, HistoryEvent};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of what a placement delivered, milliseconds.
#[derive(Debug, Default)]
struct Delivery {
    /// The highest that it may have told.
    most: u64,
    /// When the bus took which count.
    told: Vec<(u64, u64)>,
    /// The last of them was its end.
    ended: bool,
}

impl Delivery {
    /// The least that must be billed. `last`: the session was not placed again; `wanted`: nor was it ended by its caller.
    fn least(&self, last: bool, wanted: bool, harmed: &[Span], terms: &CheckTerms) -> u64 {
        let Some((at, _)) = self.told.last() else { return 0 };
        let mut since = if last && self.ended { *at } else { at.saturating_sub(terms.report_ms) };
        if !(last && (wanted || self.ended)) {
            let meanwhile = |(from, until): &&Span| *from <= *at && since <= until.saturating_add(terms.recovery_ms);
            since = harmed.iter().filter(meanwhile).map(|(from, _)| *from).min().map_or(since, |from| from.min(since));
        }
        self.told.iter().filter(|(at, _)| *at <= since).map(|(_, ms)| *ms).max().unwrap_or_default()
    }
}

/// When a coordinator or the broker was harmed: what workers tell goes through both.
fn harmed(history: &[HistoryEvent]) -> Vec<Span> {
    let end = history.last().map_or(0, |event| event.at_ms);
    let over = |of: u32| {
        let is_over = |event: &&HistoryEvent| event.what == Happening::FaultOver { number: of };
        history.iter().find(is_over).map_or(end, |event| event.at_ms)
    };
    let spans = history.iter().filter_map(|event| match &event.what {
        Happening::Fault { number, fault } if fault.contains("coordinator-") || fault.contains("rabbitmq") => {
            Some((event.at_ms, over(*number)))
        }
        _ => None,
    });
    spans.collect()
}

pub(super) fn check(history: &[HistoryEvent], terms: &CheckTerms, findings: &mut Findings) {
    let mut delivered: BTreeMap<&str, BTreeMap<u32, Delivery>> = BTreeMap::new();
    let mut billed: BTreeMap<&str, u64> = BTreeMap::new();
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    let mut unwanted: BTreeSet<&str> = BTreeSet::new();
    for HistoryEvent { at_ms, what } in history {
        match what {
            Happening::Reports { place, delivered_ms } | Happening::LetGo { place, delivered_ms } => {
                let of = delivered.entry(&place.session).or_default().entry(place.fence).or_default();
                of.most = of.most.max(*delivered_ms);
            }
            Happening::Reported { place, delivered_ms, ended } => {
                let of = delivered.entry(&place.session).or_default().entry(place.fence).or_default();
                of.most = of.most.max(*delivered_ms);
                // Its own end is booked all the same.
                if *ended || !unwanted.contains(place.session.as_str()) {
                    of.told.push((*at_ms, *delivered_ms));
                    of.ended |= ended;
                }
            }
            Happening::EndAsked { session } => drop(unwanted.insert(session)),
            Happening::Recorded { session, fence, .. } => drop(known.insert(session, *fence)),
            Happening::Billed { session, delivered_ms } => *billed.entry(session).or_default() += delivered_ms,
            _ => {}
        }
    }
    let harmed = harmed(history);
    for (session, last) in known {
        let none = BTreeMap::new();
        let placements = delivered.get(session).unwrap_or(&none);
        let is = billed.remove(session).unwrap_or_default();
        let rounding = terms.rounding_ms * placements.len() as u64;
        let most: u64 = placements.values().map(|d| d.most).sum();
        let least: u64 = placements
            .iter()
            .map(|(fence, d)| d.least(*fence >= last, !unwanted.contains(session), &harmed, terms))
            .sum();
        if is > most + rounding || is + rounding < least {
            let told: Vec<_> = placements.iter().map(|(fence, d)| format!("fence {fence}: {d:?}")).collect();
            let what = format!("{session} is billed {is} ms and delivered {least} to {most} ms ({})", told.join("; "));
            findings.add(ChaosRule::Billing, what);
        }
    }
    for (session, ms) in billed.into_iter().filter(|(_, ms)| *ms > 0) {
        findings.add(ChaosRule::Billing, format!("{session} is billed {ms} ms and is not on record"));
    }
}
