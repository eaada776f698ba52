//! One session's working memory.

use crate::avatar::MuseTalkAvatar;
use crate::face::Blender;
use crate::networks::SIDE;
use mouthpiece_engine::EngineError;
use mouthpiece_frame::{I420, Rect};

/// One session's working memory and its current picture.
pub struct MuseTalkSeat {
    canvas: I420,
    /// The reference frame on the canvas, and where a face was drawn over it.
    shown: usize,
    drawn: Rect,
    blender: Blender,
}

impl MuseTalkSeat {
    /// Shows the first reference frame.
    pub fn new(avatar: &MuseTalkAvatar) -> Self {
        let canvas = avatar.first().picture.clone();
        Self { canvas, shown: 0, drawn: Rect::default(), blender: Blender::default() }
    }

    /// Shows a reference frame as it is. Only what differs is copied.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`].
    pub fn show(&mut self, avatar: &MuseTalkAvatar, reference: usize) -> Result<(), EngineError> {
        let frame = avatar.frame(reference)?;
        let differs = if self.shown == reference { self.drawn } else { frame.picture.bounds() };
        self.canvas.copy_area(&frame.picture, differs);
        (self.shown, self.drawn) = (reference, Rect::default());
        Ok(())
    }

    /// Shows a reference frame with `face` (RGB, 256x256) drawn over it.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`].
    pub fn show_face(&mut self, avatar: &MuseTalkAvatar, reference: usize, face: &[u8]) -> Result<(), EngineError> {
        self.show(avatar, reference)?;
        let patch = &avatar.frame(reference)?.patch;
        self.blender.blend(&mut self.canvas, patch, face, SIDE);
        self.drawn = patch.area;
        Ok(())
    }

    /// What is shown.
    pub fn picture(&self) -> &I420 {
        &self.canvas
    }
}
