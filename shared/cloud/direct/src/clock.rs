//! The calendar; for callers' tickets only.

use mouthpiece_domain::time::Wall;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, as this machine's calendar has it.
pub(crate) fn calendar() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
