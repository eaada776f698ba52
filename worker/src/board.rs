//! Where a running session writes how far it is, for its slot to read.

use mouthpiece_domain::session::{FrameProgress, Phase, SessionEnd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How far a session is.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkState {
    /// It gets avatar and inputs.
    Preparing,
    /// It makes frames.
    Running,
    /// It stores what was made.
    Draining,
    /// It is over.
    Ended(Arc<SessionEnd>),
    /// It is over without a verdict: it was stopped, or the engine is gone. Nothing is to be said of it.
    Abandoned,
}

impl WorkState {
    /// As it is reported.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Preparing => Phase::Preparing,
            Self::Running => Phase::Running,
            Self::Draining | Self::Abandoned => Phase::Draining,
            Self::Ended(_) => Phase::Ended,
        }
    }

    /// True when no more work is done.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Ended(_) | Self::Abandoned)
    }
}

/// A session's progress: written by its pipeline at every frame, read whenever something is to be said.
#[derive(Debug)]
pub struct ProgressBoard {
    stage: watch::Sender<WorkState>,
    done: AtomicU64,
    total: AtomicU64,
    delivered_ms: AtomicU64,
    sent_bytes: AtomicU64,
}

impl Default for ProgressBoard {
    fn default() -> Self {
        let (stage, _) = watch::channel(WorkState::Preparing);
        Self {
            stage,
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            delivered_ms: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
        }
    }
}

impl ProgressBoard {
    /// Says how far it is. What is over stays over.
    pub fn enter(&self, stage: WorkState) {
        self.stage.send_if_modified(|now| {
            let goes_on = !now.is_over() && *now != stage;
            if goes_on {
                *now = stage;
            }
            goes_on
        });
    }

    /// So many frames will be made.
    pub fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// So many frames are made, at `fps` a second.
    pub fn made(&self, frames: u64, fps: u32) {
        self.done.store(frames, Ordering::Relaxed);
        self.delivered_ms.store(frames * 1000 / u64::from(fps.max(1)), Ordering::Relaxed);
    }

    /// So many bytes were sent to viewers in all.
    pub fn sent(&self, bytes: u64) {
        self.sent_bytes.store(bytes, Ordering::Relaxed);
    }

    /// How far it is.
    pub fn stage(&self) -> WorkState {
        self.stage.borrow().clone()
    }

    /// Wakes whenever the stage changes.
    pub fn watch(&self) -> watch::Receiver<WorkState> {
        self.stage.subscribe()
    }

    /// Frames made.
    pub fn progress(&self) -> FrameProgress {
        FrameProgress { done: self.done.load(Ordering::Relaxed), total: self.total.load(Ordering::Relaxed) }
    }

    /// Bytes sent to viewers.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// Media time made.
    pub fn delivered(&self) -> Duration {
        Duration::from_millis(self.delivered_ms.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::session::EndReason;

    #[test]
    fn an_end_is_final() {
        let board = ProgressBoard::default();
        board.expect(50);
        board.made(25, 30);
        assert_eq!(
            (board.progress(), board.delivered()),
            (FrameProgress { done: 25, total: 50 }, Duration::from_millis(833))
        );
        let end = WorkState::Ended(Arc::new(SessionEnd::new(EndReason::Completed, None)));
        board.enter(WorkState::Running);
        board.enter(end.clone());
        board.enter(WorkState::Abandoned);
        assert_eq!(board.stage(), end);
    }
}
