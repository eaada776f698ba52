//! Who is to be woken next, among any number of sleepers.

use super::Key;
use crate::settings::StreamId;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// Somebody who sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    Viewer(Key),
    Stream(StreamId),
}

/// When everybody wakes.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    order: BTreeSet<(Instant, Who)>,
    of: HashMap<Who, Instant>,
}

impl Deadlines {
    /// Wakes somebody at a time, instead of the one before; or never.
    pub fn set(&mut self, who: Who, at: Option<Instant>) {
        let before = match at {
            Some(at) => self.of.insert(who, at),
            None => self.of.remove(&who),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, who));
        }
        if let Some(at) = at {
            self.order.insert((at, who));
        }
    }

    /// When the first one wakes.
    pub fn first(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Whoever is to be awake by now. Stays until it is set anew.
    pub fn due(&self, now: Instant) -> Option<Who> {
        self.order.first().filter(|(at, _)| *at <= now).map(|(_, who)| *who)
    }

    /// Sleepers.
    pub fn len(&self) -> usize {
        self.of.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_earliest_first_and_only_once() {
        let mut deadlines = Deadlines::default();
        let start = Instant::now();
        let at = |ms| Some(start + Duration::from_millis(ms));
        let (a, b) = (Who::Viewer(Key(1)), Who::Stream(StreamId(1)));
        deadlines.set(a, at(20));
        deadlines.set(b, at(30));
        deadlines.set(a, at(40));
        assert_eq!(deadlines.first(), at(30));
        assert_eq!(deadlines.due(start), None);
        assert_eq!(deadlines.due(start + Duration::from_millis(50)), Some(b));
        deadlines.set(b, None);
        assert_eq!(deadlines.due(start + Duration::from_millis(50)), Some(a));
        deadlines.set(a, None);
        assert_eq!((deadlines.first(), deadlines.len(), deadlines.order.len()), (None, 0, 0));
    }
}
