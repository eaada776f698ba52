//! A prepared face.

use crate::face::{CropOptions, Patch, cut_out, face_box, jaw_mask};
use crate::networks::{FaceEncoder, SIDE};
use mouthpiece_engine::EngineError;
use mouthpiece_frame::{I420, Reference, ReferenceFrame};

/// A prepared face: reference frames with their latents and masks. Made once, then only read.
#[derive(Debug)]
pub struct MuseTalkAvatar {
    frames: Vec<PreparedFrame>,
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
    /// Prepares each frame of a reference.
    ///
    /// # Errors
    /// [`EngineError`] when there is no frame, a face cannot be used, or the network fails.
    pub fn prepare(reference: Reference, crop: &CropOptions, encoder: &mut FaceEncoder) -> Result<Self, EngineError> {
        if reference.frames.is_empty() {
            return Err(EngineError::EmptyReference);
        }
        let mut frames = Vec::with_capacity(reference.frames.len());
        for (i, frame) in reference.frames.into_iter().enumerate() {
            frames.push(prepared(i, frame, crop, encoder)?);
        }
        Ok(Self { frames })
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
    encoder: &mut FaceEncoder,
) -> Result<PreparedFrame, EngineError> {
    let impossible = |reason| EngineError::ImpossibleFace { frame: index, reason };
    let ReferenceFrame { picture, face } = frame;
    if face.points.iter().flatten().any(|value| !value.is_finite()) {
        return Err(impossible("a point of it is nowhere"));
    }
    let size = [picture.width(), picture.height()];
    let area = face_box(&face, size, crop)
        .ok_or_else(|| impossible("it is too small, upside down or outside of the picture"))?;
    let cut = cut_out(&picture, area, SIDE).map_err(|_| impossible("its box is empty"))?;
    let latents = encoder.encode(&cut).map_err(|e| EngineError::Run(e.into()))?;
    let patch = Patch::new(area, jaw_mask(&face, area, crop));
    Ok(PreparedFrame { picture, latents, patch })
}
