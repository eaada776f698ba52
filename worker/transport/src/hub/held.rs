//! Media that was handed in before its time.
//!
//! A sender report declares when a packet was captured; a time in the future cannot be declared. So it waits.

use std::collections::VecDeque;
use std::time::Instant;

/// So much waits at most.
const ROOM: usize = 256;

/// What waits, the earliest first.
#[derive(Debug)]
pub(super) struct HeldPackets<T> {
    waiting: VecDeque<(Instant, T)>,
}

impl<T> Default for HeldPackets<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new() }
    }
}

impl<T> HeldPackets<T> {
    /// Keeps something until it is due, behind what is due at the same time. Given back when there is no room.
    pub fn keep(&mut self, due: Instant, what: T) -> Option<T> {
        if self.waiting.len() >= ROOM {
            return Some(what);
        }
        let at = self.waiting.partition_point(|(other, _)| *other <= due);
        self.waiting.insert(at, (due, what));
        None
    }

    /// The next one that is due.
    pub fn take(&mut self, now: Instant) -> Option<T> {
        (self.due()? <= now).then(|| self.waiting.pop_front()).flatten().map(|(_, what)| what)
    }

    /// When the next one is due.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_early_comes_in_the_order_of_its_time() {
        let mut held = HeldPackets::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        for (ms, what) in [(40, "b"), (20, "a"), (40, "c")] {
            assert_eq!(held.keep(at(ms), what), None);
        }
        assert_eq!((held.due(), held.take(at(19))), (Some(at(20)), None));
        assert_eq!(
            [held.take(at(40)), held.take(at(40)), held.take(at(40)), held.take(at(40))],
            [Some("a"), Some("b"), Some("c"), None]
        );
    }

    #[test]
    fn it_is_bounded() {
        let mut held = HeldPackets::default();
        let start = Instant::now();
        assert!((0..ROOM).all(|n| held.keep(start, n).is_none()));
        assert_eq!(held.keep(start, 999), Some(999));
    }
}
