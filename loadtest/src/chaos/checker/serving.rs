//! Rule 2: nothing runs twice at a time.

use super::processes::{Processes, Span, longest_overlap, without};
use super::{ChaosRule, CheckTerms, Findings};
use crate::chaos::history::{Happening, HistoryEvent, Placement};
use std::collections::BTreeMap;

/// A placement from its beginning to its end, by its worker's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stint {
    pub(super) place: Placement,
    /// When the slot was taken.
    pub(super) held: u64,
    /// When it began to serve.
    pub(super) from: Option<u64>,
    /// When it let go, or its process died, or the history ended.
    pub(super) until: u64,
    /// Its process died under it.
    pub(super) cut_off: bool,
}

/// All stints, in the order in which they began.
pub(super) fn stints(history: &[HistoryEvent], processes: &Processes) -> Vec<Stint> {
    let mut all: Vec<Stint> = Vec::new();
    let mut open: BTreeMap<Placement, usize> = BTreeMap::new();
    for HistoryEvent { at_ms, what } in history {
        match what {
            Happening::Serves { place } | Happening::Prepares { place } => {
                let serves = matches!(what, Happening::Serves { .. }).then_some(*at_ms);
                // A prepared one begins to serve; one that serves already begins a second time.
                if let Some(stint) = open.get(place).map(|at| &mut all[*at])
                    && stint.from.is_none()
                {
                    stint.from = serves;
                    continue;
                }
                open.insert(place.clone(), all.len());
                let died = processes.died(&place.worker);
                all.push(Stint {
                    place: place.clone(),
                    held: *at_ms,
                    from: serves,
                    until: died.unwrap_or(processes.end),
                    cut_off: died.is_some(),
                });
            }
            Happening::LetGo { place, .. } => {
                if let Some(at) = open.remove(place) {
                    (all[at].until, all[at].cut_off) = (*at_ms, false);
                }
            }
            _ => {}
        }
    }
    all
}

impl Stint {
    /// When it did something from `since` on: not while its process was paused, and a process that wakes needs a moment.
    fn active(&self, since: u64, processes: &Processes, terms: &CheckTerms) -> Vec<Span> {
        let pauses = processes.pauses(&self.place.worker).iter();
        without((since, self.until), pauses.map(|(from, until)| (*from, until.saturating_add(terms.waking_ms))))
    }

    /// When it served.
    fn serving(&self, processes: &Processes, terms: &CheckTerms) -> Vec<Span> {
        self.from.map_or_else(Vec::new, |from| self.active(from, processes, terms))
    }

    /// The time in which the placement before it may go on for its viewers: the session was moved here, prepared beforehand.
    fn handover(&self, before: &Self, terms: &CheckTerms) -> Option<Span> {
        let from = self.from.filter(|from| self.held < *from && self.place.fence == before.place.fence + 1)?;
        Some((from, from.saturating_add(terms.handover_ms)))
    }
}

pub(super) fn check(stints: &[Stint], processes: &Processes, terms: &CheckTerms, findings: &mut Findings) {
    let mut by_session: BTreeMap<&str, Vec<&Stint>> = BTreeMap::new();
    let mut by_slot: BTreeMap<(&str, u8), Vec<&Stint>> = BTreeMap::new();
    for stint in stints {
        by_session.entry(&stint.place.session).or_default().push(stint);
        by_slot.entry((&stint.place.worker, stint.place.slot)).or_default().push(stint);
    }
    let long = |overlap: Option<Span>| overlap.filter(|(from, until)| until - from > terms.overlap_ms);
    for (one, other) in by_session.values().flat_map(|of| pairs(of)) {
        let (old, new) = if one.place.fence <= other.place.fence { (one, other) } else { (other, one) };
        let viewers = new.handover(old, terms);
        let goes_on = old.serving(processes, terms).into_iter().flat_map(|span| without(span, viewers));
        let both = longest_overlap(&goes_on.collect::<Vec<_>>(), &new.serving(processes, terms));
        if let Some((from, until)) = long(both) {
            let what = format!("{} and {} are served at a time from {from} to {until} ms", one.place, other.place);
            findings.add(ChaosRule::Double, what);
        }
        // One that was only prepared never had its fence: the session may have gone elsewhere with that.
        if one.from.is_none() || other.from.is_none() {
            continue;
        }
        if one.place.fence == other.place.fence {
            let what = format!(
                "{} at {} ms and {} at {} ms: one fence, served twice",
                one.place, one.held, other.place, other.held
            );
            findings.add(ChaosRule::Double, what);
        }
        let (first, second) = if one.held <= other.held { (one, other) } else { (other, one) };
        if second.place.fence < first.place.fence && second.held - first.held > terms.overlap_ms {
            let what =
                format!("{} begins at {} ms, after {} at {} ms", second.place, second.held, first.place, first.held);
            findings.add(ChaosRule::Double, what);
        }
    }
    for (one, other) in by_slot.values().flat_map(|of| pairs(of)).filter(|(a, b)| a.place.session != b.place.session) {
        let held = |stint: &Stint| stint.active(stint.held, processes, terms);
        if let Some((from, until)) = long(longest_overlap(&held(one), &held(other))) {
            let what = format!("{} and {} share a slot from {from} to {until} ms", one.place, other.place);
            findings.add(ChaosRule::Double, what);
        }
    }
}

/// Every two of them.
fn pairs<'a>(of: &'a [&'a Stint]) -> impl Iterator<Item = (&'a Stint, &'a Stint)> {
    of.iter().enumerate().flat_map(move |(at, one)| of[at + 1..].iter().map(move |other| (*one, *other)))
}
