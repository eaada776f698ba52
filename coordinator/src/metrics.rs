//! What the coordinator counts and measures, in Prometheus' words.
//!
//! One [`Metrics`] a process, in a registry of its own. Names begin with `mouthpiece_`; units are in the names.

mod live;
mod scaling;

pub use live::{LiveMetrics, QuestionOutcome};
pub use scaling::ScalingMetrics;

use mouthpiece_domain::retention::RetentionClass;
use mouthpiece_domain::session::{EndReason, Phase, SessionKind};
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use std::time::{Duration, Instant};

/// Workers by state, as they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkerCounts {
    /// Nothing runs there.
    pub idle: u32,
    /// Something runs there.
    pub busy: u32,
    /// They take nothing new.
    pub draining: u32,
    /// Not heard of for longer than a lease.
    pub lost: u32,
}

/// Which port failed a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortName {
    /// Commands and events.
    Bus,
    /// Workers, slots, leases.
    Pool,
    /// Machines.
    Fleet,
    /// Sessions and books, where what is old is let go of.
    Records,
    /// Uploads, prepared avatars, results, where what is old is deleted.
    Blobs,
}

impl PortName {
    fn name(self) -> &'static str {
        match self {
            Self::Bus => "bus",
            Self::Pool => "pool",
            Self::Fleet => "fleet",
            Self::Records => "records",
            Self::Blobs => "blobs",
        }
    }
}

/// Counters, gauges and histograms of one coordinator.
#[derive(Debug)]
pub struct Metrics {
    /// Of live sessions.
    pub live: LiveMetrics,
    /// What the number of workers is made of.
    pub scaling: ScalingMetrics,
    registry: Registry,
    started: Instant,
    uptime: Gauge,
    sessions: IntGaugeVec,
    sessions_ended: IntCounterVec,
    queue_length: IntGauge,
    queue_oldest: Gauge,
    workers: IntGaugeVec,
    slots: IntGauge,
    slots_taken: IntGauge,
    desired_workers: IntGauge,
    assign: Histogram,
    batch_size: Histogram,
    batch_seconds: Histogram,
    ledger_errors: IntCounterVec,
    port_errors: IntCounterVec,
    requeues: IntCounterVec,
    removed_items: IntCounterVec,
    removed_bytes: IntCounterVec,
    kept_items: IntGaugeVec,
    kept_bytes: IntGaugeVec,
    requests: HistogramVec,
}

