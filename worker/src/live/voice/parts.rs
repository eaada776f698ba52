//! Which messages an utterance was made of, and how far it was played, counted in what came and not in what sounded: steering
//! makes sound longer and shorter, and what must be said anew elsewhere is cut from what came.

use mouthpiece_domain::ids::CallerId;
use std::collections::VecDeque;

/// A message of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRef {
    /// Whose.
    pub caller: CallerId,
    /// Its number among that caller's messages.
    pub number: u64,
}

/// The messages of one utterance that are not done with.
#[derive(Default)]
pub(super) struct MessageParts {
    /// Each message, and how many samples of the utterance had come with its last one; none where it ends the utterance.
    parts: VecDeque<(MessageRef, Option<u64>)>,
    /// Samples that came.
    came: u64,
    /// When what lies before a place has left, so many samples are used up.
    places: VecDeque<(u64, u64)>,
    /// Samples that are used up.
    used: u64,
    /// Of those, what belonged to messages that are done with.
    done: u64,
}

impl MessageParts {
    /// Messages that are not done with.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Speech came with a message.
    pub(super) fn speech(&mut self, from: MessageRef, samples: u64) {
        self.came += samples;
        self.parts.push_back((from, Some(self.came)));
    }

    /// The utterance's last `samples` are known: a message said that this is all. It is done with when all of it has left.
    pub(super) fn end(&mut self, from: Option<MessageRef>, samples: u64) {
        self.came += samples;
        self.parts.extend(from.map(|from| (from, None)));
    }

    /// What waits has shrunk to `waiting` samples: the others lie before `place`.
    pub(super) fn placed(&mut self, place: u64, waiting: u64) {
        self.places.push_back((place, self.came.saturating_sub(waiting)));
    }

    /// Everything before `place` has left: says which messages are done with.
    pub(super) fn left(&mut self, place: u64, done: &mut Vec<MessageRef>) {
        while let Some((_, used)) = self.places.pop_front_if(|(until, _)| *until <= place) {
            self.used = used;
        }
        while let Some((from, end)) = self.parts.pop_front_if(|(_, end)| end.is_some_and(|end| end <= self.used)) {
            self.done = end.unwrap_or(self.done);
            done.push(from);
        }
    }

    /// The utterance is over: all of its messages are done with.
    pub(super) fn over(&mut self, done: &mut Vec<MessageRef>) {
        done.extend(self.parts.drain(..).map(|(from, _)| from));
    }

    /// The first message that is not done with, and how many samples of it have left.
    pub(super) fn next(&self) -> Option<(MessageRef, u64)> {
        self.parts.front().map(|(from, _)| (*from, self.used - self.done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_done_with_as_their_sound_leaves() {
        let from = |number| MessageRef { caller: CallerId(1), number };
        let (mut parts, mut done) = (MessageParts::default(), Vec::new());
        parts.speech(from(1), 100);
        parts.speech(from(2), 100);
        parts.placed(1_090, 110);
        parts.left(1_080, &mut done);
        assert_eq!((parts.next(), done.len()), (Some((from(1), 0)), 0), "nothing is used before it has left");
        parts.left(1_090, &mut done);
        assert_eq!((parts.next(), done.len()), (Some((from(1), 90)), 0));
        parts.placed(1_190, 20);
        parts.end(Some(from(3)), 5);
        parts.left(2_000, &mut done);
        assert_eq!((parts.next(), &done[..]), (Some((from(2), 80)), &[from(1)][..]));
        parts.placed(2_020, 0);
        parts.left(2_020, &mut done);
        assert_eq!((parts.len(), &done[..]), (1, &[from(1), from(2)][..]), "its end waits until it is over");
        parts.over(&mut done);
        assert_eq!((parts.next(), &done[..]), (None, &[from(1), from(2), from(3)][..]));
    }
}
