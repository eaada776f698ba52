//! One session's place in front of the engine's thread.

use super::Shared;
use super::batch::{DeskReply, DeskWork, WantedTick};
use crate::recovery::EngineAbsence;
use crate::{Artist, Engine, EngineError, EngineTick, Expression};
use mouthpiece_frame::I420;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// One session's place in front of the engine's thread.
pub struct EngineDesk<E: Engine> {
    shared: Arc<Shared<E>>,
    reply: Arc<DeskReply<E>>,
    helper: Option<E>,
    avatar: Arc<E::Avatar>,
    /// Away while it is drawn, and lost when the engine is.
    seat: Option<Box<E::Seat>>,
    /// Whether it waits while the engine is recovered.
    is_patient: bool,
    /// When the next picture is wanted, if it is not waited for.
    due: Option<Instant>,
}

impl<E: Engine> EngineDesk<E> {
    pub(super) fn new(shared: Arc<Shared<E>>, avatar: Arc<E::Avatar>, is_patient: bool) -> Self {
        let helper = shared.spare.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(E::helper);
        let seat = Some(Box::new(E::seat(&avatar)));
        Self { shared, reply: Arc::default(), helper, avatar, seat, is_patient, due: None }
    }
}

impl<E: Engine> fmt::Debug for EngineDesk<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl<E: Engine> Artist for EngineDesk<E> {
    type Cue = E::Cue;

    fn wanted_by(&mut self, due: Instant) {
        self.due = Some(due);
    }

    /// Waits for the picture: at most as long as the batch before and its own take, and, if it is patient, until the
    /// engine is recovered. With a helper it never waits for others.
    fn draw(&mut self, reference: usize, cue: E::Cue, expression: Expression) -> Result<&I420, EngineError> {
        let (seat, drawn) = {
            let mut queue = self.shared.lock();
            if queue.closed {
                return Err(EngineError::Gone);
            }
            match queue.absence {
                Some(EngineAbsence::Recovering) if self.is_patient => {}
                Some(absence) => return Err(absence.into()),
                None => {}
            }
            let seat = self.seat.take().ok_or(EngineError::Gone)?;
            match &mut self.helper {
                Some(helper) if queue.drawing => {
                    drop(queue);
                    self.shared.helped.fetch_add(1, Ordering::Relaxed);
                    let mut seat = seat;
                    let tick =
                        EngineTick::<E> { avatar: &self.avatar, seat: &mut seat, reference, cue: &cue, expression };
                    let drawn = helper.draw(&mut [tick]);
                    (Some(seat), drawn)
                }
                _ => {
                    let (avatar, reply) = (Arc::clone(&self.avatar), Arc::clone(&self.reply));
                    let wanted = WantedTick { reference, cue, expression };
                    queue.waiting.push(DeskWork::new(avatar, seat, wanted, reply, self.is_patient));
                    drop(queue);
                    self.shared.news.notify_one();
                    self.reply.wait()
                }
            }
        };
        self.seat = seat;
        let due = self.due.take();
        drawn?;
        let seat = self.seat.as_deref_mut().ok_or(EngineError::Gone)?;
        E::finish(&self.avatar, seat, due)?;
        Ok(E::picture(seat))
    }

    /// The seat lies here between two ticks, so nobody is asked and nobody is waited for.
    fn rest(&mut self, reference: usize, expression: Expression) -> Result<&I420, EngineError> {
        let seat = self.seat.as_deref_mut().ok_or(EngineError::Gone)?;
        E::rest(&self.avatar, seat, reference, expression)?;
        Ok(E::picture(seat))
    }
}