impl Metrics {
    /// All metrics, at zero.
    ///
    /// # Errors
    /// [`prometheus::Error`] when two metrics have one name: a mistake in this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("mouthpiece".into()), None)?;
        let r = &registry;
        Ok(Self {
            live: LiveMetrics::new(r)?,
            scaling: ScalingMetrics::new(r)?,
            started: Instant::now(),
            uptime: gauge(r, "uptime_seconds", "Seconds since the process started.")?,
            sessions: gauges(r, "sessions", "Sessions that have not ended, by phase.", &["phase"])?,
            sessions_ended: ended_sessions(r)?,
            queue_length: int_gauge(r, "queue_length", "Sessions that wait for a slot.")?,
            queue_oldest: gauge(
                r,
                "queue_oldest_wait_seconds",
                "How long the oldest waiting session has waited; 0 when none waits.",
            )?,
            workers: gauges(r, "workers", "Workers that are known, by state.", &["state"])?,
            slots: int_gauge(r, "slots", "Slots of workers that take new sessions.")?,
            slots_taken: int_gauge(r, "slots_taken", "Those of them that are taken.")?,
            desired_workers: int_gauge(r, "desired_workers", "Workers that are wanted, the warm pool included.")?,
            assign: histogram(
                r,
                "assign_seconds",
                "From a request's arrival until its session has a slot on record.",
                &[0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0],
            )?,
            batch_size: histogram(
                r,
                "ledger_batch_writes",
                "Writes that went into the records in one batch.",
                &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0],
            )?,
            batch_seconds: histogram(
                r,
                "ledger_batch_seconds",
                "How long a batch took to become durable, repetitions included.",
                &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0],
            )?,
            ledger_errors: counters(
                r,
                "ledger_errors_total",
                "Batches that the record store did not take: retried or given up.",
                &["then"],
            )?,
            port_errors: counters(
                r,
                "port_errors_total",
                "Calls of the bus, the pool or the fleet, or about what is old, that failed, by what was asked.",
                &["port", "call"],
            )?,
            requeues: counters(r, "requeues_total", "Sessions placed again, by cause.", &["cause"])?,
            removed_items: counters(
                r,
                "removed_items_total",
                "Removed because of their age or by request, by class: files of avatars, uploads and results; records of the others.",
                &["class"],
            )?,
            removed_bytes: counters(
                r,
                "removed_bytes_total",
                "Bytes of the files that were removed, by class.",
                &["class"],
            )?,
            kept_items: gauges(
                r,
                "kept_items",
                "Records that are kept, by class; counted every hour by the coordinator whose turn it is.",
                &["class"],
            )?,
            kept_bytes: gauges(
                r,
                "kept_bytes",
                "Bytes of files that are kept, by class; at least so many where there are over 100,000 files of one.",
                &["class"],
            )?,
            requests: request_histogram(r)?,
            registry,
        })
    }

    /// Where all of them are registered: whoever runs in the same process may add its own, so that one page shows all.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self) -> String {
        self.uptime.set(self.started.elapsed().as_secs_f64());
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_else(|error| {
            tracing::error!(%error, "the metrics cannot be written");
            String::new()
        })
    }

    /// One HTTP request was answered. `route` is the pattern, never the path as it was asked for: `/v1/sessions/{id}`.
    pub fn observe_request(&self, route: &str, method: &str, status: u16, seconds: f64) {
        self.requests.with_label_values(&[route, method, &status.to_string()]).observe(seconds);
    }

    /// How many open sessions are in each phase. [`Phase::Ended`] is not shown: those are counted as they end.
    pub fn set_sessions(&self, phase: Phase, sessions: u32) {
        if phase != Phase::Ended {
            self.sessions.with_label_values(&[phase.name()]).set(i64::from(sessions));
        }
    }

    /// A session ended.
    pub fn session_ended(&self, reason: EndReason, kind: SessionKind) {
        self.sessions_ended.with_label_values(&[reason.name(), kind.name()]).inc();
    }

    /// The queue now.
    pub fn set_queue(&self, length: u32, oldest_wait: Option<Duration>) {
        self.queue_length.set(i64::from(length));
        self.queue_oldest.set(oldest_wait.unwrap_or_default().as_secs_f64());
    }

    /// The workers now.
    pub fn set_workers(&self, workers: WorkerCounts) {
        let WorkerCounts { idle, busy, draining, lost } = workers;
        for (state, count) in [("idle", idle), ("busy", busy), ("draining", draining), ("lost", lost)] {
            self.workers.with_label_values(&[state]).set(i64::from(count));
        }
    }

    /// The slots now.
    pub fn set_slots(&self, total: u32, taken: u32) {
        self.slots.set(i64::from(total));
        self.slots_taken.set(i64::from(taken));
    }

    /// So many workers are wanted.
    pub fn set_desired_workers(&self, workers: u32) {
        self.desired_workers.set(i64::from(workers));
    }

    /// A session got its first slot this long after it was asked for.
    pub fn observe_assign(&self, waited: Duration) {
        self.assign.observe(waited.as_secs_f64());
    }

    /// A batch of writes became durable.
    #[allow(clippy::cast_precision_loss)] // a batch has at most a few hundred writes
    pub fn observe_batch(&self, writes: usize, took: Duration) {
        self.batch_size.observe(writes as f64);
        self.batch_seconds.observe(took.as_secs_f64());
    }

    /// The records did not take a batch; it is tried again or given up.
    pub fn ledger_error(&self, given_up: bool) {
        self.ledger_errors.with_label_values(&[if given_up { "given_up" } else { "retried" }]).inc();
    }

    /// A call of a port failed. `call` is the method's name.
    pub fn port_error(&self, port: PortName, call: &str) {
        self.port_errors.with_label_values(&[port.name(), call]).inc();
    }

    /// Things of a class were removed because of their age.
    pub fn removed(&self, class: RetentionClass, items: u64, bytes: u64) {
        self.removed_items.with_label_values(&[class.name()]).inc_by(items);
        self.removed_bytes.with_label_values(&[class.name()]).inc_by(bytes);
    }

    /// So many things of a class are kept, and so many bytes of files.
    pub fn kept(&self, class: RetentionClass, items: u64, bytes: Option<u64>) {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.kept_items.with_label_values(&[class.name()]).set(count(items));
        if let Some(bytes) = bytes {
            self.kept_bytes.with_label_values(&[class.name()]).set(count(bytes));
        }
    }

    /// Somebody else counts what is kept.
    pub fn kept_elsewhere(&self) {
        self.kept_items.reset();
        self.kept_bytes.reset();
    }

    /// A session is placed again.
    pub fn requeued(&self, cause: &str) {
        self.requeues.with_label_values(&[cause]).inc();
    }
}

