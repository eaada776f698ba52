//! The last words of sessions that ended on a worker lately.
//!
//! A report that the bus took lies with one coordinator until that has written it down. Should that one be cut off, the others
//! would see a session that is listed no longer and holds no lease, and place it again: so heartbeats and the goodbye repeat it.

use crate::fleet::SessionReport;
use crate::time::Mono;
use std::collections::VecDeque;
use std::time::Duration;

/// Longer than a broker needs to notice that a coordinator is cut off.
const REPEATED_FOR: Duration = Duration::from_secs(30);
/// Reports that are repeated at most; the oldest are let go of first.
const MOST: usize = 16;

/// What heartbeats repeat.
#[derive(Debug, Default)]
pub struct RecentEnds(VecDeque<(Mono, SessionReport)>);

impl RecentEnds {
    /// Notes a session's last report.
    pub fn note(&mut self, now: Mono, report: SessionReport) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((now, report));
    }

    /// Those that are still repeated.
    pub fn at(&self, now: Mono) -> Vec<SessionReport> {
        let recent = self.0.iter().filter(|(since, _)| now - *since < REPEATED_FOR);
        recent.map(|(_, report)| report.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Hold;
    use crate::ids::{SessionId, WorkerId};
    use crate::session::{EndReason, Fence, FrameProgress, Phase, SessionEnd, SlotIndex};

    fn report(n: u128) -> SessionReport {
        SessionReport {
            hold: Hold { session: SessionId(n), fence: Fence::FIRST, worker: WorkerId(1), slot: SlotIndex(0) },
            phase: Phase::Ended,
            progress: FrameProgress::default(),
            delivered: Duration::ZERO,
            sent_bytes: 0,
            end: Some(SessionEnd::new(EndReason::Completed, None)),
        }
    }

    #[test]
    fn ends_are_repeated_for_a_while_and_not_without_bound() {
        let mut ends = RecentEnds::default();
        ends.note(Mono(0), report(1));
        ends.note(Mono(20_000), report(2));
        let told =
            |ends: &RecentEnds, at| ends.at(Mono(at)).iter().map(|report| report.hold.session.0).collect::<Vec<_>>();
        assert_eq!(told(&ends, 29_999), [1, 2]);
        assert_eq!(told(&ends, 30_000), [2]);
        for n in 3..100 {
            ends.note(Mono(30_000), report(n));
        }
        assert_eq!(told(&ends, 30_000), (84..100).collect::<Vec<_>>());
    }
}
