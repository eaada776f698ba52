//! What a write does to a session's record, and under which condition.

use super::{LedgerWrite, WriteOutcome};
use crate::fleet::Hold;
use crate::ids::{SessionId, WorkerId};
use crate::session::{Fence, FrameProgress, Phase, Session};
use crate::time::Wall;
use std::time::Duration;

/// What was delivered to a session in all, as an applied write tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageDelivery {
    /// The session that it was delivered to.
    pub session: SessionId,
    /// Under which placement; each counts from zero.
    pub fence: Fence,
    /// By whom.
    pub worker: WorkerId,
    /// In all under this fence. What of it was not told before is booked, see [`newly_booked`].
    pub total: Duration,
    /// When it was told; it is booked in this hour.
    pub at: Wall,
}

/// Carries a write out on the record of its session (`None`: there is no record), or refuses it and leaves the record alone.
///
/// Idempotency tokens and books are tables of their own: whether a token was used is asked before, and what an applied write
/// books stands in [`LedgerWrite::delivery`], what a stale one books in [`LedgerWrite::late_delivery`]. A [`LedgerWrite::Machine`] has no session and is always applied.
pub fn apply(record: &mut Option<Session>, write: &LedgerWrite) -> WriteOutcome {
    if !write.fits(record.as_ref()) {
        return WriteOutcome::Stale(record.clone().map(Box::new));
    }
    match (record.as_mut(), write) {
        (Some(record), write) => write.carry_out(record),
        (None, LedgerWrite::Create { session, .. }) => *record = Some(Session::clone(session)),
        (None, _) => {}
    }
    WriteOutcome::Applied
}

/// What is new of a cumulative count, of which `booked` is booked already. A count that came late books nothing.
pub fn newly_booked(booked: &mut Duration, total: Duration) -> Duration {
    let new = total.saturating_sub(*booked);
    *booked += new;
    new
}

/// The same for a count of things.
pub fn newly_counted(booked: &mut u64, total: u64) -> u64 {
    let new = total.saturating_sub(*booked);
    *booked += new;
    new
}

/// The same or a later phase, and no less progress than before.
pub(crate) fn advance(record: &mut Session, phase: Phase, progress: FrameProgress, at: Wall) {
    if record.phase < phase {
        record.updated = at;
    }
    record.phase = phase;
    record.progress = record.progress.at_least(progress);
}

impl LedgerWrite {
    /// Whether its condition holds for the record of its session as it stands.
    pub fn fits(&self, record: Option<&Session>) -> bool {
        let Some(record) = record else { return matches!(self, Self::Create { .. } | Self::Machine { .. }) };
        match self {
            Self::Create { .. } => false,
            Self::Assign { hold, .. } => record.version() == (hold.fence, Phase::Requested),
            Self::Requeue { hold, .. } => {
                let theirs = record.phase == Phase::Requested || record.place == Some((hold.worker, hold.slot));
                record.fence == hold.fence && record.phase < Phase::Ended && theirs
            }
            Self::Move { from, .. } => {
                record.version() == (from.fence, Phase::Running) && record.place == Some((from.worker, from.slot))
            }
            Self::HandedOver { hold, .. } => {
                record.handed_over().is_some_and(|moved| (moved.fence, moved.worker) == (hold.fence, hold.worker))
            }
            // It never ends a session: that takes a reason.
            Self::Advance { hold, phase, .. } => {
                let placed = Phase::Requested < record.phase && *phase < Phase::Ended;
                record.fence == hold.fence && record.phase <= *phase && placed
            }
            Self::End { fence, .. } => record.fence == *fence && record.phase < Phase::Ended,
            Self::Egress { hold, .. } => {
                record.fence == hold.fence && record.place.is_some_and(|(worker, _)| worker == hold.worker)
            }
            Self::Machine { .. } => true,
        }
    }

