//! Two kinds of time, never mixed: a process's own steady clock for deadlines, the calendar for records.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};
use std::time::Duration;

/// A point on one process's steady clock: milliseconds since an origin of its own. Means nothing to any other process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(pub u64);

impl Add<Duration> for Mono {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(as_millis(span)))
    }
}

impl Sub for Mono {
    type Output = Duration;

    /// Zero when `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A calendar time: milliseconds since 1970-01-01T00:00Z. For records and reports only; no deadline depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Wall(pub i64);

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;

impl Wall {
    /// The start of its hour.
    #[must_use]
    pub fn hour(self) -> Self {
        Self(self.0.div_euclid(HOUR_MS) * HOUR_MS)
    }

    /// The start of its day, UTC.
    #[must_use]
    pub fn day(self) -> Self {
        Self(self.0.div_euclid(24 * HOUR_MS) * 24 * HOUR_MS)
    }
}

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// This process's steady clock.
    pub mono: Mono,
    /// The calendar.
    pub wall: Wall,
}

/// Whole milliseconds, saturating.
pub fn as_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Durations as whole milliseconds in messages and records: `#[serde(with = "time::millis")]`.
pub mod millis {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    /// Writes whole milliseconds.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(super::as_millis(*span))
    }

    /// Reads whole milliseconds.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_start_where_the_calendar_says() {
        assert_eq!(Wall(HOUR_MS + 1).hour(), Wall(HOUR_MS));
        assert_eq!(Wall(-1).hour(), Wall(-HOUR_MS));
        assert_eq!(Wall(25 * HOUR_MS).day(), Wall(24 * HOUR_MS));
    }

    #[test]
    fn the_steady_clock_never_goes_below_zero() {
        assert_eq!(Mono(5) - Mono(9), Duration::ZERO);
        assert_eq!(Mono(u64::MAX) + Duration::from_secs(1), Mono(u64::MAX));
    }
}
