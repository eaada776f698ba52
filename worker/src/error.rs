//! Why a render fails.

use crate::engines::UnknownEngine;
use mouthpiece_domain::file_kind::NotTaken;
use mouthpiece_engine::EngineError;
use mouthpiece_media::audio::{AudioError, OpusError};
use mouthpiece_media::encode::EncodeError;
use mouthpiece_media::face::{FaceError, RuntimeError};
use mouthpiece_media::image::PortraitError;
use mouthpiece_media::mux::MuxError;
use mouthpiece_media::reference::ReferenceError;
use mouthpiece_media::video::VideoError;
use std::path::PathBuf;
use thiserror::Error;

/// Why a render fails.
#[derive(Debug, Error)]
pub enum RenderError {
    /// The portrait file cannot be used.
    #[error(transparent)]
    Portrait(#[from] PortraitError),
    /// The portrait is neither a picture nor a video that is taken.
    #[error("'{}' {not_taken}", path.display())]
    NotAPortrait {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        not_taken: NotTaken,
    },
    /// The reference video cannot be used.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// No usable face.
    #[error("'{}': {source}", path.display())]
    Reference {
        /// The portrait.
        path: PathBuf,
        /// What is wrong.
        source: ReferenceError,
    },
    /// The speech cannot be used.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The ONNX Runtime library is missing.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The face models do not run.
    #[error(transparent)]
    Face(#[from] FaceError),
    /// There is no such engine.
    #[error(transparent)]
    UnknownEngine(#[from] UnknownEngine),
    /// The engine cannot be loaded, or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No encoder, or it failed.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The container cannot be written.
    #[error(transparent)]
    Mux(#[from] MuxError),
    /// A live session's voice cannot be coded.
    #[error(transparent)]
    Voice(#[from] OpusError),
    /// The output cannot be written where it was asked for.
    #[error("'{}' cannot be written: {reason}", path.display())]
    Output {
        /// The output.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// An option is out of its range.
    #[error("{name} is {got}: it must be {range}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// What was given.
        got: String,
        /// What is accepted.
        range: &'static str,
    },
    /// The background is neither a colour nor a picture.
    #[error("background is '{got}', which is neither a colour nor a file: {reason}, or name a picture")]
    Background {
        /// What was given.
        got: String,
        /// How colours are written.
        reason: String,
    },
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl RenderError {
    /// True when the user can mend it by giving something else: files, options, the output's place.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Portrait(_)
            | Self::NotAPortrait { .. }
            | Self::Video(_)
            | Self::Reference { .. }
            | Self::UnknownEngine(_)
            | Self::Output { .. }
            | Self::Option { .. }
            | Self::Background { .. } => true,
            Self::Audio(e) => !matches!(e, AudioError::Convert { .. }),
            Self::Encode(e) => matches!(e, EncodeError::BadSetting { .. } | EncodeError::Missing { .. }),
            Self::Mux(e) => matches!(e, MuxError::CannotCreate { .. }),
            Self::Voice(_) | Self::Runtime(_) | Self::Face(_) | Self::Engine(_) | Self::Cancelled => false,
        }
    }
}
