//! What became of mouths that were to be restored.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestorationOutcome {
    /// It is in the picture.
    Done,
    /// The picture would have been late.
    Skipped,
    /// The network failed, now or before.
    Failed,
}

impl RestorationOutcome {
    /// All.
    pub const ALL: [Self; 3] = [Self::Done, Self::Skipped, Self::Failed];

    /// What it is called where it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// How many there were of each.
#[derive(Debug, Default)]
pub struct Restorations([AtomicU64; 3]);

impl Restorations {
    /// There was one more.
    pub fn add(&self, outcome: RestorationOutcome) {
        self.0[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn count(&self, outcome: RestorationOutcome) -> u64 {
        self.0[outcome as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_is_counted_by_itself() {
        let counts = Restorations::default();
        for (times, outcome) in RestorationOutcome::ALL.into_iter().enumerate() {
            (0..=times).for_each(|_| counts.add(outcome));
        }
        assert_eq!(RestorationOutcome::ALL.map(|outcome| counts.count(outcome)), [1, 2, 3]);
    }
}