    /// Changes the record as an applied write does. For whoever was told that it is applied: the condition is not looked at.
    pub fn carry_out(&self, record: &mut Session) {
        match self {
            Self::Create { .. } | Self::Egress { .. } | Self::HandedOver { .. } | Self::Machine { .. } => {}
            Self::Assign { hold, at } => {
                record.phase = Phase::Assigned;
                record.place = Some((hold.worker, hold.slot));
                record.updated = *at;
            }
            Self::Requeue { hold, lost, at } => {
                record.fence = hold.fence.next();
                record.losses = record.losses.saturating_add(u32::from(*lost));
                record.phase = Phase::Requested;
                record.place = None;
                record.moved_from = None;
                record.progress = FrameProgress::default();
                record.updated = *at;
            }
            Self::Move { from, to, at } => {
                record.fence = from.fence.next();
                record.place = Some(*to);
                record.moved_from = Some((from.worker, from.slot));
                record.moves = record.moves.saturating_add(1);
                record.progress = FrameProgress::default();
                record.updated = *at;
            }
            Self::Advance { phase, progress, at, .. } => advance(record, *phase, *progress, *at),
            Self::End { end, progress, at, .. } => {
                record.phase = Phase::Ended;
                record.end = Some((**end).clone());
                record.progress = record.progress.at_least(progress.unwrap_or_default());
                record.updated = *at;
            }
        }
    }

    /// What it books all the same when it is stale: a count of the worker that ran a session which was ended meanwhile by
    /// order, as when somebody cancelled it: what was on its way then, and the last one. Nothing is booked after an end that the worker told itself.
    pub fn late_delivery(&self, record: &Session) -> Option<UsageDelivery> {
        let (Self::End { .. } | Self::Advance { .. }) = self else { return None };
        let late = self.delivery().filter(|_| record.phase == Phase::Ended)?;
        let is_theirs = record.place.is_some_and(|(worker, _)| worker == late.worker);
        let by_order = record.end.as_ref().is_some_and(|end| end.reason.is_by_order());
        (late.fence == record.fence && is_theirs && by_order).then_some(late)
    }

