//! What goes over the wire, as documented at /docs, and how it is made from the domain's types.

pub mod avatar;
pub mod farm;
pub mod key;
pub mod live;
pub mod requests;
pub mod session;

pub use avatar::{AvatarBody, AvatarList};
pub use farm::{DrainBody, FarmBody, WorkerBody};
pub use key::{KeyBody, KeyList, NewKeyBody, PageBody};
pub use live::{IceServerBody, LiveBody, LiveStatusBody};
pub use session::{SessionBody, SessionList};

use chrono::{DateTime, Utc};
use mouthpiece_domain::session::{FrameProgress, Phase, SessionKind};
use mouthpiece_domain::time::Wall;
use serde::Serialize;
use utoipa::ToSchema;

/// A time as RFC 3339 text, UTC with milliseconds; the number itself where the calendar does not reach.
pub fn time_text(wall: Wall) -> String {
    DateTime::<Utc>::from_timestamp_millis(wall.0)
        .map_or_else(|| format!("{} ms", wall.0), |t| t.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// A session's state in words. While frames are made the word says of what: a render renders, a live
/// session is live, a preparation prepares.
pub fn state_name(kind: SessionKind, phase: Phase) -> &'static str {
    match (phase, kind) {
        (Phase::Running, SessionKind::Render) => "rendering",
        (Phase::Running, SessionKind::Live) => "live",
        (Phase::Running, SessionKind::Prepare) => "preparing",
        _ => phase.name(),
    }
}

/// How far a session is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProgressBody {
    /// Frames made.
    pub frames_done: u64,
    /// Frames in all; 0 until that is known.
    pub frames_total: u64,
    /// 0 to 100; null until the number of frames is known.
    pub percent: Option<f64>,
}

impl From<FrameProgress> for ProgressBody {
    #[allow(clippy::cast_precision_loss)] // a percentage needs no more
    fn from(FrameProgress { done, total }: FrameProgress) -> Self {
        let percent = (total > 0).then(|| (1000.0 * done.min(total) as f64 / total as f64).round() / 10.0);
        Self { frames_done: done, frames_total: total, percent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds() {
        assert_eq!(time_text(Wall(1_795_622_400_123)), "2026-11-25T16:00:00.123Z");
        assert_eq!(time_text(Wall(i64::MAX)), format!("{} ms", i64::MAX));
    }

    #[test]
    fn progress_is_a_percentage_once_the_total_is_known() {
        let percent = |done, total| ProgressBody::from(FrameProgress { done, total }).percent;
        assert_eq!((percent(0, 0), percent(1, 3), percent(9, 3)), (None, Some(33.3), Some(100.0)));
    }
}
