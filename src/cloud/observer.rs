//! What happens on the lines between processes, and on the sockets of callers that come straight to a worker, counted.

use mouthpiece_direct::{DirectEvent, DirectObserver, RelayNews};
use prometheus::{Counter, IntCounterVec, IntGauge, Opts, Registry};

/// Counts events of lines and questions, by what and why; sockets of callers, what they sent, and what was refused of it.
pub struct CountedDirect {
    events: IntCounterVec,
    sockets: IntGauge,
    audio: Counter,
    refused: IntCounterVec,
}

impl CountedDirect {
    /// Registers `direct_events_total` and the other metrics that begin with `direct`; the registry puts `mouthpiece_` before them.
    ///
    /// # Errors
    /// The registry has them already.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let about =
            "Refused tickets, strangers, impostors and lost connections between coordinators, callers and workers";
        let events = IntCounterVec::new(Opts::new("direct_events_total", about), &["event", "why"])?;
        let about = "Audio sockets of callers that came straight to this worker, that are open";
        let sockets = IntGauge::new("direct_audio_sockets", about)?;
        let about = "Speech that programs sent straight to this worker, in seconds of sound";
        let audio = Counter::new("direct_audio_received_seconds_total", about)?;
        let about = "Messages of audio sockets that led straight to this worker and were refused, by code";
        let refused = IntCounterVec::new(Opts::new("direct_refused_messages_total", about), &["code"])?;
        for counters in [&events, &refused] {
            registry.register(Box::new(counters.clone()))?;
        }
        registry.register(Box::new(sockets.clone()))?;
        registry.register(Box::new(audio.clone()))?;
        Ok(Self { events, sockets, audio, refused })
    }
}

impl DirectObserver for CountedDirect {
    fn saw(&self, event: DirectEvent) {
        let (what, why) = event.names();
        self.events.with_label_values(&[what, why]).inc();
    }

    #[allow(clippy::cast_precision_loss)] // samples of one message
    fn caller(&self, news: RelayNews) {
        match news {
            RelayNews::Opened => self.sockets.inc(),
            RelayNews::Closed => self.sockets.dec(),
            RelayNews::Heard { samples, rate } => self.audio.inc_by(samples as f64 / f64::from(rate.max(1))),
            RelayNews::Refused { code } => self.refused.with_label_values(&[code]).inc(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_counted_under_the_name_that_alerts_ask_for() {
        let registry = Registry::new_custom(Some("mouthpiece".to_owned()), None).unwrap();
        CountedDirect::new(&registry).unwrap().saw(DirectEvent::Stranger);
        let shown = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert!(shown.contains("mouthpiece_direct_events_total{event=\"stranger\",why=\"\"} 1"), "{shown}");
    }
}
