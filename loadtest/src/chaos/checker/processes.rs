//! When processes could not do anything.

use crate::chaos::history::{Happening, HistoryEvent};
use std::collections::BTreeMap;

/// A span of milliseconds; the end is exclusive.
pub(super) type Span = (u64, u64);

/// What is known of all processes.
#[derive(Debug, Default)]
pub(super) struct Processes {
    died: BTreeMap<String, u64>,
    pauses: BTreeMap<String, Vec<Span>>,
    /// By place in the farm (`coordinator-0`): spans without a process that is ready and goes on.
    away: BTreeMap<String, Vec<Span>>,
    /// When the history ends.
    pub(super) end: u64,
}

/// The place in the farm of a process, `worker-1` of `worker-1#3`.
pub(super) fn place_of(process: &str) -> &str {
    process.split('#').next().unwrap_or(process)
}

impl Processes {
    pub(super) fn of(history: &[HistoryEvent]) -> Self {
        let mut this =
            Self { end: history.iter().map(|event| event.at_ms).max().unwrap_or_default(), ..Self::default() };
        // From the beginning on nobody is there until it says so.
        let mut down: BTreeMap<String, u64> = BTreeMap::new();
        let mut paused: BTreeMap<String, u64> = BTreeMap::new();
        for HistoryEvent { at_ms, what } in history {
            match what {
                Happening::Started { process } => {
                    let place = place_of(process).to_owned();
                    let since = down.remove(&place).unwrap_or_default();
                    this.away.entry(place).or_default().push((since, *at_ms));
                }
                Happening::Died { process } => {
                    this.died.insert(process.clone(), *at_ms);
                    if let Some(since) = paused.remove(process) {
                        this.pauses.entry(process.clone()).or_default().push((since, *at_ms));
                    }
                    down.entry(place_of(process).to_owned()).or_insert(*at_ms);
                }
                Happening::Paused { process } => {
                    paused.entry(process.clone()).or_insert(*at_ms);
                }
                Happening::Resumed { process } => {
                    if let Some(since) = paused.remove(process) {
                        this.pauses.entry(process.clone()).or_default().push((since, *at_ms));
                        this.away.entry(place_of(process).to_owned()).or_default().push((since, *at_ms));
                    }
                }
                _ => {}
            }
        }
        let end = this.end;
        for (process, since) in paused {
            this.away.entry(place_of(&process).to_owned()).or_default().push((since, end));
            this.pauses.entry(process).or_default().push((since, end));
        }
        for (place, since) in down {
            this.away.entry(place).or_default().push((since, end));
        }
        this
    }

    /// When a process died, if it did.
    pub(super) fn died(&self, process: &str) -> Option<u64> {
        self.died.get(process).copied()
    }

    /// When it was paused.
    pub(super) fn pauses(&self, process: &str) -> &[Span] {
        self.pauses.get(process).map_or(&[], Vec::as_slice)
    }

    /// True when a place in the farm had nobody, at some time within the span, or less than `recovery` before or after it: a process that
    /// is asked to end closes its connections before it has ended, and a death is heard of a moment later.
    pub(super) fn was_away(&self, process: &str, (from, until): Span, recovery: u64) -> bool {
        let spans = self.away.get(place_of(process)).map_or(&[][..], Vec::as_slice);
        spans
            .iter()
            .any(|(since, back)| *since <= until.saturating_add(recovery) && from < back.saturating_add(recovery))
    }
}

/// What of `span` is left without `holes`.
pub(super) fn without(span: Span, holes: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut left = vec![span];
    for (from, until) in holes {
        left =
            left.into_iter().flat_map(|(a, b)| [(a, b.min(from)), (a.max(until), b)]).filter(|(a, b)| a < b).collect();
    }
    left
}

/// The longest time that two sets of spans have in common, with when it begins.
pub(super) fn longest_overlap(one: &[Span], other: &[Span]) -> Option<Span> {
    let both = one.iter().flat_map(|a| other.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
    both.filter(|(from, until)| from < until).max_by_key(|(from, until)| until - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_cut() {
        assert_eq!(without((0, 10), [(2, 4), (9, 20)]), [(0, 2), (4, 9)]);
        assert_eq!(without((0, 10), [(0, 10)]), []);
        assert_eq!(without((5, 10), [(0, 3)]), [(5, 10)]);
        assert_eq!(longest_overlap(&[(0, 5), (10, 20)], &[(4, 12)]), Some((10, 12)));
        assert_eq!(longest_overlap(&[(0, 5)], &[(5, 9)]), None);
    }
}
