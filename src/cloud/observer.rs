//! What happens on the lines between processes, counted.

use mouthpiece_direct::{DirectEvent, DirectObserver};
use prometheus::{IntCounterVec, Opts, Registry};

/// Counts events of lines and questions, by what and why.
pub struct CountedDirect(IntCounterVec);

impl CountedDirect {
    /// Registers `direct_events_total`; the registry puts `mouthpiece_` before it.
    ///
    /// # Errors
    /// The registry has it already.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let about = "Refused tickets, strangers, impostors and lost connections between coordinators and workers";
        let events = IntCounterVec::new(Opts::new("direct_events_total", about), &["event", "why"])?;
        registry.register(Box::new(events.clone()))?;
        Ok(Self(events))
    }
}

impl DirectObserver for CountedDirect {
    fn saw(&self, event: DirectEvent) {
        let (what, why) = event.names();
        self.0.with_label_values(&[what, why]).inc();
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
