//! What is to happen, by its time.

use crate::time::Mono;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

/// What lies within so long is put away together.
const PART_MS: u64 = 1000;

/// Things by their times; of those of one time the smallest comes first.
///
/// What lies further ahead than the second that comes next is put away by its second and not sorted before that comes: of a hundred
/// thousand things that are planned only a few hundred are near.
#[derive(Debug)]
pub struct Calendar<T> {
    /// Empty only when all is.
    near: BinaryHeap<Planned<T>>,
    /// Everything before this part is near.
    part: u64,
    far: BTreeMap<u64, Vec<Planned<T>>>,
}

impl<T: Ord> Default for Calendar<T> {
    fn default() -> Self {
        Self { near: BinaryHeap::new(), part: 0, far: BTreeMap::new() }
    }
}

impl<T: Ord> Calendar<T> {
    /// Puts something down for a time, which may have passed.
    pub fn put(&mut self, at: Mono, what: T) {
        let part = at.0 / PART_MS;
        if part < self.part {
            self.near.push(Planned { at, what });
        } else {
            self.far.entry(part).or_default().push(Planned { at, what });
            self.bring_near();
        }
    }

    /// What comes first.
    pub fn first(&self) -> Option<(Mono, &T)> {
        self.near.peek().map(|Planned { at, what }| (*at, what))
    }

    /// Takes what comes first.
    pub fn take_first(&mut self) -> Option<(Mono, T)> {
        let Planned { at, what } = self.near.pop()?;
        self.bring_near();
        Some((at, what))
    }

    fn bring_near(&mut self) {
        if self.near.is_empty()
            && let Some((part, things)) = self.far.pop_first()
        {
            self.part = part + 1;
            self.near.extend(things);
        }
    }
}

/// One of them. The greatest is what comes first, as heaps have it.
#[derive(Debug, PartialEq, Eq)]
struct Planned<T> {
    at: Mono,
    what: T,
}

impl<T: Ord> Ord for Planned<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        // Times are hardly ever equal: what is planned is not looked at otherwise.
        other.at.0.cmp(&self.at.0).then_with(|| other.what.cmp(&self.what))
    }
}

impl<T: Ord> PartialOrd for Planned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn everything_comes_in_order_and_once(steps in proptest::collection::vec((0u64..9000, any::<bool>()), 1..300)) {
            let (mut calendar, mut plain, mut now) = (Calendar::default(), Vec::new(), Mono(0));
            for (n, (ahead, takes)) in steps.iter().enumerate() {
                let at = Mono(now.0 + ahead);
                calendar.put(at, n);
                plain.push((at, n));
                if *takes {
                    let first = plain.iter().copied().min().unwrap();
                    plain.retain(|one| *one != first);
                    prop_assert_eq!(calendar.first(), Some((first.0, &first.1)));
                    prop_assert_eq!(calendar.take_first(), Some(first));
                    now = first.0;
                }
            }
            plain.sort_unstable();
            for one in plain {
                prop_assert_eq!(calendar.take_first(), Some(one));
            }
            prop_assert_eq!(calendar.take_first(), None);
        }
    }
}
