//! The process's clocks.

use mouthpiece_domain::time::{Mono, Now, Wall, as_millis};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The steady clock, counted from when this was made, and the calendar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now() }
    }

    /// Both clocks now. A calendar set before 1970 reads as 1970.
    pub(super) fn now(&self) -> Now {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            mono: Mono(as_millis(self.origin.elapsed())),
            wall: Wall(i64::try_from(as_millis(since_1970)).unwrap_or(i64::MAX)),
        }
    }
}
