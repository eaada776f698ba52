//! What happens later, in order of time.

use mouthpiece_domain::time::Mono;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

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

/// What is planned for so long lies together.
const PART_MS: u64 = 1000;

/// All of it. Of what happens at the same time the first that was planned comes first.
///
/// What lies further ahead than the present second is put away by its second and not sorted before that comes: of a hundred
/// thousand things that will happen only a few hundred are near.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    near: BinaryHeap<Reverse<Planned>>,
    /// Everything before this part is near.
    part: u64,
    far: BTreeMap<u64, Vec<Planned>>,
    count: u64,
}

type Planned = (Mono, u64, Later);

impl Agenda {
    pub(super) fn plan(&mut self, at: Mono, later: Later) {
        self.count += 1;
        let (planned, part) = ((at, self.count, later), at.0 / PART_MS);
        if part < self.part {
            self.near.push(Reverse(planned));
        } else {
            self.far.entry(part).or_default().push(planned);
        }
    }

    /// When the next is due.
    pub(super) fn next(&mut self) -> Option<Mono> {
        while self.near.is_empty() {
            let (part, planned) = self.far.pop_first()?;
            self.part = part + 1;
            self.near.extend(planned.into_iter().map(Reverse));
        }
        self.near.peek().map(|Reverse((at, ..))| *at)
    }

    pub(super) fn take(&mut self) -> Option<(Mono, Later)> {
        self.next()?;
        self.near.pop().map(|Reverse((at, _, later))| (at, later))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn everything_happens_in_order_and_once(steps in proptest::collection::vec((0u64..9000, any::<bool>()), 1..300)) {
            let (mut agenda, mut plain, mut now) = (Agenda::default(), Vec::new(), Mono(0));
            for (n, (ahead, takes)) in steps.iter().enumerate() {
                let at = Mono(now.0 + ahead);
                agenda.plan(at, Later::Beat(n as u32));
                plain.push((at, n as u32));
                if *takes {
                    let first = plain.iter().copied().min().unwrap();
                    plain.retain(|one| *one != first);
                    prop_assert_eq!(agenda.next(), Some(first.0));
                    prop_assert_eq!(agenda.take(), Some((first.0, Later::Beat(first.1))));
                    now = first.0;
                }
            }
            plain.sort_unstable();
            for (at, n) in plain {
                prop_assert_eq!(agenda.take(), Some((at, Later::Beat(n))));
            }
            prop_assert_eq!(agenda.take(), None);
        }
    }
}
