//! One session's working memory.

use crate::avatar::MuseTalkAvatar;
use crate::face::{Blender, FINE_SIDE, MouthLayer, cut_mouth};
use crate::networks::{PICTURE, SIDE};
use crate::restoration::MouthSlip;
use mouthpiece_engine::EngineError;
use mouthpiece_frame::{I420, Rect};
use std::time::Instant;

/// One session's working memory and its current picture.
pub struct MuseTalkSeat {
    canvas: I420,
    /// The reference frame on the canvas, and where a face was drawn over it.
    shown: usize,
    drawn: Rect,
    blender: Blender,
    /// Of an avatar whose mouths are restored.
    restored: Option<Box<RestoredSeat>>,
}

/// What restoring a session's mouths takes.
#[derive(Default)]
struct RestoredSeat {
    /// The face that was drawn last, and the reference frame that it is over, until its mouth is restored.
    face: Vec<u8>,
    over: Option<usize>,
    slip: MouthSlip,
    layer: MouthLayer,
}

impl MuseTalkSeat {
    /// Shows the first reference frame.
    pub fn new(avatar: &MuseTalkAvatar) -> Self {
        let canvas = avatar.first().picture.clone();
        let restored = avatar.restoration().map(|_| Box::new(RestoredSeat::default()));
        Self { canvas, shown: 0, drawn: Rect::default(), blender: Blender::default(), restored }
    }

    /// Shows a reference frame as it is. Only what differs is copied.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`].
    pub fn show(&mut self, avatar: &MuseTalkAvatar, reference: usize) -> Result<(), EngineError> {
        let frame = avatar.frame(reference)?;
        if let Some(restored) = &mut self.restored {
            restored.over = None;
        }
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
        if let Some(restored) = &mut self.restored {
            restored.face.clear();
            restored.face.extend_from_slice(face);
            restored.over = Some(reference);
        }
        Ok(())
    }

    /// Shows the face that was drawn last with its mouth restored, if that is there by `due`.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`].
    pub fn restore(&mut self, avatar: &MuseTalkAvatar, due: Option<Instant>) -> Result<(), EngineError> {
        let Some((desk, seat)) = avatar.restoration().zip(self.restored.as_deref_mut()) else { return Ok(()) };
        let RestoredSeat { face, over, slip, layer } = seat;
        let Some(reference) = over.take().filter(|_| face.len() == PICTURE) else { return Ok(()) };
        let frame = avatar.frame(reference)?;
        if let Some(mouth) = slip.restore(desk, due, |mouth| cut_mouth(face, mouth)) {
            let fine = layer.lay(face, mouth);
            self.canvas.copy_area(&frame.picture, frame.patch.area);
            self.blender.blend_again(&mut self.canvas, &frame.patch, fine, FINE_SIDE);
        }
        Ok(())
    }

    /// What is shown.
    pub fn picture(&self) -> &I420 {
        &self.canvas
    }
}
