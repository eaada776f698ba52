//! What is counted and measured of a session.

use crate::live::stages::Stages;
use crate::metrics::{MissedTicks, WorkerMetrics};
use mouthpiece_domain::live::{LiveStage, StageTime};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The rate that is told is that of so long.
const RATE_OF: Duration = Duration::from_secs(2);

/// One session's numbers, which go into the worker's as well.
pub(super) struct Measures {
    pub metrics: Arc<WorkerMetrics>,
    stages: Stages,
    /// Frames that were sent.
    pub sent: u64,
    /// How long they are shown together.
    pub shown: Duration,
    /// Frames that should have been and were not.
    pub missed: u64,
    /// When the last seconds' frames were sent, for the rate.
    recent: VecDeque<Instant>,
}

impl Measures {
    /// Nothing happened yet.
    pub fn new(metrics: Arc<WorkerMetrics>) -> Self {
        Self { metrics, stages: Stages::default(), sent: 0, shown: Duration::ZERO, missed: 0, recent: VecDeque::new() }
    }

    /// A stage took so long.
    pub fn took(&mut self, stage: LiveStage, time: Duration) {
        self.stages.took(stage, time);
        self.metrics.took(stage, time);
    }

    /// So many frames were not sent.
    pub fn missed(&mut self, why: MissedTicks, count: u64) {
        self.missed += count;
        self.metrics.missed(why, count);
    }

    /// A frame was sent that is shown for so long.
    pub fn sent(&mut self, at: Instant, lasts: Duration) {
        self.sent += 1;
        self.shown += lasts;
        self.metrics.sent();
        self.recent.push_back(at);
        while self.recent.front().is_some_and(|then| at.saturating_duration_since(*then) > RATE_OF) {
            self.recent.pop_front();
        }
    }

    /// Nobody watches any more: what comes next is another stretch.
    pub fn pause(&mut self) {
        self.recent.clear();
    }

    /// So often sound did not come in time.
    pub fn underruns(&self, count: u64) {
        self.metrics.underruns(count);
    }

    /// Frames a second that were sent lately.
    pub fn rate(&self) -> f32 {
        let span = match (self.recent.front(), self.recent.back()) {
            (Some(first), Some(last)) => (*last - *first).as_secs_f32(),
            _ => 0.0,
        };
        if span > 0.0 { (self.recent.len() - 1) as f32 / span } else { 0.0 }
    }

    /// How long the stages take.
    pub fn stages(&self) -> Vec<StageTime> {
        self.stages.times()
    }
}