fn int_gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    let metric = IntGauge::new(name, help)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<Gauge, prometheus::Error> {
    let metric = Gauge::new(name, help)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn histogram(registry: &Registry, name: &str, help: &str, buckets: &[f64]) -> Result<Histogram, prometheus::Error> {
    let metric = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

/// Every reason and kind at zero: the first session that ends so is an increase, which alerts can tell.
fn ended_sessions(registry: &Registry) -> Result<IntCounterVec, prometheus::Error> {
    let about = "Sessions that ended, by reason and kind.";
    let metric = counters(registry, "sessions_ended_total", about, &["reason", "kind"])?;
    for reason in EndReason::ALL {
        for kind in SessionKind::ALL {
            metric.with_label_values(&[reason.name(), kind.name()]);
        }
    }
    Ok(metric)
}

fn request_histogram(registry: &Registry) -> Result<HistogramVec, prometheus::Error> {
    let options = HistogramOpts::new("http_request_seconds", "HTTP requests, until the answer's head is ready.")
        .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0]);
    let metric = HistogramVec::new(options, &["route", "method", "status"])?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_observed_is_shown() {
        let metrics = Metrics::new().unwrap();
        metrics.set_sessions(Phase::Running, 3);
        metrics.set_sessions(Phase::Ended, 9);
        metrics.session_ended(EndReason::Completed, SessionKind::Render);
        metrics.set_queue(2, Some(Duration::from_millis(1500)));
        metrics.set_workers(WorkerCounts { idle: 1, busy: 2, draining: 0, lost: 4 });
        metrics.set_slots(6, 5);
        metrics.observe_assign(Duration::from_millis(4));
        metrics.observe_batch(7, Duration::from_millis(1));
        metrics.ledger_error(true);
        metrics.port_error(PortName::Pool, "claim");
        metrics.requeued("lease_lost");
        metrics.removed(RetentionClass::Uploads, 2, 700);
        metrics.kept(RetentionClass::Sessions, 9, None);
        metrics.kept(RetentionClass::Results, 3, Some(800));
        metrics.observe_request("/v1/sessions/{id}", "GET", 404, 0.003);
        let text = metrics.render();
        for line in [
            "mouthpiece_sessions{phase=\"running\"} 3",
            "mouthpiece_sessions_ended_total{kind=\"render\",reason=\"completed\"} 1",
            "mouthpiece_sessions_ended_total{kind=\"live\",reason=\"no_capacity\"} 0",
            "mouthpiece_queue_length 2",
            "mouthpiece_queue_oldest_wait_seconds 1.5",
            "mouthpiece_workers{state=\"lost\"} 4",
            "mouthpiece_slots 6",
            "mouthpiece_slots_taken 5",
            "mouthpiece_assign_seconds_bucket{le=\"0.005\"} 1",
            "mouthpiece_ledger_batch_writes_sum 7",
            "mouthpiece_ledger_errors_total{then=\"given_up\"} 1",
            "mouthpiece_port_errors_total{call=\"claim\",port=\"pool\"} 1",
            "mouthpiece_removed_items_total{class=\"uploads\"} 2",
            "mouthpiece_removed_bytes_total{class=\"uploads\"} 700",
            "mouthpiece_kept_items{class=\"sessions\"} 9",
            "mouthpiece_kept_bytes{class=\"results\"} 800",
            "mouthpiece_requeues_total{cause=\"lease_lost\"} 1",
            "mouthpiece_http_request_seconds_count{method=\"GET\",route=\"/v1/sessions/{id}\",status=\"404\"} 1",
        ] {
            assert!(text.lines().any(|shown| shown == line), "no line {line} in\n{text}");
        }
        assert!(!text.contains("phase=\"ended\""), "ended sessions are counted as they end");
    }

    #[test]
    fn every_metric_says_what_it_is() {
        let text = Metrics::new().unwrap().render();
        assert!(text.contains("# HELP mouthpiece_uptime_seconds Seconds since"));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.starts_with("mouthpiece_"), "{line}");
        }
    }
}
