//! The frame path: what a session does for each frame, whatever listens before it and encodes behind it.

use crate::RenderError;
use mouthpiece_engine::life::{Life, Liveliness};
use mouthpiece_engine::{Engine, Heard, Tick};
use mouthpiece_media::image::I420;

/// Draws one session's frames in order.
pub struct FramePath<E: Engine> {
    engine: E,
    seat: E::Seat,
    life: Life,
    fps: u32,
    references: usize,
    next: u64,
}

impl<E: Engine> FramePath<E> {
    /// Frames of `avatar`, which has `references` reference frames, `fps` a second.
    pub fn new(engine: E, avatar: &E::Avatar, references: usize, fps: u32, seed: u64, liveliness: Liveliness) -> Self {
        // A video moves by itself.
        let liveliness = Liveliness { head: liveliness.head && references == 1, ..liveliness };
        Self { seat: engine.seat(avatar), engine, life: Life::new(seed, liveliness), fps, references, next: 0 }
    }

    /// The number of the frame that is drawn next, from 0.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The middle of the next frame in media time, seconds.
    pub fn next_middle(&self) -> f64 {
        (self.next as f64 + 0.5) / f64::from(self.fps)
    }

    /// Draws the next frame and returns it. Allocates nothing in the steady state.
    ///
    /// # Errors
    /// [`RenderError::Engine`].
    pub fn draw(&mut self, avatar: &E::Avatar, heard: Heard<E::Cue>) -> Result<&I420, RenderError> {
        let expression = self.life.at(self.next_middle(), heard.voice);
        let reference = forth_and_back(self.next, self.references);
        let tick = Tick { avatar, seat: &mut self.seat, reference, cue: heard.cue, expression };
        self.engine.draw(&mut [tick])?;
        self.next += 1;
        Ok(self.engine.picture(&self.seat))
    }
}

/// Which of `count` reference frames is shown at frame `n`: 0 1 2 .. 2 1 0 1 ..
fn forth_and_back(n: u64, count: usize) -> usize {
    if count < 2 {
        return 0;
    }
    let turn = count as u64 - 1;
    let at = n % (2 * turn);
    (if at <= turn { at } else { 2 * turn - at }) as usize
}

#[cfg(test)]
mod tests {
    use super::forth_and_back;

    #[test]
    fn references_are_shown_forth_and_back() {
        let shown: Vec<usize> = (0..9).map(|n| forth_and_back(n, 4)).collect();
        assert_eq!(shown, [0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert_eq!(forth_and_back(1_000_003, 1), 0);
    }
}
