//! What is counted and measured of live sessions' HTTP side.

use super::{counters, histogram, int_gauge};
use prometheus::{Counter, Histogram, IntCounterVec, IntGauge, Registry};
use std::time::Duration;

/// What became of a question to a worker, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionOutcome {
    /// It was answered as was hoped for.
    Done,
    /// It was answered: not done.
    Not,
    /// No answer came.
    Unanswered,
    /// It could not be asked.
    Unreachable,
}

impl QuestionOutcome {
    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Not => "not_done",
            Self::Unanswered => "unanswered",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Counters, gauges and histograms of live sessions.
#[derive(Debug)]
pub struct LiveMetrics {
    join: Histogram,
    asks: IntCounterVec,
    sockets: IntGauge,
    audio: Counter,
    refused: IntCounterVec,
    moves: Counter,
}

impl LiveMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let audio =
            Counter::new("live_audio_received_seconds_total", "Speech that programs sent, in seconds of sound.")?;
        let moves =
            Counter::new("live_moves_total", "Live sessions that were moved away from workers about to leave.")?;
        for counter in [&audio, &moves] {
            registry.register(Box::new(counter.clone()))?;
        }
        Ok(Self {
            join: histogram(
                registry,
                "live_join_seconds",
                "From a viewer's offer until its answer, the wait for the session's start included.",
                &[0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 5.0, 10.0],
            )?,
            asks: counters(
                registry,
                "live_asks_total",
                "Questions to workers about live sessions, by what was asked and what became of it.",
                &["question", "outcome"],
            )?,
            sockets: int_gauge(registry, "live_audio_sockets", "Audio sockets that are open.")?,
            audio,
            refused: counters(
                registry,
                "live_refused_messages_total",
                "Messages of audio sockets that were refused, by code.",
                &["code"],
            )?,
            moves,
        })
    }

    /// A viewer's offer was answered this long after it came.
    pub fn joined(&self, after: Duration) {
        self.join.observe(after.as_secs_f64());
    }

    /// A worker was asked.
    pub fn asked(&self, question: &str, outcome: QuestionOutcome) {
        self.asks.with_label_values(&[question, outcome.name()]).inc();
    }

    /// An audio socket is open.
    pub fn socket_opened(&self) {
        self.sockets.inc();
    }

    /// An audio socket is not open any more.
    pub fn socket_closed(&self) {
        self.sockets.dec();
    }

    /// Speech came: so many samples at this rate.
    #[allow(clippy::cast_precision_loss)] // samples of one message
    pub fn heard(&self, samples: usize, rate: u32) {
        self.audio.inc_by(samples as f64 / f64::from(rate.max(1)));
    }

    /// A session was moved to another worker.
    pub fn moved(&self) {
        self.moves.inc();
    }

    /// A message of an audio socket was refused.
    pub fn refused(&self, code: &str) {
        self.refused.with_label_values(&[code]).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    #[test]
    fn what_is_observed_is_shown() {
        let metrics = Metrics::new().unwrap();
        metrics.live.joined(Duration::from_millis(30));
        metrics.live.asked("offer", QuestionOutcome::Not);
        metrics.live.heard(48_000, 24_000);
        metrics.live.refused("invalid_field");
        metrics.live.moved();
        metrics.live.socket_opened();
        metrics.live.socket_opened();
        metrics.live.socket_closed();
        let text = metrics.render();
        for line in [
            "mouthpiece_live_join_seconds_bucket{le=\"0.05\"} 1",
            "mouthpiece_live_asks_total{outcome=\"not_done\",question=\"offer\"} 1",
            "mouthpiece_live_audio_received_seconds_total 2",
            "mouthpiece_live_refused_messages_total{code=\"invalid_field\"} 1",
            "mouthpiece_live_moves_total 1",
            "mouthpiece_live_audio_sockets 1",
        ] {
            assert!(text.lines().any(|shown| shown == line), "no line {line} in\n{text}");
        }
        metrics.live.socket_closed();
        assert!(metrics.render().contains("mouthpiece_live_audio_sockets 0"));
    }
}
