//! What several sessions want drawn, in one call.

use crate::recovery::EngineAbsence;
use crate::{Engine, EngineError, EngineTick, Expression};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// What comes back to a desk: the seat, unless it is lost, and whether it was drawn.
type Answer<E> = (Option<Box<<E as Engine>::Seat>>, Result<(), EngineError>);

/// Where a desk finds its answer.
pub(super) struct DeskReply<E: Engine> {
    answer: Mutex<Option<Answer<E>>>,
    came: Condvar,
}

impl<E: Engine> Default for DeskReply<E> {
    fn default() -> Self {
        Self { answer: Mutex::new(None), came: Condvar::new() }
    }
}

impl<E: Engine> DeskReply<E> {
    fn give(&self, answer: Answer<E>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        self.came.notify_one();
    }

    /// Waits for the answer. It always comes: a tick that is dropped undrawn answers too.
    pub(super) fn wait(&self) -> Answer<E> {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(answer) = answer.take() {
                return answer;
            }
            answer = self.came.wait(answer).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// One tick on its way: owned, so that it can lie in a queue.
pub(super) struct DeskWork<E: Engine> {
    avatar: Arc<E::Avatar>,
    seat: Option<Box<E::Seat>>,
    reference: usize,
    cue: E::Cue,
    expression: Expression,
    reply: Arc<DeskReply<E>>,
    /// Whether it waits while the engine is recovered.
    is_patient: bool,
    /// Until it is drawn.
    outcome: Result<(), EngineError>,
}

/// What a session wants drawn.
pub(super) struct WantedTick<C> {
    pub reference: usize,
    pub cue: C,
    pub expression: Expression,
}

impl<E: Engine> DeskWork<E> {
    pub(super) fn new(
        avatar: Arc<E::Avatar>,
        seat: Box<E::Seat>,
        WantedTick { reference, cue, expression }: WantedTick<E::Cue>,
        reply: Arc<DeskReply<E>>,
        is_patient: bool,
    ) -> Self {
        let outcome = Err(EngineError::Gone);
        Self { avatar, seat: Some(seat), reference, cue, expression, reply, is_patient, outcome }
    }

    /// Answers that it is not drawn.
    pub(super) fn refuse(mut self, absence: EngineAbsence) {
        self.outcome = Err(absence.into());
    }

    fn tick(&mut self) -> Option<EngineTick<'_, E>> {
        let Self { avatar, seat, reference, cue, expression, .. } = self;
        Some(EngineTick { avatar, seat: seat.as_deref_mut()?, reference: *reference, cue, expression: *expression })
    }
}

impl<E: Engine> Drop for DeskWork<E> {
    /// Answers: drawn, failed, or neither because the engine is gone.
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, Ok(()));
        self.reply.give((self.seat.take(), outcome));
    }
}

/// What is drawn in one call. Its memory is used again for the next.
pub(super) struct Batch<E: Engine> {
    work: Vec<DeskWork<E>>,
    ticks: Vec<EngineTick<'static, E>>,
}

impl<E: Engine> Default for Batch<E> {
    fn default() -> Self {
        Self { work: Vec::new(), ticks: Vec::new() }
    }
}

impl<E: Engine> Batch<E> {
    /// Takes all that waits, when it has nothing itself.
    pub(super) fn take(&mut self, waiting: &mut Vec<DeskWork<E>>) {
        std::mem::swap(&mut self.work, waiting);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.work.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.work.len()
    }

    /// Draws it in one call and answers. Should that fail, each tick is drawn by itself, so that it fails alone.
    ///
    /// # Errors
    /// [`EngineError::Device`]: what was not drawn stays here, to be drawn when the engine is recovered, or refused.
    pub(super) fn draw(&mut self, engine: &mut E) -> Result<(), EngineError> {
        let mut ticks = emptied(std::mem::take(&mut self.ticks));
        ticks.extend(self.work.iter_mut().filter_map(DeskWork::tick));
        let together = engine.draw(&mut ticks);
        self.ticks = emptied(ticks);
        if matches!(together, Err(EngineError::Device(_))) {
            return together;
        }
        let alone = together.is_err();
        for at in 0..self.work.len() {
            let work = &mut self.work[at];
            work.outcome = match work.tick() {
                Some(tick) if alone => engine.draw(&mut [tick]),
                _ => Ok(()),
            };
            if matches!(work.outcome, Err(EngineError::Device(_))) {
                let failed = std::mem::replace(&mut work.outcome, Err(EngineError::Gone));
                self.work.drain(..at);
                return failed;
            }
        }
        self.work.clear();
        Ok(())
    }

    /// Answers those that do not wait while the engine is away; nobody waits for one that is broken.
    pub(super) fn refuse(&mut self, absence: EngineAbsence) {
        let goes = |work: &mut DeskWork<E>| absence == EngineAbsence::Broken || !work.is_patient;
        for work in self.work.extract_if(.., goes) {
            work.refuse(absence);
        }
    }

    /// Adds what waits to what is here.
    pub(super) fn gather(&mut self, waiting: &mut Vec<DeskWork<E>>) {
        self.work.append(waiting);
    }
}

/// The empty vector with the same memory, for ticks that live for another time: the standard library collects in place.
fn emptied<'a, E: Engine>(mut ticks: Vec<EngineTick<'_, E>>) -> Vec<EngineTick<'a, E>> {
    ticks.clear();
    ticks.into_iter().map_while(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::tests::Gate;

    #[test]
    fn the_memory_of_a_batch_is_kept() {
        let ticks: Vec<EngineTick<'_, Gate>> = Vec::with_capacity(5);
        let (place, room) = (ticks.as_ptr().addr(), ticks.capacity());
        let again: Vec<EngineTick<'static, Gate>> = emptied(ticks);
        assert_eq!((again.as_ptr().addr(), again.capacity()), (place, room));
    }
}
