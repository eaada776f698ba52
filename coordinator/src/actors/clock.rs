//! The process's clocks.

use mouthpiece_domain::time::{Mono, Now, Wall, as_millis};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The steady clock, counted from when this was made, and the calendar.
#[derive(Debug, Clone, Copy)]
pub(super) struct FarmClock {
    origin: Instant,
}

impl FarmClock {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now() }
    }

    /// Both clocks now.
    pub(super) fn now(&self) -> Now {
        Now { mono: Mono(as_millis(self.origin.elapsed())), wall: calendar() }
    }
}

/// The calendar now. One that is set before 1970 reads as 1970.
pub(super) fn calendar() -> Wall {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(as_millis(since_1970)).unwrap_or(i64::MAX))
}
