//! What reaches a running session, and its inbox.
//!
//! One queue, in the order in which things came. Whoever speaks shares its bounded room and is told when there is none: it
//! comes again, or its sound is lost as a network would lose it. What the session cannot learn in any other way does not
//! share that room: viewers that come and go, and the rate that the network bears.

use mouthpiece_domain::live::{LineInput, LineOutput, LiveStatus};
use mouthpiece_transport::StreamEvent;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc::Sender, oneshot};

/// Messages that wait for a session, at most. It empties its inbox at least every 20 ms.
const WAITING: usize = 1024;
/// So many comings and goings of viewers wait before those are forgotten who came and went unnoticed. Beside these only
/// viewers who are there, or were when the session looked last, can wait to be told of: the transport bounds them.
const CHANGES: usize = 256;

/// One message.
pub enum LiveInput {
    /// From the transport.
    Stream(StreamEvent),
    /// A caller's line opened.
    Line {
        /// The number of the caller's line.
        line: u64,
        /// Where events go.
        down: Sender<LineOutput>,
    },
    /// A caller said something.
    Up {
        /// On this line.
        line: u64,
        /// What the caller sent.
        up: LineInput,
    },
    /// A caller's line is gone.
    LineGone {
        /// The number of the caller's line.
        line: u64,
    },
    /// Silence at once.
    Interrupt,
    /// Still needed.
    KeepAlive,
    /// How is it?
    Status(oneshot::Sender<LiveStatus>),
}

impl LiveInput {
    /// True for what must not be lost, however much speech waits.
    fn is_lasting(&self) -> bool {
        matches!(self, Self::Stream(StreamEvent::Joined { .. } | StreamEvent::Left { .. } | StreamEvent::Bitrate(_)))
    }

