//! Distributions of times.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// A distribution of times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Measurements taken.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// Half are below.
    pub p50: f64,
    /// 90% are below.
    pub p90: f64,
    /// 99% are below.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Times being collected: to three digits, at most an hour each.
#[derive(Debug, Clone)]
pub(crate) struct StageTimes(Histogram<u64>);

const LONGEST_NS: u64 = 3_600_000_000_000;

impl StageTimes {
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        Histogram::new_with_bounds(1, LONGEST_NS, 3).map(Self)
    }

    pub(crate) fn add(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).clamp(1, LONGEST_NS));
    }

    pub(crate) fn take_in(&mut self, other: &Self) {
        // Of the same bounds: nothing can be too large.
        let _ = self.0.add(&other.0);
    }

    /// What a share of all times is below of.
    pub(crate) fn at(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(quantile))
    }

    pub(crate) fn latency(&self) -> Latency {
        let ms = |ns: u64| ns as f64 / 1e6;
        let at = |q: f64| ms(self.0.value_at_quantile(q));
        let (count, mean) = (self.0.len(), self.0.mean() / 1e6);
        Latency { count, mean, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: ms(self.0.max()) }
    }
}
