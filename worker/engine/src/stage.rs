//! How long an engine's own stages take.

use std::time::{Duration, Instant};

/// One stage of an engine's work, for example one of its networks, and what it took since it was asked last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineStage {
    /// What it is called.
    pub name: &'static str,
    /// How often it ran; once for all frames that were drawn together.
    pub runs: u32,
    /// How long that took in all.
    pub took: Duration,
}

impl EngineStage {
    /// One that has not run yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, runs: 0, took: Duration::ZERO }
    }

    /// It ran from `began` until now.
    pub fn ran_since(&mut self, began: Instant) {
        self.ran(began.elapsed());
    }

    /// It ran for so long.
    pub fn ran(&mut self, took: Duration) {
        self.runs = self.runs.saturating_add(1);
        self.took += took;
    }

    /// What it took so far; counting begins anew.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(self.name))
    }
}
