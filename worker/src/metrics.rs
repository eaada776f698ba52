//! What a worker counts and measures, in Prometheus' words. Names begin with `live_` or `engine_`; whoever owns the
//! registry puts `mouthpiece_` before them. Units are in the names.

use mouthpiece_domain::frame_pace::FRAME_PACES;
use mouthpiece_domain::gpu_memory::{GpuBudget, GpuNeed};
use mouthpiece_domain::live::LiveStage;
use mouthpiece_engine::{EngineNews, EngineRecovery, RestorationOutcome, Restorations};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Why a frame was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissedTicks {
    /// Its turn was over before it could be begun: the machine is too slow for what it does.
    Late,
    /// The ear had not heard enough: the timeline was not far enough ahead.
    Sound,
    /// The transport took nothing.
    Transport,
}

impl MissedTicks {
    const ALL: [Self; 3] = [Self::Late, Self::Sound, Self::Transport];

    fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Sound => "sound",
            Self::Transport => "transport",
        }
    }
}

/// Counters, gauges and histograms of one worker.
#[derive(Debug)]
pub struct WorkerMetrics {
    /// In the order of [`LiveStage::ALL`].
    stages: [Histogram; LiveStage::ALL.len()],
    frames: IntCounter,
    /// In the order of [`MissedTicks::ALL`].
    missed: [IntCounter; MissedTicks::ALL.len()],
    skew: Histogram,
    connected: Histogram,
    first_frame: Histogram,
    sessions: IntGauge,
    viewers: IntGauge,
    underruns: IntCounter,
    undrawn: IntCounter,
    paced: IntCounter,
    frame_rate: IntGauge,
    /// Restarted, fell back, broken.
    failures: [IntCounter; 3],
    memory: IntGaugeVec,
    memory_limit: IntGaugeVec,
    restorations: RestorationMetrics,
}

/// Shows what engines count by themselves.
#[derive(Debug, Clone)]
struct RestorationMetrics {
    shown: IntCounterVec,
    counted: Arc<Mutex<Option<Arc<Restorations>>>>,
}

impl Collector for RestorationMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.shown.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counted) = &*counted {
            for outcome in RestorationOutcome::ALL {
                let shown = self.shown.with_label_values(&[outcome.name()]);
                shown.inc_by(counted.count(outcome).saturating_sub(shown.get()));
            }
        }
        self.shown.collect()
    }
}

