//! This worker's own steady clock.

use mouthpiece_domain::time::{Mono, as_millis};
use std::time::{Duration, Instant};

/// A steady clock; its origin is when the worker began to start, or when its machine did so for it.
#[derive(Debug, Clone, Copy)]
pub struct WorkerClock(Instant);

impl WorkerClock {
    /// A clock that started so long ago, as far as the system's clock reaches.
    pub fn started(ago: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_sub(ago).unwrap_or(now))
    }

    /// Now.
    pub fn now(self) -> Mono {
        Mono(as_millis(self.0.elapsed()))
    }
}
