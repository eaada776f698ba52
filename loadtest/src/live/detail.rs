//! What each session and each second of a load was like.

use super::media::ViewerTrace;
use super::session::SessionOutcome;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// One session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SessionLine {
    /// When it was asked for, seconds since the load began.
    pub asked_s: f64,
    /// From then to its first decodable frame.
    pub first_frame_ms: f64,
    /// From a viewer's offer to its connection, the longest of its viewers'.
    pub join_ms: f64,
    /// Frames that its viewers got.
    pub frames: u64,
    /// Frames that they should have got and did not, as a share.
    pub missing: f64,
    /// 99% of its frames are within so many milliseconds of their sound, the worst viewer's; `None` before the sender told times.
    pub skew_p99_ms: Option<f64>,
}

/// One second, all viewers together.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SecondLine {
    /// Frames that came.
    pub frames: u32,
    /// Frames that should have come.
    pub expected: f64,
    /// The largest difference between video and sound, either way, milliseconds.
    pub skew_ms: Option<f64>,
}

/// Sessions in the order of asking, and seconds since the load began.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct LiveDetail {
    pub(crate) sessions: Vec<SessionLine>,
    pub(crate) seconds: Vec<SecondLine>,
    /// Video that was delivered, session by session, seconds: not more for more viewers.
    pub(crate) delivered_s: f64,
}

impl LiveDetail {
    pub(super) fn of(all: &[SessionOutcome], origin: Instant, fps: u32) -> Self {
        let mut detail = Self::default();
        for outcome in all {
            detail.sessions.push(line(outcome, fps));
            let spans = outcome.viewers.iter().map(|viewer| viewer.span().as_secs_f64());
            detail.delivered_s += spans.fold(0.0, f64::max);
            for viewer in &outcome.viewers {
                detail.add_seconds(viewer, origin, fps);
            }
        }
        detail
    }

    fn add_seconds(&mut self, viewer: &ViewerTrace, origin: Instant, fps: u32) {
        let (Some(first), Some(last)) = (viewer.first_key, viewer.last_frame) else { return };
        let (first, last) = ((first - origin).as_secs_f64(), (last - origin).as_secs_f64());
        if self.seconds.len() < viewer.seconds.len() {
            self.seconds.resize(viewer.seconds.len(), SecondLine::default());
        }
        for (n, (line, seen)) in self.seconds.iter_mut().zip(&viewer.seconds).enumerate() {
            let (from, to) = (n as f64, n as f64 + 1.0);
            line.frames += seen.frames;
            line.expected += (last.min(to) - first.max(from)).max(0.0) * f64::from(fps);
            let larger = |skew: f64| line.skew_ms.is_none_or(|most: f64| skew.abs() > most.abs());
            line.skew_ms = seen.skew_ms.filter(|skew| larger(*skew)).or(line.skew_ms);
        }
    }
}

fn line(outcome: &SessionOutcome, fps: u32) -> SessionLine {
    let frames: u64 = outcome.viewers.iter().map(|viewer| viewer.frames).sum();
    let expected: f64 = outcome.viewers.iter().map(|v| v.span().as_secs_f64() * f64::from(fps) + 1.0).sum();
    let joins = outcome.viewers.iter().flat_map(|viewer| &viewer.joins);
    let skews = outcome.viewers.iter().filter_map(|viewer| Some(viewer.skew()?.p99));
    SessionLine {
        asked_s: outcome.asked_after.as_secs_f64(),
        first_frame_ms: outcome.first_frame.as_secs_f64() * 1e3,
        join_ms: joins.max().map_or(0.0, |longest| longest.as_secs_f64() * 1e3),
        frames,
        missing: (1.0 - frames as f64 / expected.max(1.0)).max(0.0),
        skew_p99_ms: skews.reduce(f64::max),
    }
}