impl WorkerMetrics {
    /// Registers everything.
    ///
    /// # Errors
    /// A name is registered already.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let opts = |name: &str, help: &str| HistogramOpts::new(format!("live_{name}"), help);
        let times = vec![0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.025, 0.04, 0.06, 0.08, 0.1, 0.12, 0.2, 0.5, 1.0];
        let skews = vec![-0.1, -0.04, -0.02, -0.01, -0.005, 0.0, 0.005, 0.01, 0.02, 0.04, 0.1];
        let joins = vec![0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 2.0, 5.0];
        let stages = HistogramVec::new(
            opts(
                "stage_seconds",
                "Time of each stage of a frame; total: from a sound's arrival to the departure of its frame",
            )
            .buckets(times),
            &["stage"],
        )?;
        let missed = IntCounterVec::new(
            Opts::new("live_frames_missed_total", "Frames that should have been sent and were not"),
            &["reason"],
        )?;
        let failures = IntCounterVec::new(
            Opts::new("engine_failures_total", "Failures of what the engine runs on, by what became of it"),
            &["outcome"],
        )?;
        registry.register(Box::new(failures.clone()))?;
        let gauges = |name, help| IntGaugeVec::new(Opts::new(name, help), &["part"]);
        let memory =
            gauges("engine_memory_bytes", "What the engine takes of its device's memory, as counted at the start")?;
        let memory_limit = gauges("engine_memory_limit_bytes", "What the engine may take of its device's memory")?;
        registry.register(Box::new(memory.clone()))?;
        registry.register(Box::new(memory_limit.clone()))?;
        let restorations = RestorationMetrics {
            shown: IntCounterVec::new(
                Opts::new("engine_restorations_total", "Mouths that were to be restored, by what became of it"),
                &["outcome"],
            )?,
            counted: Arc::default(),
        };
        registry.register(Box::new(restorations.clone()))?;
        registry.register(Box::new(stages.clone()))?;
        registry.register(Box::new(missed.clone()))?;
        let made = Self {
            stages: LiveStage::ALL.map(|stage| stages.with_label_values(&[stage.name()])),
            frames: IntCounter::new("live_frames_total", "Frames that were sent")?,
            missed: MissedTicks::ALL.map(|why| missed.with_label_values(&[why.name()])),
            skew: Histogram::with_opts(
                opts("av_skew_seconds", "How much later than its sound a frame leaves").buckets(skews),
            )?,
            connected: Histogram::with_opts(
                opts("connect_seconds", "From a viewer's offer to its connection: ICE and DTLS").buckets(joins.clone()),
            )?,
            first_frame: Histogram::with_opts(
                opts("first_frame_seconds", "From a viewer's arrival to its first key frame").buckets(joins),
            )?,
            sessions: IntGauge::new("live_sessions", "Live sessions that run")?,
            viewers: IntGauge::new("live_viewers", "Viewers that are connected")?,
            underruns: IntCounter::new("live_underruns_total", "Times that sound did not come in time")?,
            undrawn: IntCounter::new(
                "live_frames_undrawn_total",
                "Frames of speech that were sent with the mouth at rest, while the engine was started again or broken",
            )?,
            paced: IntCounter::new(
                "live_frame_rate_changes_total",
                "Times that a session fell to fewer frames a second since the engine held no more, or rose again",
            )?,
            frame_rate: IntGauge::new(
                "live_frame_rate_limit",
                "Frames a second that no session gets more than, since the engine holds no more for all that talk",
            )?,
            memory: memory.clone(),
            memory_limit: memory_limit.clone(),
            restorations,
            failures: ["restarted", "fell_back", "broken"].map(|outcome| failures.with_label_values(&[outcome])),
        };
        registry.register(Box::new(made.frames.clone()))?;
        registry.register(Box::new(made.skew.clone()))?;
        registry.register(Box::new(made.connected.clone()))?;
        registry.register(Box::new(made.first_frame.clone()))?;
        registry.register(Box::new(made.sessions.clone()))?;
        registry.register(Box::new(made.viewers.clone()))?;
        registry.register(Box::new(made.underruns.clone()))?;
        registry.register(Box::new(made.undrawn.clone()))?;
        registry.register(Box::new(made.paced.clone()))?;
        registry.register(Box::new(made.frame_rate.clone()))?;
        made.frame_rate_limit(FRAME_PACES[0]);
        Ok(made)
    }

    pub(crate) fn took(&self, stage: LiveStage, time: Duration) {
        self.stages[stage as usize].observe(time.as_secs_f64());
    }

    pub(crate) fn sent(&self) {
        self.frames.inc();
    }

    pub(crate) fn missed(&self, why: MissedTicks, count: u64) {
        self.missed[why as usize].inc_by(count);
    }

    pub(crate) fn undrawn(&self) {
        self.undrawn.inc();
    }

    pub(crate) fn paced(&self) {
        self.paced.inc();
    }

    pub(crate) fn frame_rate_limit(&self, most: u32) {
        self.frame_rate.set(most.into());
    }

    pub(crate) fn device_memory(&self, budget: &GpuBudget, need: &GpuNeed, buffers: u64) {
        let parts = [("weights", need.weights), ("contexts", need.contexts), ("buffers", buffers)];
        let limits = [("models", budget.models), ("buffers", budget.buffers), ("system", budget.system)];
        for (gauges, parts) in [(&self.memory, parts), (&self.memory_limit, limits)] {
            for (part, bytes) in parts {
                gauges.with_label_values(&[part]).set(i64::try_from(bytes).unwrap_or(i64::MAX));
            }
        }
    }

    /// Shows what an engine counts of the mouths that it was to restore.
    pub(crate) fn restorations(&self, counted: Option<Arc<Restorations>>) {
        *self.restorations.counted.lock().unwrap_or_else(PoisonError::into_inner) = counted;
    }

    pub(crate) fn engine_news(&self, news: &EngineNews<'_>) {
        let [restarted, fell_back, broken] = &self.failures;
        match news {
            EngineNews::Failed(_) => {}
            EngineNews::Recovered(EngineRecovery::Restarted { .. }) => restarted.inc(),
            EngineNews::Recovered(EngineRecovery::FellBack { .. }) => fell_back.inc(),
            EngineNews::Broken(_) => broken.inc(),
        }
    }

    pub(crate) fn skew(&self, seconds: f64) {
        self.skew.observe(seconds);
    }

    pub(crate) fn connected(&self, after: Duration) {
        self.connected.observe(after.as_secs_f64());
    }

    pub(crate) fn first_frame(&self, after: Duration) {
        self.first_frame.observe(after.as_secs_f64());
    }

    pub(crate) fn sessions(&self, change: i64) {
        self.sessions.add(change);
    }

    pub(crate) fn viewers(&self, change: i64) {
        self.viewers.add(change);
    }

    pub(crate) fn underruns(&self, count: u64) {
        self.underruns.inc_by(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::TextEncoder;

    #[test]
    fn what_an_engine_counts_by_itself_is_shown_when_it_is_asked_for() {
        let registry = Registry::new();
        let metrics = WorkerMetrics::new(&registry).unwrap();
        let shown = || TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert!(!shown().contains("engine_restorations_total{"), "an engine that restores nothing");
        let counted = Arc::new(Restorations::default());
        metrics.restorations(Some(Arc::clone(&counted)));
        for times in [2, 3] {
            (0..times).for_each(|_| counted.add(RestorationOutcome::Skipped));
            let line = format!(
                "engine_restorations_total{{outcome=\"skipped\"}} {}",
                counted.count(RestorationOutcome::Skipped)
            );
            assert!(shown().contains(&line), "{}", shown());
        }
        assert!(shown().contains("engine_restorations_total{outcome=\"done\"} 0"));
    }
}
