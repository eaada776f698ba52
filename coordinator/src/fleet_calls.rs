//! Calls of the fleet: each has its time, and trouble that lasts is told without filling the log with it.

use crate::metrics::{Metrics, PortName};
use mouthpiece_ports::fleet::FleetError;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A failure that repeats itself word for word is told again after so many times.
const EVERY: u32 = 60;

/// The answer, if it comes within `limit`.
pub(crate) async fn in_time<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, FleetError>>,
) -> Result<T, FleetError> {
    let silent = || FleetError::Unavailable(format!("it did not answer within {limit:?}"));
    timeout(limit, answer).await.unwrap_or_else(|_| Err(silent()))
}

/// How calls of the fleet went.
pub(crate) struct FleetCalls {
    metrics: Arc<Metrics>,
    complaints: Complaints,
}

impl FleetCalls {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, complaints: Complaints::default() }
    }

    /// Counts and tells a failure, or that it goes well again.
    pub(crate) fn went<T>(&mut self, call: &'static str, answer: &Result<T, FleetError>) {
        match answer {
            Ok(_) => self.complaints.over(call),
            Err(error) => {
                self.metrics.port_error(PortName::Fleet, call);
                self.complaints.about(call, error);
            }
        }
    }
}

/// What was complained of last, by the call that failed.
#[derive(Debug, Default)]
struct Complaints(HashMap<&'static str, (String, u32)>);

impl Complaints {
    /// A call to the fleet failed.
    fn about(&mut self, call: &'static str, error: &impl Display) {
        if let Some(times) = self.is_news(call, error.to_string()) {
            tracing::warn!(%error, call, times, "the fleet failed");
        }
    }

    /// It goes well.
    fn over(&mut self, call: &'static str) {
        if let Some((_, times)) = self.0.remove(call) {
            tracing::info!(call, times, "the fleet is back");
        }
    }

    /// How often the same was said in a row, when it is to be told.
    fn is_news(&mut self, call: &'static str, said: String) -> Option<u32> {
        let (last, times) = self.0.entry(call).or_default();
        if *last != said {
            (*last, *times) = (said, 0);
        }
        *times = times.saturating_add(1);
        (*times == 1 || times.is_multiple_of(EVERY)).then_some(*times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_itself_is_told_at_first_and_now_and_then() {
        let mut complaints = Complaints::default();
        let mut told = |said: &str| complaints.is_news("desire", said.to_owned());
        assert_eq!([told("away"), told("away"), told("wrong"), told("away")], [Some(1), None, Some(1), Some(1)]);
        let again: Vec<_> = (0..120).filter_map(|_| told("away")).collect();
        assert_eq!(again, [60, 120]);
        complaints.over("desire");
        assert_eq!(complaints.is_news("desire", "away".to_owned()), Some(1));
    }
}
