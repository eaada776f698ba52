//! What happens later under virtual time, in order.

use mouthpiece_domain::calendar::Calendar;
use mouthpiece_domain::time::Mono;
use std::cmp::Ordering;

/// All of it. Of what happens at the same time the first that was planned comes first.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    planned: Calendar<Nth<T>>,
    count: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { planned: Calendar::default(), count: 0 }
    }
}

impl<T> Agenda<T> {
    pub(crate) fn plan(&mut self, at: Mono, later: T) {
        self.count += 1;
        self.planned.put(at, Nth(self.count, later));
    }

    /// When the next is due.
    pub(crate) fn next(&self) -> Option<Mono> {
        self.planned.first().map(|(at, _)| at)
    }

    pub(crate) fn take(&mut self) -> Option<(Mono, T)> {
        self.planned.take_first().map(|(at, Nth(_, later))| (at, later))
    }

    /// Takes the next whose time has come.
    pub(crate) fn take_due(&mut self, now: Mono) -> Option<T> {
        self.next().filter(|at| *at <= now)?;
        self.take().map(|(_, later)| later)
    }
}

/// Something, by when it was planned.
#[derive(Debug)]
struct Nth<T>(u64, T);

impl<T> Ord for Nth<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T> PartialOrd for Nth<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Nth<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Nth<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_planned_first_for_a_time_happens_first() {
        let mut agenda = Agenda::default();
        for (at, index) in [(7, 3), (5, 9), (5, 1), (5, 4)] {
            agenda.plan(Mono(at), index);
        }
        assert_eq!((agenda.next(), agenda.take_due(Mono(4))), (Some(Mono(5)), None));
        let order: Vec<_> = std::iter::from_fn(|| agenda.take()).collect();
        assert_eq!(order, [(5, 9), (5, 1), (5, 4), (7, 3)].map(|(at, index)| (Mono(at), index)));
    }
}
