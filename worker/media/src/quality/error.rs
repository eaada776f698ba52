//! Why a video cannot be measured.

use mouthpiece_graph::GraphError;
use thiserror::Error;

use super::labels::LabelError;
use crate::{
    audio::AudioError,
    face::{FaceError, RuntimeError},
    image::{FitError, PortraitError},
    video::VideoError,
};

/// No report can be made.
#[derive(Debug, Error)]
pub enum QualityError {
    /// The video cannot be read.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// There is sound, but it cannot be read.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The labels cannot be read.
    #[error(transparent)]
    Labels(#[from] LabelError),
    /// The portrait cannot be read.
    #[error(transparent)]
    Portrait(#[from] PortraitError),
    /// The portrait cannot be brought to the video's size.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The portrait shows nobody.
    #[error("no face was found in the portrait: give the picture that the video was made from")]
    NoFaceInPortrait,
    /// Most of the video shows nobody.
    #[error("no face was found in {without} of {frames} frames: give a video that shows one from the front")]
    NoFace {
        /// Frames without a face.
        without: u64,
        /// All frames.
        frames: u64,
    },
    /// ONNX Runtime is absent or unfit.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A face network failed.
    #[error(transparent)]
    Face(#[from] FaceError),
    /// A network that judges is missing, another one, or failed.
    #[error("without its network nothing is measured: {0}")]
    Judge(#[from] GraphError),
}

impl QualityError {
    /// True when a given file is at fault, false when the program or the machine is.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Video(error) => !matches!(error, VideoError::Convert { .. }),
            Self::Audio(error) => !matches!(error, AudioError::Convert { .. } | AudioError::Cancelled { .. }),
            Self::Labels(_) | Self::Portrait(_) | Self::NoFaceInPortrait | Self::NoFace { .. } => true,
            Self::Fit(error) => matches!(error, FitError::Empty),
            Self::Runtime(_) | Self::Face(_) | Self::Judge(_) => false,
        }
    }
}
