//! How long each stage of the last frames took, for whoever asks; Prometheus keeps the long run.

use mouthpiece_domain::live::{LiveStage, StageTime};
use std::time::Duration;

/// Times that are kept of each stage: some seconds.
const KEPT: usize = 256;

/// The last times of each stage.
#[derive(Debug, Default)]
pub struct Stages([Vec<f32>; LiveStage::ALL.len()], [usize; LiveStage::ALL.len()]);

impl Stages {
    /// A stage took so long.
    pub fn took(&mut self, stage: LiveStage, time: Duration) {
        let Self(kept, next) = self;
        let (kept, next) = (&mut kept[stage as usize], &mut next[stage as usize]);
        let ms = time.as_secs_f32() * 1000.0;
        if kept.len() < KEPT {
            kept.push(ms);
        } else {
            kept[*next % KEPT] = ms;
        }
        *next = (*next + 1) % KEPT;
    }

    /// Median and 99th percentile of each stage that ran.
    pub fn times(&self) -> Vec<StageTime> {
        let told = LiveStage::ALL.into_iter().zip(&self.0).filter(|(_, kept)| !kept.is_empty()).map(|(name, kept)| {
            let mut sorted = kept.clone();
            sorted.sort_by(f32::total_cmp);
            let at = |share: f32| sorted[((sorted.len() - 1) as f32 * share).round() as usize];
            StageTime { stage: name, p50_ms: at(0.5), p99_ms: at(0.99) }
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_times_count() {
        let mut stages = Stages::default();
        assert!(stages.times().is_empty());
        for ms in 0..1000 {
            stages.took(LiveStage::Encode, Duration::from_millis(if ms < 700 { 500 } else { ms % 100 }));
        }
        let times = stages.times();
        assert_eq!((times.len(), times[0].stage), (1, LiveStage::Encode));
        assert!((40.0..=65.0).contains(&times[0].p50_ms) && times[0].p99_ms >= 97.0, "{times:?}");
    }
}
