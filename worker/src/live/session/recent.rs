//! What all callers of a session were told lately, so that one who comes back hears what it missed.

use mouthpiece_domain::live::{EventPosition, LineOutput};
use mouthpiece_domain::session::Fence;
use std::collections::VecDeque;

/// Events that are kept: minutes of a conversation.
const KEPT: usize = 256;

/// The last events of one placement, numbered from 1.
pub(super) struct RecentEvents {
    position: EventPosition,
    kept: VecDeque<LineOutput>,
    /// Something was added since callers were told the position.
    moved: bool,
}

impl RecentEvents {
    /// Nothing was told yet.
    pub fn new(fence: Fence) -> Self {
        Self { position: EventPosition { fence, number: 0 }, kept: VecDeque::new(), moved: false }
    }

    /// Keeps what everybody is told.
    pub fn keep(&mut self, event: &LineOutput) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(event.clone());
        self.position.number += 1;
        self.moved = true;
    }

    /// Up to where everybody was told.
    pub fn position(&self) -> EventPosition {
        self.position
    }

    /// The same, once after it has changed.
    pub fn take_position(&mut self) -> Option<EventPosition> {
        std::mem::take(&mut self.moved).then_some(self.position)
    }

    /// What came after a position, and whether that is all of it: not when it is of another placement, or too long ago.
    pub fn after(&self, seen: EventPosition) -> (bool, impl Iterator<Item = &LineOutput>) {
        let known = seen.fence == self.position.fence && seen.number <= self.position.number;
        let missed = if known { self.position.number - seen.number } else { u64::MAX };
        let told = self.kept.len().min(usize::try_from(missed).unwrap_or(usize::MAX));
        (missed == told as u64, self.kept.iter().skip(self.kept.len() - told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: u64) -> LineOutput {
        LineOutput::Ended { event: None, played_ms: n }
    }

    fn heard(recent: &RecentEvents, fence: Fence, number: u64) -> (bool, Vec<u64>) {
        let (complete, events) = recent.after(EventPosition { fence, number });
        let numbers = events.map(|event| match event {
            LineOutput::Ended { played_ms, .. } => *played_ms,
            _ => 0,
        });
        (complete, numbers.collect())
    }

    #[test]
    fn who_comes_back_hears_what_it_missed() {
        let (now, before) = (Fence(2), Fence(1));
        let mut recent = RecentEvents::new(now);
        assert_eq!((recent.take_position(), heard(&recent, now, 0)), (None, (true, vec![])));
        (1..=3).for_each(|n| recent.keep(&event(n)));
        assert_eq!(recent.take_position(), Some(EventPosition { fence: now, number: 3 }));
        assert_eq!(recent.take_position(), None);
        assert_eq!(heard(&recent, now, 1), (true, vec![2, 3]));
        assert_eq!(heard(&recent, now, 3), (true, vec![]));
        assert_eq!(heard(&recent, before, 3), (false, vec![1, 2, 3]), "another placement's end is not known");
        assert_eq!(heard(&recent, now, 9), (false, vec![1, 2, 3]), "nobody can have seen what was not told");
    }

    #[test]
    fn what_is_too_long_ago_is_said_to_be_missing() {
        let (fence, most) = (Fence(1), KEPT as u64);
        let mut recent = RecentEvents::new(fence);
        (1..=most + 5).for_each(|n| recent.keep(&event(n)));
        assert_eq!(heard(&recent, fence, 5), (true, (6..=most + 5).collect()));
        assert_eq!(heard(&recent, fence, 4), (false, (6..=most + 5).collect()));
        assert_eq!(heard(&recent, fence, most + 4), (true, vec![most + 5]));
    }
}
