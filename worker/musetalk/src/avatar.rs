//! A prepared face.

use crate::face::{CropOptions, Patch, face_box, jaw_mask};
use crate::latents;
use crate::restoration::RestorationDesk;
use mouthpiece_engine::EngineError;
use mouthpiece_frame::{I420, Rect, Reference, ReferenceFrame};

/// Gives the latents of the face in a box of a frame; is asked frame by frame.
pub type LatentsOf<'a> = dyn FnMut(&I420, Rect) -> Result<Vec<f32>, EngineError> + 'a;

/// A prepared face: reference frames with their latents and masks. Made once, then only read.
#[derive(Debug)]
pub struct MuseTalkAvatar {
    frames: Vec<PreparedFrame>,
    /// Where its mouths are restored, if they are.
    restoration: Option<RestorationDesk>,
}

/// One reference frame.
#[derive(Debug)]
pub struct PreparedFrame {
    /// The whole picture.
    pub picture: I420,
    /// What the network makes of the face in it.
    pub latents: Vec<f32>,
    /// Where a drawn face goes.
    pub patch: Patch,
}

impl MuseTalkAvatar {
    /// Prepares each frame of a reference, with latents of its face.
    ///
    /// # Errors
    /// [`EngineError`] when there is no frame, a face cannot be used, or the network fails.
    pub fn prepare(reference: Reference, crop: &CropOptions, latents: &mut LatentsOf<'_>) -> Result<Self, EngineError> {
        if reference.frames.is_empty() {
            return Err(EngineError::EmptyReference);
        }
        let mut frames = Vec::with_capacity(reference.frames.len());
        for (i, frame) in reference.frames.into_iter().enumerate() {
            frames.push(prepared(i, frame, crop, latents)?);
        }
        Ok(Self { frames, restoration: None })
    }

    /// With its mouths restored there.
    #[must_use]
    pub(crate) fn with_restoration(self, restoration: Option<RestorationDesk>) -> Self {
        Self { restoration, ..self }
    }

    /// Where its mouths are restored, if they are.
    pub(crate) fn restoration(&self) -> Option<&RestorationDesk> {
        self.restoration.as_ref()
    }

    /// The latents of its frames as bytes, which [`MuseTalkAvatar::prepare`] need not be given the network for again.
    pub fn latents(&self) -> Vec<u8> {
        latents::to_bytes(self.frames.iter().map(|frame| frame.latents.as_slice()))
    }

    /// A reference frame.
    ///
    /// # Errors
    /// [`EngineError::NoSuchFrame`].
    pub fn frame(&self, asked: usize) -> Result<&PreparedFrame, EngineError> {
        self.frames.get(asked).ok_or(EngineError::NoSuchFrame { asked, held: self.frames.len() })
    }

    /// The first one: there always is one.
    pub(crate) fn first(&self) -> &PreparedFrame {
        &self.frames[0]
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        let frame =
            |f: &PreparedFrame| f.picture.y.len() * 3 / 2 + f.latents.len() * size_of::<f32>() + f.patch.bytes();
        self.frames.iter().map(frame).sum()
    }
}

fn prepared(
    index: usize,
    frame: ReferenceFrame,
    crop: &CropOptions,
    latents: &mut LatentsOf<'_>,
) -> Result<PreparedFrame, EngineError> {
    let impossible = |reason| EngineError::ImpossibleFace { frame: index, reason };
    let ReferenceFrame { picture, face, .. } = frame;
    if face.points.iter().flatten().any(|value| !value.is_finite()) {
        return Err(impossible("a point of it is nowhere"));
    }
    let size = [picture.width(), picture.height()];
    let area = face_box(&face, size, crop)
        .ok_or_else(|| impossible("it is too small, upside down or outside of the picture"))?;
    let latents = latents(&picture, area)?;
    let patch = Patch::new(area, jaw_mask(&face, area, crop));
    Ok(PreparedFrame { picture, latents, patch })
}
