//! Why a render fails.

use crate::SigningError;
use mouthpiece_domain::file_kind::NotTaken;
use mouthpiece_engine::EngineError;
use mouthpiece_media::audio::{AudioError, OpusError};
use mouthpiece_media::encode::EncodeError;
use mouthpiece_media::face::{FaceError, RuntimeError};
use mouthpiece_media::image::PortraitError;
use mouthpiece_media::mux::MuxError;
use mouthpiece_media::reference::ReferenceError;
use mouthpiece_media::video::VideoError;
use mouthpiece_media::{FileName, FileRole};
use mouthpiece_worker_settings::UnknownEngine;
use thiserror::Error;

/// Why a render fails.
#[derive(Debug, Error)]
pub enum RenderError {
    /// The portrait file cannot be used.
    #[error(transparent)]
    Portrait(#[from] PortraitError),
    /// The portrait is neither a picture nor a video that is taken.
    #[error("{file} {not_taken}")]
    NotAPortrait {
        /// The file that was read.
        file: FileName,
        /// What it is, and what to do.
        not_taken: NotTaken,
    },
    /// The reference video cannot be used.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// No usable face.
    #[error("{file}: {source}")]
    Reference {
        /// The portrait.
        file: FileName,
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
    /// Films cannot be signed, or this one cannot.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The engine was left out of this program.
    #[error("this build has no engine '{0}': build with the feature `neural`, as `make release` does")]
    NotInThisBuild(&'static str),
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
    #[error("{file} cannot be written: {reason}")]
    Output {
        /// The file that was to be written.
        file: FileName,
        /// What went wrong while it was written.
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
    /// The same error in words for somebody who sent files to a farm and knows them by their roles: no path of the machine
    /// that made use of them is named.
    #[must_use]
    pub fn by_role(self) -> Self {
        use FileRole::{Portrait, Result as Film, Speech};
        match self {
            Self::Portrait(e) => Self::Portrait(e.named(Portrait.into())),
            Self::NotAPortrait { not_taken, .. } => Self::NotAPortrait { file: Portrait.into(), not_taken },
            Self::Video(e) => Self::Video(e.named(Portrait.into())),
            Self::Reference { source, .. } => Self::Reference { file: Portrait.into(), source },
            Self::Audio(e) => Self::Audio(e.named(Speech.into())),
            Self::Mux(e) => Self::Mux(e.named(Film.into())),
            Self::Output { reason, .. } => Self::Output { file: Film.into(), reason },
            // These name none of the session's files.
            other @ (Self::Runtime(_)
            | Self::Face(_)
            | Self::Engine(_)
            | Self::UnknownEngine(_)
            | Self::NotInThisBuild(_)
            | Self::Signing(_)
            | Self::Encode(_)
            | Self::Voice(_)
            | Self::Option { .. }
            | Self::Background { .. }
            | Self::Cancelled) => other,
        }
    }

    /// True when the user can mend it by giving something else: files, options, the output's place.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Portrait(_)
            | Self::NotAPortrait { .. }
            | Self::Video(_)
            | Self::Reference { .. }
            | Self::UnknownEngine(_)
            | Self::NotInThisBuild(_)
            | Self::Signing(_)
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
