//! The queue for slots, and how long it takes.

use super::held::TimedStep;
use super::{Control, ControlEffect};
use crate::fleet::Hold;
use crate::ids::SessionId;
use crate::time::Mono;
use std::collections::BTreeMap;
use std::time::Duration;

/// Watchers of waiting sessions are told their places this often.
const NEWS_EVERY: Duration = Duration::from_millis(500);
/// Only the first so many are told: further back a place means little.
const TOLD: usize = 50;
/// Before so many sessions were seen, nothing is said about how long they take.
const ENOUGH: u32 = 5;
/// Callers are told to come back after this at most.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// Sessions that wait, by their turn.
#[derive(Debug, Default)]
pub(super) struct WaitingQueue {
    waiting: BTreeMap<u64, SessionId>,
    turns: u64,
    news: Option<Mono>,
}

impl WaitingQueue {
    /// The turn of a session that comes now.
    pub(super) fn turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.waiting.len()).unwrap_or(u32::MAX)
    }

    /// The place of a turn, counted from 1.
    pub(super) fn position(&self, turn: u64) -> Option<u32> {
        if !self.waiting.contains_key(&turn) {
            return None;
        }
        if self.waiting.last_key_value().is_some_and(|(last, _)| *last == turn) {
            return Some(self.len()); // whoever comes last need not be counted
        }
        u32::try_from(self.waiting.range(..=turn).count()).ok()
    }

    pub(super) fn first(&self) -> Option<SessionId> {
        self.waiting.first_key_value().map(|(_, id)| *id)
    }

    pub(super) fn insert(&mut self, turn: u64, id: SessionId) {
        self.waiting.insert(turn, id);
    }

    /// Takes a session out; the places behind it change.
    pub(super) fn remove(&mut self, turn: u64, now: Mono) {
        if self.waiting.remove(&turn).is_some() {
            self.news = match self.waiting.is_empty() {
                true => None,
                false => self.news.or(Some(now + NEWS_EVERY)),
            };
        }
    }

    pub(super) fn news_due(&self) -> Option<Mono> {
        self.news
    }
}

/// How long a session holds its slot, on average.
#[derive(Debug, Default)]
pub(super) struct ServiceTime {
    mean_ms: f64,
    seen: u32,
}

impl ServiceTime {
    pub(super) fn saw(&mut self, held: Duration) {
        self.seen = self.seen.saturating_add(1);
        // A plain mean at first, then one that forgets.
        let weight = (1.0 / f64::from(self.seen)).max(0.05);
        self.mean_ms += (held.as_secs_f64() * 1e3 - self.mean_ms) * weight;
    }

    /// How long a session holds its slot on average; `None` when nothing is known.
    pub(super) fn mean(&self) -> Option<Duration> {
        (self.seen >= ENOUGH).then(|| Duration::from_secs_f64(self.mean_ms / 1e3))
    }

    /// How long until `need` more slots have become free among `slots`; `None` when nothing is known. Of many sessions one ends
    /// every moment; where every slot must become free, and more than once, whole sessions are counted.
    pub(super) fn until(&self, need: u32, slots: u32) -> Option<Duration> {
        if need == 0 {
            return Some(Duration::ZERO);
        }
        let sessions = || match need.div_ceil(slots) {
            1 => f64::from(need) / f64::from(slots),
            rounds => f64::from(rounds),
        };
        (self.seen >= ENOUGH && slots > 0).then(|| Duration::from_secs_f64(self.mean_ms / 1e3 * sessions()))
    }
}

impl Control {
    /// Gives free slots to waiting sessions, in turn.
    pub(super) fn place_waiting(&mut self) {
        while self.slots.free() > 0 {
            let Some(id) = self.queue.first() else { return };
            let Some(held) = self.sessions.get_mut(&id) else { return };
            let Some((worker, slot)) = self.slots.take_best(id, &held.session.spec.content) else { return };
            self.queue.remove(held.turn, self.now.mono);
            let hold = Hold { session: id, fence: held.session.fence, worker, slot };
            held.step = TimedStep::Claiming(hold);
            held.deadline = None;
            held.placed = self.now.mono;
            self.out.push(ControlEffect::Claim { hold, expiry: self.settings.lease.expiry() });
        }
    }

    /// Puts a session into the queue, at its own turn.
    pub(super) fn enqueue(&mut self, id: SessionId) {
        let Some(held) = self.sessions.get_mut(&id) else { return };
        held.step = TimedStep::Queued;
        held.told_position = None;
        let deadline = held.waiting + held.session.queue_timeout;
        held.deadline = Some(deadline);
        self.queue.insert(held.turn, id);
        self.session_timers.at_latest(id, deadline);
    }

    /// Slots that are wanted and not there, if one more session comes.
    pub(super) fn short_of(&self) -> u32 {
        (self.queue.len() + self.creating + 1).saturating_sub(self.slots.free())
    }

    /// How long until `need` more slots are free than are now: those of sessions that end, and those of machines that may
    /// still be started. `None` when nothing is known.
    pub(super) fn wait_for(&self, need: u32) -> Option<Duration> {
        let offered = self.slots.offered();
        let here = self.service.until(need, offered)?;
        let further = self.further_slots();
        if further == 0 || need == 0 {
            return Some(here);
        }
        let start_up = self.scaling.start_up();
        let grown = match need.saturating_sub(further) {
            0 => start_up,
            rest => start_up.max(self.service.until(rest, offered.saturating_add(further))?),
        };
        Some(here.min(grown))
    }

    /// When a caller who was turned away should come back.
    pub(super) fn retry_after(&self) -> Duration {
        let wait = self.wait_for(self.short_of()).unwrap_or(Duration::from_secs(5));
        (wait / 2).clamp(Duration::from_secs(1), LONGEST_RETRY)
    }

    /// Tells watchers of waiting sessions their new places.
    pub(super) fn tell_positions(&mut self) {
        self.queue.news = None;
        let first: Vec<SessionId> = self.queue.waiting.values().take(TOLD).copied().collect();
        for (n, id) in first.into_iter().enumerate() {
            let position = Some(n as u32 + 1);
            if self.sessions.get(&id).is_some_and(|h| h.told_position != position) {
                self.changed(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_told_from_what_was_seen() {
        let mut service = ServiceTime::default();
        assert_eq!(service.until(3, 2), None);
        for _ in 0..ENOUGH {
            service.saw(Duration::from_secs(10));
        }
        assert_eq!(service.until(0, 2), Some(Duration::ZERO));
        assert_eq!(service.until(2, 2), Some(Duration::from_secs(10)));
        assert_eq!(service.until(3, 2), Some(Duration::from_secs(20)));
        assert_eq!(service.until(1, 10_000), Some(Duration::from_millis(1)), "one of ten thousand ends soon");
        assert_eq!(service.until(3, 0), None);
    }
}
