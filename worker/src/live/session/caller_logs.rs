//! What a session has had of each caller, and what of it is done with. A caller that does not know what arrived says all of it
//! anew; each message is taken once all the same.

use crate::live::voice::MessageRef;
use mouthpiece_domain::ids::CallerId;
use mouthpiece_domain::live::BegunUtterance;
use std::collections::VecDeque;

/// Callers that are remembered, at most; the one that was silent longest is forgotten.
const REMEMBERED: usize = 32;

/// What a caller is told of its messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Settlement {
    /// All messages up to this one are done with.
    pub through: u64,
    /// What is being said of the caller's speech.
    pub begun: Option<BegunUtterance>,
    /// How much of the message after `through` was played, milliseconds.
    pub of_next_ms: u64,
}

/// One caller.
struct CallerLog {
    caller: CallerId,
    line: Option<u64>,
    /// It said who it is: it is told what is done with.
    identified: bool,
    /// The number of the message that comes next on its line.
    next: u64,
    /// Messages that were taken: all up to this one.
    received: u64,
    /// Of those, what is not done with, in order.
    pending: VecDeque<u64>,
    told: Settlement,
}

/// All callers.
#[derive(Default)]
pub(super) struct CallerLogs(VecDeque<CallerLog>);

impl CallerLogs {
    /// A line opened: of a caller of its own until it says otherwise.
    pub fn opened(&mut self, line: u64) {
        self.add(CallerId(u128::from(line)), line, 1, false);
    }

    /// The line is gone; its caller may come back.
    pub fn closed(&mut self, line: u64) {
        self.0.retain(|log| log.identified || log.line != Some(line));
        self.0.iter_mut().filter(|log| log.line == Some(line)).for_each(|log| log.line = None);
    }

    /// The caller on a line says who it is, and what it says next; false when it was here before.
    pub fn identified(&mut self, line: u64, caller: CallerId, next: u64) -> bool {
        self.closed(line);
        // Moved to the end: forgotten last.
        let known = self.0.iter().position(|log| log.caller == caller).and_then(|at| self.0.remove(at));
        let is_new = known.is_none();
        match known {
            Some(log) => self.0.push_back(CallerLog { line: Some(line), next, told: Settlement::default(), ..log }),
            None => self.add(caller, line, next, true),
        }
        is_new
    }

    fn add(&mut self, caller: CallerId, line: u64, next: u64, identified: bool) {
        if self.0.len() >= REMEMBERED {
            let silent = self.0.iter().position(|log| log.line.is_none()).unwrap_or_default();
            self.0.remove(silent);
        }
        self.0.push_back(CallerLog {
            caller,
            line: Some(line),
            identified,
            next,
            received: next.saturating_sub(1),
            pending: VecDeque::new(),
            told: Settlement::default(),
        });
    }

    /// A message came on a line; `None` when this caller's message was taken before.
    pub fn received(&mut self, line: u64) -> Option<MessageRef> {
        let Some(log) = self.0.iter_mut().find(|log| log.line == Some(line)) else {
            self.opened(line);
            return self.received(line);
        };
        let number = log.next;
        log.next += 1;
        if number <= log.received {
            return None;
        }
        log.received = number;
        Some(MessageRef { caller: log.caller, number })
    }

    /// A message was taken and is not done with.
    pub fn waits(&mut self, from: MessageRef) {
        if let Some(log) = self.0.iter_mut().find(|log| log.caller == from.caller) {
            log.pending.push_back(from.number);
        }
    }

    /// A message is done with.
    pub fn done(&mut self, from: MessageRef) {
        if let Some(log) = self.0.iter_mut().find(|log| log.caller == from.caller)
            && let Ok(at) = log.pending.binary_search(&from.number)
        {
            log.pending.remove(at);
        }
    }

    /// What callers are to be told, by their lines. `begun` says what is being said of a caller's speech.
    pub fn news<'a>(
        &'a mut self,
        begun: impl Fn(CallerId) -> Option<(BegunUtterance, u64)> + 'a,
    ) -> impl Iterator<Item = (u64, Settlement)> + 'a {
        self.0.iter_mut().filter(|log| log.identified).filter_map(move |log| {
            let line = log.line?;
            let through = log.pending.front().map_or(log.received, |first| first - 1);
            let (begun, of_next_ms) = begun(log.caller).map_or((None, 0), |(begun, ms)| (Some(begun), ms));
            let now = Settlement { through, begun, of_next_ms };
            if now == log.told {
                return None;
            }
            log.told = now.clone();
            Some((line, now))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: CallerId = CallerId(9);

    fn told(logs: &mut CallerLogs) -> Vec<(u64, u64)> {
        logs.news(|_| None).map(|(line, settled)| (line, settled.through)).collect()
    }

    #[test]
    fn each_message_is_taken_once_over_all_lines() {
        let mut logs = CallerLogs::default();
        logs.opened(1);
        assert!(logs.identified(1, CALLER, 1));
        let first = logs.received(1).unwrap();
        logs.waits(first);
        let second = logs.received(1).unwrap();
        logs.waits(second);
        logs.closed(1);
        // It knows of neither.
        logs.opened(2);
        assert!(!logs.identified(2, CALLER, 1));
        assert_eq!((logs.received(2), logs.received(2)), (None, None));
        assert_eq!(logs.received(2), Some(MessageRef { caller: CALLER, number: 3 }));
        assert_eq!(told(&mut logs), []);
        logs.done(second);
        assert_eq!(told(&mut logs), [], "the first is not done with");
        logs.done(first);
        assert_eq!(told(&mut logs), [(2, 3)]);
        assert_eq!(told(&mut logs), [], "nothing is told twice");
    }

    #[test]
    fn who_comes_from_elsewhere_goes_on_with_its_numbers() {
        let mut logs = CallerLogs::default();
        assert!(logs.identified(1, CALLER, 40));
        assert_eq!(logs.received(1).map(|message| message.number), Some(40));
        assert_eq!(told(&mut logs), [(1, 40)]);
    }

    #[test]
    fn lines_without_a_name_are_callers_of_their_own_and_callers_are_bounded() {
        let mut logs = CallerLogs::default();
        let (one, two) = (logs.received(1).unwrap(), logs.received(2).unwrap());
        assert_ne!(one.caller, two.caller);
        assert_eq!(told(&mut logs), [], "they are told nothing");
        logs.identified(1, CALLER, 1);
        for line in 10..100 {
            logs.opened(line);
        }
        logs.closed(1);
        (100..200).for_each(|line| logs.opened(line));
        assert_eq!(logs.0.len(), REMEMBERED);
        assert!(logs.identified(300, CALLER, 1), "forgotten, as it was silent longest");
    }
}
