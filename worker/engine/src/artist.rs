//! Who draws for one session.

use crate::{Cue, Engine, EngineError, EngineTick, Expression};
use mouthpiece_frame::I420;
use std::sync::Arc;
use std::time::Instant;

/// Draws one session's frames, one after the other.
pub trait Artist {
    /// What the sound asks of the mouth.
    type Cue: Cue;

    /// Draws reference frame `reference` with this mouth and expression; the picture stays until the next call.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`]; [`EngineError::Gone`] when the engine's thread has ended; [`EngineError::Recovering`] and
    /// [`EngineError::Broken`] to whoever does not wait for an engine that failed.
    fn draw(&mut self, reference: usize, cue: Self::Cue, expression: Expression) -> Result<&I420, EngineError>;

    /// The picture that is drawn next is wanted by then: what would only make it better is left out where it takes longer. Without, it
    /// is waited for.
    fn wanted_by(&mut self, _due: Instant) {}

    /// Draws reference frame `reference` with the mouth at rest, on the calling thread and without the engine; the picture
    /// stays until the next call. The same picture as [`Artist::draw`] makes with a cue at rest.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`]; [`EngineError::Gone`] when the engine's thread ended with this session's memory.
    fn rest(&mut self, reference: usize, expression: Expression) -> Result<&I420, EngineError>;
}

/// One session with an engine of its own, on the calling thread. Allocates nothing in the steady state.
#[derive(Debug)]
pub struct OwnEngine<E: Engine> {
    engine: E,
    avatar: Arc<E::Avatar>,
    seat: E::Seat,
}

impl<E: Engine> OwnEngine<E> {
    /// Draws `avatar` with `engine`.
    pub fn new(engine: E, avatar: Arc<E::Avatar>) -> Self {
        Self { seat: E::seat(&avatar), engine, avatar }
    }
}

impl<E: Engine> Artist for OwnEngine<E> {
    type Cue = E::Cue;

    fn draw(&mut self, reference: usize, cue: E::Cue, expression: Expression) -> Result<&I420, EngineError> {
        loop {
            let tick = EngineTick::<E> { avatar: &self.avatar, seat: &mut self.seat, reference, cue: &cue, expression };
            match self.engine.draw(&mut [tick]) {
                // It gives up by itself, when it has tried what there is.
                Err(EngineError::Device(_)) => self.engine.recover()?,
                drawn => {
                    drawn?;
                    E::finish(&self.avatar, &mut self.seat, None)?;
                    return Ok(E::picture(&self.seat));
                }
            };
        }
    }

    fn rest(&mut self, reference: usize, expression: Expression) -> Result<&I420, EngineError> {
        E::rest(&self.avatar, &mut self.seat, reference, expression)?;
        Ok(E::picture(&self.seat))
    }
}
