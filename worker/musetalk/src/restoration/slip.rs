//! What a session hands in, and where it finds what became of it.

use super::thread::{MouthJob, RestorationDesk};
use mouthpiece_engine::RestorationOutcome;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// A mouth, before and after.
#[derive(Debug, Default)]
pub(super) struct MouthBuffers {
    pub drawn: Vec<u8>,
    pub restored: Vec<u8>,
}

/// What comes back: the memory, unless that is lost, and whether it was restored.
type Answer = (Option<Box<MouthBuffers>>, bool);

/// Where an answer is left.
#[derive(Debug, Default)]
pub(super) struct MouthReply {
    answer: Mutex<Option<Answer>>,
    came: Condvar,
}

impl MouthReply {
    pub fn give(&self, answer: Answer) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        self.came.notify_one();
    }

    /// Waits for the answer, until `due` if there is such a time. Without, one always comes: a job that is dropped answers, too.
    fn wait(&self, due: Option<Instant>) -> Option<Answer> {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(answer) = answer.take() {
                return Some(answer);
            }
            answer = match due {
                None => self.came.wait(answer).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let left = due.checked_duration_since(Instant::now())?;
                    self.came.wait_timeout(answer, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// One session's: its memory is used again and again.
#[derive(Debug, Default)]
pub struct MouthSlip {
    buffers: Option<Box<MouthBuffers>>,
    reply: Arc<MouthReply>,
}

impl MouthSlip {
    /// Has a mouth restored that `cut` writes (RGB of [`crate::MOUTH_PICTURE`] bytes): what became of it ([`crate::RESTORED_PICTURE`]
    /// bytes), or None if that is not there by `due`. Either is counted.
    pub fn restore(
        &mut self,
        desk: &RestorationDesk,
        due: Option<Instant>,
        cut: impl FnOnce(&mut Vec<u8>),
    ) -> Option<&[u8]> {
        let outcome = self.outcome(desk, due, cut);
        desk.count(outcome);
        let buffers = self.buffers.as_deref().filter(|_| outcome == RestorationOutcome::Done)?;
        Some(&buffers.restored)
    }

    fn outcome(
        &mut self,
        desk: &RestorationDesk,
        due: Option<Instant>,
        cut: impl FnOnce(&mut Vec<u8>),
    ) -> RestorationOutcome {
        if let Err(outcome) = desk.is_worth(due) {
            return outcome;
        }
        let mut buffers = self.buffers.take().unwrap_or_default();
        buffers.drawn.clear();
        cut(&mut buffers.drawn);
        desk.hand_in(MouthJob::new(buffers, due, Arc::clone(&self.reply)));
        match self.reply.wait(due) {
            Some((buffers, restored)) => {
                self.buffers = buffers;
                if restored { RestorationOutcome::Done } else { RestorationOutcome::Failed }
            }
            None => {
                // Whatever comes of it now is nobody's.
                desk.take_back(&self.reply);
                self.reply = Arc::default();
                RestorationOutcome::Skipped
            }
        }
    }
}
