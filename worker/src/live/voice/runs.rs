//! Where on the timeline something lies.

use std::collections::VecDeque;

/// Uninterrupted runs of samples, in order: start and end of each.
#[derive(Debug, Default)]
pub(super) struct Runs(VecDeque<(u64, u64)>);

impl Runs {
    /// `count` samples lie at `at`, which is not before what was added last.
    pub(super) fn add(&mut self, at: u64, count: u64) {
        match self.0.back_mut() {
            Some((_, end)) if *end == at => *end += count,
            _ => self.0.push_back((at, at + count)),
        }
    }

    /// True where something lies.
    pub(super) fn holds(&self, place: u64) -> bool {
        let next = self.0.partition_point(|(start, _)| *start <= place);
        next.checked_sub(1).and_then(|i| self.0.get(i)).is_some_and(|(_, end)| place < *end)
    }

    /// Nothing before `place` is asked for any more.
    pub(super) fn forget(&mut self, place: u64) {
        while self.0.pop_front_if(|(_, end)| *end <= place).is_some() {}
    }

    /// There is nothing there after all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_joined_found_and_forgotten() {
        let mut runs = Runs::default();
        assert!(!runs.holds(0));
        for (at, count) in [(10, 5), (15, 5), (30, 1)] {
            runs.add(at, count);
        }
        let held = |runs: &Runs| (0..40).filter(|place| runs.holds(*place)).collect::<Vec<_>>();
        assert_eq!(held(&runs), (10..20).chain([30]).collect::<Vec<_>>());
        assert_eq!(runs.0.len(), 2);
        runs.forget(20);
        assert_eq!(held(&runs), [30]);
        runs.clear();
        assert!(held(&runs).is_empty());
    }
}