    /// The viewer whose coming or going this is.
    fn is_change_of(&self, of: u128) -> bool {
        matches!(self, Self::Stream(StreamEvent::Joined { viewer, .. } | StreamEvent::Left { viewer, .. }) if *viewer == of)
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterOutcome {
    /// It will be read.
    Taken,
    /// The inbox is full.
    Full,
    /// The session is over.
    Over,
}

#[derive(Default)]
struct State {
    queue: VecDeque<LiveInput>,
    /// How many of them share the bounded room.
    bounded: usize,
    /// Viewers whose coming was left here, and whose going was not yet.
    here: BTreeSet<u128>,
    /// The session runs elsewhere: no new viewers are taken.
    moved: bool,
    /// It is spoken to elsewhere: only what concerns its viewers is taken.
    callers_gone: bool,
    over: bool,
}

impl State {
    /// Takes a message; gives it back where there is no room.
    fn push(&mut self, input: LiveInput) -> Result<(), LiveInput> {
        match &input {
            LiveInput::Stream(StreamEvent::Joined { viewer, .. }) => {
                self.forget_passer_by();
                self.here.insert(*viewer);
            }
            // It is also told of who never came.
            LiveInput::Stream(StreamEvent::Left { viewer, .. }) if !self.here.remove(viewer) => return Ok(()),
            LiveInput::Stream(StreamEvent::Left { .. }) => {}
            // Only the newest counts.
            LiveInput::Stream(StreamEvent::Bitrate(_)) => {
                self.queue.retain(|waits| !matches!(waits, LiveInput::Stream(StreamEvent::Bitrate(_))));
            }
            _ if self.bounded == WAITING => return Err(input),
            _ => self.bounded += 1,
        }
        self.queue.push_back(input);
        Ok(())
    }

    /// Where too many changes wait, the first viewer is forgotten who came and went before the session looked. The last
    /// such one stays, so that the session learns that somebody was there.
    fn forget_passer_by(&mut self) {
        if self.queue.len() - self.bounded < CHANGES {
            return;
        }
        let mut passed = self.queue.iter().filter_map(|input| match input {
            LiveInput::Stream(StreamEvent::Joined { viewer, .. }) if !self.here.contains(viewer) => Some(*viewer),
            _ => None,
        });
        if let (Some(first), Some(_)) = (passed.next(), passed.next()) {
            self.queue.retain(|input| !input.is_change_of(first));
        }
    }

    fn pop(&mut self) -> Option<LiveInput> {
        let input = self.queue.pop_front()?;
        if !input.is_lasting() {
            self.bounded -= 1;
        }
        Some(input)
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

impl Shared {
    /// The state is whole between any two statements, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where messages are left. Never blocks.
#[derive(Clone)]
pub struct Letterbox(Arc<Shared>);

/// Where a session reads them. Once it is dropped, nothing is taken any more.
pub struct LiveInbox(Arc<Shared>);

impl Letterbox {
    /// An inbox and its letterbox.
    pub fn new() -> (Self, LiveInbox) {
        let shared = Arc::new(Shared::default());
        (Self(Arc::clone(&shared)), LiveInbox(shared))
    }

    /// The session was moved elsewhere: nobody new is taken.
    pub fn has_moved(&self) -> bool {
        self.0.lock().moved
    }

    /// Leaves a message; gives it back where it was not taken. Viewers that come and go, and the rate that the network bears,
    /// are always taken while the session runs.
    pub fn leave(&self, input: LiveInput) -> (LetterOutcome, Option<LiveInput>) {
        let mut state = self.0.lock();
        if state.over || (state.callers_gone && !matches!(input, LiveInput::Stream(_))) {
            return (LetterOutcome::Over, None);
        }
        let pushed = state.push(input);
        drop(state);
        match pushed {
            Ok(()) => {
                self.0.news.notify_one();
                (LetterOutcome::Taken, None)
            }
            Err(input) => (LetterOutcome::Full, Some(input)),
        }
    }
}

impl LiveInbox {
    /// The session was moved elsewhere.
    pub fn move_away(&self) {
        self.0.lock().moved = true;
    }

    /// It is spoken to where it was moved to from now on.
    pub fn let_callers_go(&self) {
        self.0.lock().callers_gone = true;
    }

    /// The next message, if one waits.
    pub fn next(&self) -> Option<LiveInput> {
        self.0.lock().pop()
    }

    /// The next message, waiting for it at most so long.
    pub fn wait(&self, timeout: Duration) -> Option<LiveInput> {
        let state = self.0.lock();
        let waited = self.0.news.wait_timeout_while(state, timeout, |state| state.queue.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.pop()
    }
}

impl Drop for LiveInbox {
    fn drop(&mut self) {
        let left = {
            let mut state = self.0.lock();
            state.over = true;
            std::mem::take(&mut state.queue)
        };
        // Whoever waits for an answer sees that none will come.
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_transport::LeftWhy;

    fn joined(viewer: u128) -> LiveInput {
        LiveInput::Stream(StreamEvent::Joined { viewer, after: Duration::ZERO })
    }

    fn left(viewer: u128) -> LiveInput {
        LiveInput::Stream(StreamEvent::Left { viewer, why: LeftWhy::Gone })
    }

    /// An inbox that takes no more speech.
    fn full() -> (Letterbox, LiveInbox) {
        let (letterbox, inbox) = Letterbox::new();
        while letterbox.leave(LiveInput::KeepAlive).0 == LetterOutcome::Taken {}
        (letterbox, inbox)
    }

    /// Who came (true) and went, in the order in which it is read.
    fn changes(inbox: &LiveInbox) -> Vec<(u128, bool)> {
        let read = std::iter::from_fn(|| inbox.next()).filter_map(|input| match input {
            LiveInput::Stream(StreamEvent::Joined { viewer, .. }) => Some((viewer, true)),
            LiveInput::Stream(StreamEvent::Left { viewer, .. }) => Some((viewer, false)),
            _ => None,
        });
        read.collect()
    }

    #[test]
    fn viewers_come_and_go_however_full_it_is() {
        let (letterbox, inbox) = full();
        for input in [joined(1), joined(2), left(1)] {
            assert_eq!(letterbox.leave(input).0, LetterOutcome::Taken);
        }
        let (refused, back) = letterbox.leave(LiveInput::Interrupt);
        assert!(refused == LetterOutcome::Full && matches!(back, Some(LiveInput::Interrupt)));
        assert_eq!(changes(&inbox), [(1, true), (2, true), (1, false)]);
        assert_eq!(letterbox.leave(left(2)).0, LetterOutcome::Taken);
        assert_eq!(changes(&inbox), [(2, false)]);
        assert!(
            (0..WAITING).all(|_| letterbox.leave(LiveInput::KeepAlive).0 == LetterOutcome::Taken),
            "there is room again"
        );
    }

    #[test]
    fn messages_are_read_in_the_order_in_which_they_came() {
        let (letterbox, inbox) = Letterbox::new();
        for input in [LiveInput::LineGone { line: 1 }, joined(1), LiveInput::LineGone { line: 2 }] {
            assert_eq!(letterbox.leave(input).0, LetterOutcome::Taken);
        }
        assert!(matches!(inbox.next(), Some(LiveInput::LineGone { line: 1 })));
        assert!(matches!(inbox.wait(Duration::ZERO), Some(LiveInput::Stream(StreamEvent::Joined { viewer: 1, .. }))));
        assert!(matches!(inbox.next(), Some(LiveInput::LineGone { line: 2 })));
        assert!(inbox.wait(Duration::ZERO).is_none());
    }

    #[test]
    fn who_came_and_went_unnoticed_takes_no_more_room_than_one() {
        let (letterbox, inbox) = full();
        letterbox.leave(joined(0));
        for viewer in 1..10_000 {
            letterbox.leave(joined(viewer));
            letterbox.leave(left(viewer));
            letterbox.leave(left(1_000_000 + viewer));
        }
        assert!(inbox.0.lock().queue.len() <= WAITING + CHANGES + 2);
        let changes = changes(&inbox);
        assert_eq!(changes[0], (0, true), "who is still there is not forgotten");
        assert_eq!(changes[changes.len() - 2..], [(9_999, true), (9_999, false)]);
        assert!(changes.iter().all(|(viewer, _)| *viewer < 10_000), "nor is told who never came");
    }

    #[test]
    fn the_newest_rate_counts() {
        let (letterbox, inbox) = full();
        for bits in [1, 2, 3] {
            assert_eq!(letterbox.leave(LiveInput::Stream(StreamEvent::Bitrate(bits))).0, LetterOutcome::Taken);
        }
        let rates = std::iter::from_fn(|| inbox.next()).filter_map(|input| match input {
            LiveInput::Stream(StreamEvent::Bitrate(bits)) => Some(bits),
            _ => None,
        });
        assert_eq!(rates.collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn a_session_that_was_moved_hears_its_viewers_only() {
        let (letterbox, inbox) = Letterbox::new();
        letterbox.leave(joined(1));
        inbox.move_away();
        assert!(letterbox.has_moved());
        assert_eq!(letterbox.leave(LiveInput::KeepAlive).0, LetterOutcome::Taken);
        assert!(
            matches!(inbox.next(), Some(LiveInput::Stream(_))) && matches!(inbox.next(), Some(LiveInput::KeepAlive))
        );
        inbox.let_callers_go();
        assert_eq!(letterbox.leave(LiveInput::KeepAlive).0, LetterOutcome::Over);
        assert_eq!(letterbox.leave(left(1)).0, LetterOutcome::Taken);
        assert_eq!(changes(&inbox), [(1, false)]);
    }

    #[test]
    fn a_session_that_is_over_takes_nothing_and_answers_nobody() {
        let (letterbox, inbox) = Letterbox::new();
        let (asked, mut answer) = oneshot::channel();
        letterbox.leave(LiveInput::Status(asked));
        drop(inbox);
        assert!(matches!(answer.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        assert_eq!(letterbox.leave(joined(1)).0, LetterOutcome::Over);
    }
}
