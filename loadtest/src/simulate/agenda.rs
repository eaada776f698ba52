//! What happens later, in order of time.

use mouthpiece_domain::calendar::Calendar;
use mouthpiece_domain::time::Mono;

/// Something that happens later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Later {
    /// The next caller.
    Arrival,
    /// A session is over, if it still runs as it did when this was planned.
    Over { cell: u32, serial: u32 },
    /// A machine's worker is there.
    Ready(u32),
    /// A worker's next heartbeat.
    Beat(u32),
    /// A machine is told that it will be taken away.
    Notice(u32),
    /// It is taken away.
    TakenAway(u32),
    /// A worker that was told to prepare a session has done so.
    Prepared { machine: u32, slot: u8 },
    /// A worker without sessions that was told to drain has ended.
    Left(u32),
    /// The brain is told, as it is in a farm, that it decides on the fleet.
    Decide,
    /// An hour is full.
    Hour,
}

/// All of it. Of what happens at the same time the first that was planned comes first.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    planned: Calendar<(u64, Later)>,
    count: u64,
}

impl Agenda {
    pub(super) fn plan(&mut self, at: Mono, later: Later) {
        self.count += 1;
        self.planned.put(at, (self.count, later));
    }

    /// When the next is due.
    pub(super) fn next(&self) -> Option<Mono> {
        self.planned.first().map(|(at, _)| at)
    }

    pub(super) fn take(&mut self) -> Option<(Mono, Later)> {
        self.planned.take_first().map(|(at, (_, later))| (at, later))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_planned_first_for_a_time_happens_first() {
        let mut agenda = Agenda::default();
        for (at, index) in [(7, 3), (5, 9), (5, 1), (5, 4)] {
            agenda.plan(Mono(at), Later::Beat(index));
        }
        assert_eq!(agenda.next(), Some(Mono(5)));
        let order: Vec<_> = std::iter::from_fn(|| agenda.take()).collect();
        assert_eq!(order, [(5, 9), (5, 1), (5, 4), (7, 3)].map(|(at, index)| (Mono(at), Later::Beat(index))));
    }
}
