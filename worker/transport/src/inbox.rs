//! What the transport's thread is asked for: one queue, bounded for each kind of asker, emptied in one go.

use crate::error::SignalError;
use crate::events::StreamEvent;
use crate::hub::{Answered, Restarted};
use crate::media::{AudioPacket, VideoFrame};
use crate::settings::{StreamId, StreamParams};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// Frames and packets that wait at most: about a second of 64 sessions.
const MEDIA: usize = 4096;
/// Questions that wait at most.
const QUESTIONS: usize = 1024;

/// Where the events of a stream go.
pub(crate) type EventSink = Box<dyn Fn(StreamEvent) + Send + Sync>;
/// Where an answer goes.
pub(crate) type SignalReply<T> = oneshot::Sender<Result<T, SignalError>>;

/// Something to do for the thread.
pub(crate) enum TransportCommand {
    /// A frame; `torn` when one before it was refused.
    Video {
        id: StreamId,
        frame: VideoFrame,
        torn: bool,
    },
    Audio {
        id: StreamId,
        packet: AudioPacket,
    },
    Open {
        id: StreamId,
        params: StreamParams,
        sink: EventSink,
        sent_bytes: Arc<AtomicU64>,
    },
    Close {
        id: StreamId,
    },
    Offer {
        stream: StreamId,
        viewer: u128,
        sdp: String,
        reply: SignalReply<Answered>,
    },
    Trickle {
        stream: StreamId,
        viewer: u128,
        tag: String,
        fragment: String,
        reply: SignalReply<()>,
    },
    Restart {
        stream: StreamId,
        viewer: u128,
        fragment: String,
        reply: SignalReply<Restarted>,
    },
    HangUp {
        stream: StreamId,
        viewer: u128,
        reply: SignalReply<()>,
    },
    Stop,
}

/// Why something was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InboxRefused {
    Full,
    Stopped,
}

#[derive(Default)]
struct State {
    queue: Vec<TransportCommand>,
    media: usize,
    questions: usize,
    stopped: bool,
}

/// The queue.
#[derive(Default)]
pub(crate) struct TransportInbox {
    state: Mutex<State>,
    wake: Notify,
}

impl TransportInbox {
    /// Leaves a frame or packet; false when too much waits.
    pub fn media(&self, command: TransportCommand) -> bool {
        let mut state = self.lock();
        let takes = !state.stopped && state.media < MEDIA;
        if takes {
            state.media += 1;
            self.push(state, command);
        }
        takes
    }

    /// Leaves a question.
    pub fn ask(&self, command: TransportCommand) -> Result<(), InboxRefused> {
        let mut state = self.lock();
        if state.stopped {
            return Err(InboxRefused::Stopped);
        }
        if state.questions >= QUESTIONS {
            return Err(InboxRefused::Full);
        }
        state.questions += 1;
        self.push(state, command);
        Ok(())
    }

    /// Leaves what must not be lost: ends, of which there are as many as beginnings.
    pub fn end(&self, command: TransportCommand) {
        let state = self.lock();
        if !state.stopped {
            self.push(state, command);
        }
    }

    /// Everything that waits, in exchange for an empty vector.
    pub fn take(&self, into: &mut Vec<TransportCommand>) {
        into.clear();
        let mut state = self.lock();
        std::mem::swap(&mut state.queue, into);
        state.media = 0;
        state.questions = 0;
    }

    /// Takes nothing any more; whoever waits for an answer hears that.
    pub fn shut(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let waiting = std::mem::take(&mut state.queue);
        drop(state);
        drop(waiting);
    }

    /// Until something was left.
    pub async fn filled(&self) {
        self.wake.notified().await;
    }

    fn push(&self, mut state: MutexGuard<'_, State>, command: TransportCommand) {
        state.queue.push(command);
        drop(state);
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::time::{Duration, Instant};

    fn packet() -> TransportCommand {
        let packet = AudioPacket { data: Bytes::new(), pts: Duration::ZERO, captured: Instant::now() };
        TransportCommand::Audio { id: StreamId(1), packet }
    }

    fn hang_up() -> (TransportCommand, oneshot::Receiver<Result<(), SignalError>>) {
        let (reply, answer) = oneshot::channel();
        (TransportCommand::HangUp { stream: StreamId(1), viewer: 1, reply }, answer)
    }

    #[test]
    fn media_does_not_crowd_out_questions() {
        let inbox = TransportInbox::default();
        assert!((0..MEDIA).all(|_| inbox.media(packet())));
        assert!(!inbox.media(packet()));
        assert_eq!(inbox.ask(hang_up().0), Ok(()));
        let mut taken = Vec::new();
        inbox.take(&mut taken);
        assert_eq!(taken.len(), MEDIA + 1);
        assert!(inbox.media(packet()), "there is room again");
    }

    #[test]
    fn questions_are_bounded_and_ends_are_not_lost() {
        let inbox = TransportInbox::default();
        assert!((0..QUESTIONS).all(|_| inbox.ask(hang_up().0).is_ok()));
        assert_eq!(inbox.ask(hang_up().0), Err(InboxRefused::Full));
        inbox.end(TransportCommand::Close { id: StreamId(1) });
        let mut taken = Vec::new();
        inbox.take(&mut taken);
        assert!(matches!(taken.last(), Some(TransportCommand::Close { .. })));
    }

    #[test]
    fn whoever_waits_hears_of_the_end() {
        let inbox = TransportInbox::default();
        let (question, mut answer) = hang_up();
        inbox.ask(question).unwrap();
        inbox.shut();
        assert!(answer.try_recv().is_err());
        assert_eq!(inbox.ask(hang_up().0), Err(InboxRefused::Stopped));
        assert!(!inbox.media(packet()));
    }
}
