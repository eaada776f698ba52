//! The frame path: what a session does for each frame, whatever listens before it and encodes behind it.

use crate::RenderError;
use mouthpiece_engine::life::{Life, Liveliness};
use mouthpiece_engine::{Artist, HeardCue};
use mouthpiece_media::image::I420;
use std::time::Instant;

/// Draws one session's frames in order.
pub struct FramePath<A: Artist> {
    artist: A,
    life: Life,
    fps: u32,
    references: usize,
    next: u64,
}

impl<A: Artist> FramePath<A> {
    /// Frames by `artist`, whose avatar has `references` reference frames, `fps` a second.
    pub fn new(artist: A, references: usize, fps: u32, seed: u64, liveliness: Liveliness) -> Self {
        // A video moves and blinks by itself.
        let liveliness =
            if references == 1 { liveliness } else { Liveliness { motion: 0.0, blinks: false, ..liveliness } };
        Self { artist, life: Life::new(seed, liveliness), fps, references, next: 0 }
    }

    /// The number of the frame that is drawn next, from 0.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The middle of the next frame in media time, seconds.
    pub fn next_middle(&self) -> f64 {
        (self.next as f64 + 0.5) / f64::from(self.fps)
    }

    /// Goes on with frame `number`; frames before it are not drawn. Never back.
    pub fn skip_to(&mut self, number: u64) {
        self.next = self.next.max(number);
    }

    /// Draws the next frame with the mouth at rest, without the engine: what is drawn in silence.
    ///
    /// # Errors
    /// [`RenderError::Engine`].
    pub fn rest(&mut self) -> Result<&I420, RenderError> {
        let expression = self.life.at(self.next_middle(), 0.0);
        let reference = forth_and_back(self.next, self.references);
        let picture = self.artist.rest(reference, expression)?;
        self.next += 1;
        Ok(picture)
    }

    /// The frame that is drawn next is wanted by then: what would only make it better is left out where it takes longer.
    pub fn wanted_by(&mut self, due: Instant) {
        self.artist.wanted_by(due);
    }

    /// Draws the next frame and returns it. Allocates nothing in the steady state.
    ///
    /// # Errors
    /// [`RenderError::Engine`].
    pub fn draw(&mut self, heard: HeardCue<A::Cue>) -> Result<&I420, RenderError> {
        let expression = self.life.at(self.next_middle(), heard.voice);
        let reference = forth_and_back(self.next, self.references);
        let picture = self.artist.draw(reference, heard.cue, expression)?;
        self.next += 1;
        Ok(picture)
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
    use super::{FramePath, forth_and_back};
    use mouthpiece_engine::life::Liveliness;
    use mouthpiece_engine::{Artist, Cue, EngineError, Expression, HeardCue};
    use mouthpiece_media::image::I420;

    #[derive(Clone, Copy)]
    struct Silent;

    impl Cue for Silent {
        fn is_rest(&self) -> bool {
            true
        }
    }

    /// Remembers how far eyes were ever closed.
    struct Watcher(I420, f32);

    impl Artist for &mut Watcher {
        type Cue = Silent;

        fn draw(&mut self, _: usize, _: Silent, expression: Expression) -> Result<&I420, EngineError> {
            self.rest(0, expression)
        }

        fn rest(&mut self, _: usize, expression: Expression) -> Result<&I420, EngineError> {
            self.1 = self.1.max(expression.blink);
            Ok(&self.0)
        }
    }

    #[test]
    fn a_video_keeps_its_own_blinks_and_gets_no_others() {
        let closed = |references| {
            let mut watcher = Watcher(I420::new(2, 2).unwrap(), 0.0);
            let mut path = FramePath::new(&mut watcher, references, 25, 1, Liveliness::default());
            for _ in 0..500 {
                path.draw(HeardCue { cue: Silent, voice: 0.5 }).unwrap();
                path.rest().unwrap();
            }
            watcher.1
        };
        assert_eq!(closed(1), 1.0);
        assert_eq!(closed(40), 0.0);
    }

    #[test]
    fn references_are_shown_forth_and_back() {
        let shown: Vec<usize> = (0..9).map(|n| forth_and_back(n, 4)).collect();
        assert_eq!(shown, [0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert_eq!(forth_and_back(1_000_003, 1), 0);
    }
}
