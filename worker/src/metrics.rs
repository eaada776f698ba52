//! What a worker counts and measures, in Prometheus' words. Names begin with `live_`; whoever owns the
//! registry puts `mouthpiece_` before them. Units are in the names.

use mouthpiece_domain::live::LiveStage;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
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
        };
        registry.register(Box::new(made.frames.clone()))?;
        registry.register(Box::new(made.skew.clone()))?;
        registry.register(Box::new(made.connected.clone()))?;
        registry.register(Box::new(made.first_frame.clone()))?;
        registry.register(Box::new(made.sessions.clone()))?;
        registry.register(Box::new(made.viewers.clone()))?;
        registry.register(Box::new(made.underruns.clone()))?;
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
