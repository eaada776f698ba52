//! What happened, in numbers.

use super::serving::Stint;
use crate::chaos::history::{Happening, HistoryEvent};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A distribution of times, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// Half are below.
    pub p50: u64,
    /// 95% are below.
    pub p95: u64,
    /// The longest.
    pub max: u64,
}

impl Spread {
    /// Of these times.
    pub fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let at = |share: usize| times.get(times.len().saturating_sub(1) * share / 100).copied().unwrap_or_default();
        Self { count: times.len(), p50: at(50), p95: at(95), max: at(100) }
    }
}

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ChaosCounts {
    /// Events in the history.
    pub events: usize,
    /// Requests by kind.
    pub requests: BTreeMap<String, u32>,
    /// Answers by status.
    pub answers: BTreeMap<u16, u32>,
    /// Tries that had no answer, of a coordinator that was down or went down.
    pub tries_unanswered: u32,
    /// Sessions on record by how they ended (or by their state).
    pub ends: BTreeMap<String, u32>,
    /// Sessions on record that were placed more than once.
    pub placed_again: u32,
    /// Placements that workers served.
    pub placements: usize,
    /// Of these, cut off by the end of their process.
    pub cut_off: usize,
    /// Of these, handed over to the next before they ended.
    pub moved: usize,
    /// Faults by what they do to whom.
    pub faults: BTreeMap<String, u32>,
    /// Milliseconds billed in all.
    pub billed_ms: u64,
    /// Frames that viewers saw.
    pub frames: u64,
    /// Connections that they made.
    pub connections: u32,
    /// Pauses of more than a quarter of a second between two frames of a viewer.
    pub gaps_ms: Spread,
    /// From the death of a worker until what it served is served again.
    pub replaced_ms: Spread,
}

pub(super) fn of(history: &[HistoryEvent], stints: &[Stint]) -> ChaosCounts {
    let mut counts = ChaosCounts { events: history.len(), ..ChaosCounts::default() };
    let mut gaps = Vec::new();
    let mut moved = BTreeSet::new();
    for HistoryEvent { what, .. } in history {
        match what {
            Happening::Asked { kind, .. } => *counts.requests.entry(kind.clone()).or_default() += 1,
            Happening::Answered { status, .. } => *counts.answers.entry(*status).or_default() += 1,
            Happening::Unanswered { .. } => counts.tries_unanswered += 1,
            Happening::Recorded { state, fence, reason, .. } => {
                *counts.ends.entry(reason.as_ref().unwrap_or(state).clone()).or_default() += 1;
                counts.placed_again += u32::from(*fence > 1);
            }
            Happening::Fault { fault, .. } => {
                *counts.faults.entry(sort(fault)).or_default() += 1;
            }
            Happening::Billed { delivered_ms, .. } => counts.billed_ms += delivered_ms,
            Happening::Gap { ms, .. } => gaps.push(*ms),
            Happening::Watched { frames, connections, .. } => {
                counts.frames += frames;
                counts.connections += connections;
            }
            Happening::HandsOver { place } => drop(moved.insert(place)),
            _ => {}
        }
    }
    let served = || stints.iter().filter(|stint| stint.from.is_some());
    counts.placements = served().count();
    counts.cut_off = served().filter(|stint| stint.cut_off).count();
    counts.moved = moved.len();
    counts.gaps_ms = Spread::of(gaps);
    let next = |cut: &Stint| {
        let later = served().filter(|s| s.place.session == cut.place.session && s.place.fence > cut.place.fence);
        later.filter_map(|s| s.from).min().map(|from| from.saturating_sub(cut.until))
    };
    counts.replaced_ms = Spread::of(served().filter(|stint| stint.cut_off).filter_map(next).collect());
    counts
}

/// `kill worker` of `kill worker-1 for 300 ms`.
fn sort(fault: &str) -> String {
    let mut words = fault.split(' ');
    let (what, whom) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    format!("{what} {}", whom.split('-').next().unwrap_or(whom))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_all_times() {
        assert_eq!(Spread::of(Vec::new()), Spread::default());
        let spread = Spread::of((1..=101).rev().collect());
        assert_eq!(spread, Spread { count: 101, p50: 51, p95: 96, max: 101 });
    }

    #[test]
    fn faults_are_counted_by_what_they_do_to_whom() {
        assert_eq!(sort("kill worker-1 for 300 ms"), "kill worker");
        assert_eq!(sort("flush redis for 500 ms"), "flush redis");
        assert_eq!(sort("delay coordinator-0 to redis by 43 ms for 1 ms"), "delay coordinator");
    }
}