    /// What it books to its session when it is applied.
    pub fn delivery(&self) -> Option<UsageDelivery> {
        match self {
            Self::Advance { hold: Hold { session, fence, worker, .. }, delivered, at, .. }
            | Self::HandedOver { hold: Hold { session, fence, worker, .. }, delivered, at, .. } => {
                let (session, fence, worker) = (*session, *fence, *worker);
                Some(UsageDelivery { session, fence, worker, total: *delivered, at: *at })
            }
            Self::End { session, fence, delivered: Some((worker, _, total)), at, .. } => {
                let (session, fence, worker) = (*session, *fence, *worker);
                Some(UsageDelivery { session, fence, worker, total: *total, at: *at })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{FrameRate, FrameSize, Framing};
    use crate::ids::{AvatarId, KeyId};
    use crate::manner::Manner;
    use crate::session::{EndReason, RenderPreset, SessionEnd, SessionKind, SessionSpec, SlotIndex};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn session() -> Session {
        let spec = SessionSpec {
            portrait: "uploads/p".parse().unwrap(),
            content: "0".repeat(64),
            face: None,
            speech: None,
            size: FrameSize::USUAL,
            fps: FrameRate::Fps25,
            preset: RenderPreset::Fast,
            seed: 1,
            head: true,
            blinks: true,
            manner: Manner::default(),
            framing: Framing::default(),
            background: None,
            live: None,
        };
        Session {
            id: SessionId(1),
            kind: SessionKind::Render,
            key: KeyId(1),
            avatar: AvatarId(1),
            spec: Arc::new(spec),
            metadata: BTreeMap::new(),
            queue_timeout: Duration::ZERO,
            max_duration: Duration::ZERO,
            fence: Fence::FIRST,
            phase: Phase::Running,
            place: Some((WorkerId(7), SlotIndex(0))),
            moved_from: None,
            moves: 0,
            losses: 0,
            delivered_before: Duration::ZERO,
            progress: FrameProgress { done: 50, total: 100 },
            end: None,
            created: Wall(0),
            updated: Wall(0),
        }
    }

    fn mine() -> Hold {
        Hold { session: SessionId(1), fence: Fence::FIRST, worker: WorkerId(7), slot: SlotIndex(0) }
    }

    /// The number that a report carries may be older than what is known; so may one of two.
    const LATE: [((u64, u64), (u64, u64)); 4] =
        [((40, 0), (50, 100)), ((60, 90), (60, 100)), ((0, 120), (50, 120)), ((50, 100), (50, 100))];

    #[test]
    fn progress_never_shrinks() {
        for ((done, total), (most, of)) in LATE {
            let (progress, wanted) = (FrameProgress { done, total }, FrameProgress { done: most, total: of });
            let advance = LedgerWrite::Advance {
                hold: mine(),
                phase: Phase::Running,
                progress,
                delivered: Duration::ZERO,
                at: Wall(9),
            };
            let end = LedgerWrite::End {
                session: SessionId(1),
                fence: Fence::FIRST,
                end: Box::new(SessionEnd::new(EndReason::Completed, None)),
                progress: Some(progress),
                delivered: None,
                at: Wall(9),
            };
            for write in [advance, end] {
                let mut record = Some(session());
                assert_eq!(apply(&mut record, &write), WriteOutcome::Applied);
                assert_eq!(record.unwrap().progress, wanted, "{write:?}");
            }
        }
    }

    #[test]
    fn the_time_of_change_is_that_of_the_phase() {
        for (phase, updated) in [(Phase::Running, Wall(0)), (Phase::Draining, Wall(9))] {
            let mut record = session();
            advance(&mut record, phase, FrameProgress { done: 60, total: 100 }, Wall(9));
            assert_eq!((record.phase, record.updated), (phase, updated));
        }
    }

    #[test]
    fn a_refused_write_tells_the_record_and_leaves_it_alone() {
        let old = Hold { fence: Fence(0), ..mine() };
        let elsewhere = Hold { slot: SlotIndex(1), ..mine() };
        for write in [
            LedgerWrite::Assign { hold: mine(), at: Wall(9) },
            LedgerWrite::Requeue { hold: old, lost: true, at: Wall(9) },
            LedgerWrite::Requeue { hold: elsewhere, lost: true, at: Wall(9) },
            LedgerWrite::Create { session: Box::new(session()), idempotency: None },
        ] {
            let mut record = Some(session());
            assert_eq!(apply(&mut record, &write), WriteOutcome::Stale(Some(Box::new(session()))), "{write:?}");
            assert_eq!(record, Some(session()), "{write:?}");
        }
        assert_eq!(apply(&mut None, &LedgerWrite::Assign { hold: mine(), at: Wall(9) }), WriteOutcome::Stale(None));
    }

    #[test]
    fn a_moved_session_goes_on_under_the_next_fence_and_is_told_of_by_both() {
        let to = (WorkerId(8), SlotIndex(1));
        let move_it = LedgerWrite::Move { from: mine(), to, at: Wall(9) };
        let mut record = Some(session());
        assert_eq!(apply(&mut record, &move_it), WriteOutcome::Applied);
        let moved = record.clone().unwrap();
        assert_eq!((moved.version(), moved.place), ((Fence(2), Phase::Running), Some(to)));
        assert_eq!((moved.handed_over(), moved.placements()), (Some(mine()), 1));
        assert!(matches!(apply(&mut record, &move_it), WriteOutcome::Stale(_)), "it moves once");

        let told = |hold| LedgerWrite::HandedOver { hold, delivered: Duration::ZERO, sent_bytes: 0, at: Wall(9) };
        let of_another = Hold { worker: WorkerId(9), ..mine() };
        assert_eq!(apply(&mut record, &told(mine())), WriteOutcome::Applied);
        assert!(matches!(apply(&mut record, &told(of_another)), WriteOutcome::Stale(_)));
        let give_up = LedgerWrite::Requeue {
            hold: Hold { fence: Fence(2), worker: WorkerId(8), slot: SlotIndex(1), ..mine() },
            lost: true,
            at: Wall(9),
        };
        assert_eq!(apply(&mut record, &give_up), WriteOutcome::Applied);
        assert!(matches!(apply(&mut record, &told(mine())), WriteOutcome::Stale(_)), "that is long ago");
        let record = record.unwrap();
        assert_eq!((record.placements(), record.losses), (2, 1));
    }

    #[test]
    fn what_is_booked_is_what_is_new() {
        let ms = Duration::from_millis;
        let mut booked = Duration::ZERO;
        let new: Vec<_> = [30, 30, 10, 50].map(|total| newly_booked(&mut booked, ms(total))).into();
        assert_eq!((new, booked), (vec![ms(30), ms(0), ms(0), ms(20)], ms(50)));
    }
}
