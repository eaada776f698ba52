//! What happens on the lines between processes, counted.

use mouthpiece_direct::{DirectEvent, DirectObserver};
use prometheus::{IntCounterVec, Opts, Registry};

/// Counts events of lines and questions, by what and why.
pub struct CountedDirect(IntCounterVec);

impl CountedDirect {
    /// Registers `mouthpiece_direct_events_total`.
    ///
    /// # Errors
    /// The registry has it already.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let about = "Refused tickets, strangers, impostors and lost connections between coordinators and workers";
        let events = IntCounterVec::new(Opts::new("mouthpiece_direct_events_total", about), &["event", "why"])?;
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
