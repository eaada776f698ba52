//! What the number of workers that are wanted is made of.

use super::{gauge, int_gauge};
use mouthpiece_domain::control::ScalingCounts;
use prometheus::{Gauge, IntGauge, Registry};

/// Gauges beside `mouthpiece_desired_workers`.
#[derive(Debug)]
pub struct ScalingMetrics {
    decides: IntGauge,
    ceiling: IntGauge,
    start_up: Gauge,
    arrivals: Gauge,
    spending: Gauge,
}

impl ScalingMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            decides: int_gauge(
                registry,
                "decides_on_fleet",
                "1 where this coordinator is the one that decides on the fleet.",
            )?,
            ceiling: int_gauge(
                registry,
                "workers_ceiling",
                "Workers that there may be, by number and by what they cost.",
            )?,
            start_up: gauge(
                registry,
                "worker_start_up_seconds",
                "How long a machine takes from being asked for until its worker is there, as measured.",
            )?,
            arrivals: gauge(registry, "session_arrivals_per_second", "Sessions that were asked for lately, a second.")?,
            spending: gauge(
                registry,
                "workers_usd_per_hour",
                "What the workers' machines cost; NaN where a price is not known.",
            )?,
        })
    }

    /// As the brain sees it now.
    pub fn set(&self, counts: &ScalingCounts) {
        self.decides.set(counts.decides.into());
        self.ceiling.set(counts.ceiling.into());
        self.start_up.set(counts.start_up.as_secs_f64());
        self.arrivals.set(counts.arrivals_per_second);
        self.spending.set(counts.micro_usd_per_hour.map_or(f64::NAN, |micro| micro as f64 / 1e6));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_known_is_shown() {
        let metrics = Metrics::new().unwrap();
        metrics.scaling.set(&ScalingCounts {
            decides: true,
            ceiling: 7,
            start_up: Duration::from_millis(90_500),
            arrivals_per_second: 0.25,
            micro_usd_per_hour: Some(471_000),
        });
        let text = metrics.render();
        for line in [
            "mouthpiece_decides_on_fleet 1",
            "mouthpiece_workers_ceiling 7",
            "mouthpiece_worker_start_up_seconds 90.5",
            "mouthpiece_session_arrivals_per_second 0.25",
            "mouthpiece_workers_usd_per_hour 0.471",
        ] {
            assert!(text.lines().any(|shown| shown == line), "no line {line} in\n{text}");
        }
    }
}
