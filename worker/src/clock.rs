//! This worker's own steady clock.

use mouthpiece_domain::time::{Mono, as_millis};
use std::time::Instant;

/// A steady clock; its origin is when the worker began to start.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Now.
    pub fn now(self) -> Mono {
        Mono(as_millis(self.0.elapsed()))
    }
}
