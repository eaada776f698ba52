//! The calendar, and ids that grow with it.

use chrono::Utc;
use mouthpiece_domain::time::Wall;
use uuid::Uuid;

/// The calendar now.
pub fn now() -> Wall {
    Wall(Utc::now().timestamp_millis())
}

/// A number for a new id; they grow with time.
pub fn new_id() -> u128 {
    Uuid::now_v7().as_u128()
}
