//! The canvas: one session's frame, of which only the face is drawn anew.

use crate::image::{I420, Rect};

/// A session's current frame. It remembers what was painted on it, so that the next tick restores only that.
#[derive(Debug)]
pub struct Canvas {
    frame: I420,
    shown: Option<usize>,
    painted: Rect,
}

impl Canvas {
    /// A canvas for pictures of the size of `like`.
    pub fn new(like: &I420) -> Self {
        Self { frame: like.clone(), shown: None, painted: Rect::default() }
    }

    /// Makes the canvas show `background`, which is reference frame `index`, and nothing else; returns it for painting.
    ///
    /// The same background as last time costs a copy of what was painted since. Whoever paints must say where, with
    /// [`Canvas::painted`]. Allocates nothing.
    pub fn begin(&mut self, index: usize, background: &I420) -> &mut I420 {
        if self.shown == Some(index) {
            self.frame.copy_area(background, self.painted);
        } else {
            self.frame.copy_area(background, background.bounds());
            self.shown = Some(index);
        }
        self.painted = Rect::default();
        &mut self.frame
    }

    /// Says that pixels of `area` were painted.
    pub fn painted(&mut self, area: Rect) {
        self.painted = self.painted.union(area);
    }

    /// The frame as it stands.
    pub fn frame(&self) -> &I420 {
        &self.frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame_from_rgb;

    #[test]
    fn what_was_painted_is_restored_and_nothing_else_is_touched() {
        let background = frame_from_rgb(&image::RgbImage::from_pixel(16, 16, image::Rgb([90, 120, 30]))).unwrap();
        let mut canvas = Canvas::new(&background);
        let frame = canvas.begin(0, &background);
        frame.y[5 * 16 + 6] = 0;
        frame.y[200] = 7; // not announced: stays, which shows that only announced areas are restored
        canvas.painted(Rect { x0: 6, y0: 4, x1: 8, y1: 6 });
        let frame = canvas.begin(0, &background);
        assert_eq!(frame.y[5 * 16 + 6], background.y[5 * 16 + 6]);
        assert_eq!(frame.y[200], 7);
        assert_eq!(*canvas.begin(1, &background), background);
    }
}
