//! What callers, workers and the news say of each session: the other side of the books.

use crate::LoadError;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::SessionId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// One session as it was seen from outside the coordinator.
#[derive(Debug, Clone, Default)]
pub(super) struct SessionTrace {
    /// When its caller wanted it: by the timetable where there is one.
    pub asked: Option<Instant>,
    /// When its caller was told that it is accepted.
    pub accepted: Option<Instant>,
    /// When a worker first had its assignment and the lease for it.
    pub assigned: Option<Instant>,
    /// When the news said that it ended.
    pub ended: Option<Instant>,
    /// How often they said so.
    pub ends: u32,
    /// What workers ran, in order.
    pub ran: Vec<Hold>,
    /// What they said they delivered.
    pub delivered: Duration,
    /// Frames that the last one said it made.
    pub frames: u64,
    /// Not part of the figures: the farm was still warming up.
    pub warm_up: bool,
}

/// All sessions. The lock is held for a look or a change at a time.
#[derive(Default)]
pub(super) struct SeenLedger(Mutex<HashMap<SessionId, SessionTrace>>);

impl SeenLedger {
    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, SessionTrace>> {
        // A panic elsewhere leaves single entries whole.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn note<T>(&self, id: SessionId, note: impl FnOnce(&mut SessionTrace) -> T) -> T {
        note(self.open().entry(id).or_default())
    }

    /// Sessions that were accepted more than `age` ago and did not end yet.
    pub(super) fn late(&self, age: Duration) -> Vec<SessionId> {
        let late = |s: &SessionTrace| s.ended.is_none() && s.accepted.is_some_and(|at| at.elapsed() >= age);
        self.open().iter().filter(|(_, s)| late(s)).map(|(id, _)| *id).collect()
    }

    /// Sessions that were accepted and did not end yet.
    pub(super) fn open_count(&self) -> usize {
        self.late(Duration::ZERO).len()
    }

    /// All that was seen.
    pub(super) fn all(&self) -> HashMap<SessionId, SessionTrace> {
        self.open().clone()
    }
}

/// What the figures are made of.
pub(super) struct SeenFigures {
    pub accepted: crate::Latency,
    pub assigned: crate::Latency,
    pub ended: crate::Latency,
    /// Sessions that count, the first one's request and the last one's end.
    pub count: u64,
    pub first: Option<Instant>,
    pub last: Option<Instant>,
}

impl SeenFigures {
    /// Of all sessions that were accepted after the warm-up.
    pub(super) fn of(seen: &HashMap<SessionId, SessionTrace>) -> Result<Self, LoadError> {
        let [mut accepted, mut assigned, mut ended] = [
            crate::latency::StageTimes::new()?,
            crate::latency::StageTimes::new()?,
            crate::latency::StageTimes::new()?,
        ];
        let (mut first, mut last, mut count) = (None::<Instant>, None::<Instant>, 0);
        for s in seen.values().filter(|s| !s.warm_up) {
            let (Some(t0), Some(t1), Some(t2), Some(t3)) = (s.asked, s.accepted, s.assigned, s.ended) else { continue };
            accepted.add(t1 - t0);
            assigned.add(t2 - t0);
            ended.add(t3 - t0);
            first = Some(first.map_or(t0, |f| f.min(t0)));
            last = Some(last.map_or(t3, |l| l.max(t3)));
            count += 1;
        }
        Ok(Self {
            accepted: accepted.latency(),
            assigned: assigned.latency(),
            ended: ended.latency(),
            count,
            first,
            last,
        })
    }
}
