//! Deadlines by time.

use crate::id_map::IdMap;
use crate::time::Mono;
use std::collections::BTreeSet;
use std::hash::Hash;

/// One deadline a key. Cheap to postpone: a deadline that moved later is found out when the old one comes.
#[derive(Debug)]
pub(super) struct Timers<K> {
    by_time: BTreeSet<(Mono, K)>,
    armed: IdMap<K, Mono>,
}

impl<K: Copy + Ord + Hash> Timers<K> {
    pub(super) fn new() -> Self {
        Self { by_time: BTreeSet::new(), armed: IdMap::default() }
    }

    /// Wakes `key` at `at` or earlier; an earlier wake-up that is armed already stays.
    pub(super) fn at_latest(&mut self, key: K, at: Mono) {
        match self.armed.get(&key) {
            Some(armed) if *armed <= at => {}
            _ => self.set(key, at),
        }
    }

    fn set(&mut self, key: K, at: Mono) {
        if let Some(old) = self.armed.insert(key, at) {
            self.by_time.remove(&(old, key));
        }
        self.by_time.insert((at, key));
    }

    pub(super) fn cancel(&mut self, key: K) {
        if let Some(old) = self.armed.remove(&key) {
            self.by_time.remove(&(old, key));
        }
    }

    /// Takes the next key whose time has come.
    pub(super) fn pop(&mut self, now: Mono) -> Option<K> {
        let (at, key) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.armed.remove(&key);
        Some(key)
    }

    pub(super) fn next(&self) -> Option<Mono> {
        self.by_time.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
