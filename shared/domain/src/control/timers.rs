//! Deadlines by time.

use crate::calendar::Calendar;
use crate::id_map::IdMap;
use crate::time::Mono;
use std::hash::Hash;

/// One deadline a key. Cheap to postpone: a deadline that moved later is found out when the old one comes. Cheap to cancel: what was
/// written down stays there until its time, and is then passed over.
#[derive(Debug)]
pub(super) struct Timers<K> {
    /// Whatever was armed; the first of it still is.
    by_time: Calendar<K>,
    armed: IdMap<K, Mono>,
}

impl<K: Copy + Ord + Hash> Timers<K> {
    pub(super) fn new() -> Self {
        Self { by_time: Calendar::default(), armed: IdMap::default() }
    }

    /// Wakes `key` at `at` or earlier; an earlier wake-up that is armed already stays.
    pub(super) fn at_latest(&mut self, key: K, at: Mono) {
        if self.armed.get(&key).is_none_or(|armed| at < *armed) {
            self.armed.insert(key, at);
            self.by_time.put(at, key);
        }
    }

    pub(super) fn cancel(&mut self, key: K) {
        if self.armed.remove(&key).is_some_and(|at| self.by_time.first() == Some((at, &key))) {
            self.pass_over();
        }
    }

    /// Takes the next key whose time has come.
    pub(super) fn pop(&mut self, now: Mono) -> Option<K> {
        self.next().filter(|at| *at <= now)?;
        let (_, key) = self.by_time.take_first()?;
        self.armed.remove(&key);
        self.pass_over();
        Some(key)
    }

    pub(super) fn next(&self) -> Option<Mono> {
        self.by_time.first().map(|(at, _)| at)
    }

    /// Lets go of what is first and armed no longer.
    fn pass_over(&mut self) {
        while self.by_time.first().is_some_and(|(at, key)| self.armed.get(key) != Some(&at)) {
            self.by_time.take_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_key_wakes_once_at_its_earliest() {
        let mut timers = Timers::new();
        timers.at_latest(1, Mono(50));
        timers.at_latest(1, Mono(20));
        timers.at_latest(1, Mono(90));
        timers.at_latest(2, Mono(30));
        assert_eq!(timers.next(), Some(Mono(20)));
        assert_eq!(timers.pop(Mono(19)), None);
        assert_eq!((timers.pop(Mono(40)), timers.pop(Mono(40)), timers.pop(Mono(40))), (Some(1), Some(2), None));
        timers.at_latest(3, Mono(1));
        timers.cancel(3);
        assert_eq!(timers.next(), None);
    }

    proptest! {
        /// As a list of deadlines would, whatever was armed, postponed and cancelled before.
        #[test]
        fn the_next_is_always_the_earliest_that_is_armed(
            steps in proptest::collection::vec((0u8..4, 0u32..6, 0u64..4000), 1..200)
        ) {
            let (mut timers, mut plain, mut now) = (Timers::new(), BTreeMap::<u32, Mono>::new(), Mono(0));
            for (what, key, ahead) in steps {
                let at = Mono(now.0 + ahead);
                match what {
                    0 | 1 => {
                        timers.at_latest(key, at);
                        plain.entry(key).and_modify(|old| *old = at.min(*old)).or_insert(at);
                    }
                    2 => {
                        timers.cancel(key);
                        plain.remove(&key);
                    }
                    _ => {
                        now = at;
                        while let Some(key) = timers.pop(now) {
                            let due = plain.remove(&key);
                            prop_assert!(due.is_some_and(|due| due <= now && plain.values().all(|other| *other >= due)));
                        }
                        prop_assert!(plain.values().all(|due| *due > now));
                    }
                }
                prop_assert_eq!(timers.next(), plain.values().min().copied());
            }
        }
    }
}
