//! What can be wrong with a video file.

use mouthpiece_domain::file_kind::NotTaken;
use thiserror::Error;

use super::Light;
use crate::FileName;

/// Why a video cannot be used.
#[derive(Debug, Error)]
pub enum VideoError {
    /// The file system refused.
    #[error("{file} cannot be read: {reason}")]
    CannotRead {
        /// The file that was read.
        file: FileName,
        /// What the system said.
        reason: String,
    },
    /// A file of a kind that is not taken.
    #[error("{file} {not_taken}")]
    NotTaken {
        /// The file that was read.
        file: FileName,
        /// What it is, and what to do.
        not_taken: NotTaken,
    },
    /// It begins like a video and cannot be read as one.
    #[error("{file} cannot be read as a video: {reason}; convert it to MP4")]
    NotVideo {
        /// The file that was read.
        file: FileName,
        /// What was found.
        reason: String,
    },
    /// Sound only, with or without a cover picture.
    #[error("{file} has no video stream: give a video or a picture of a person")]
    NoVideoStream {
        /// The file that was read.
        file: FileName,
    },
    /// A codec that this FFmpeg does not decode.
    #[error("{file} is encoded as {codec}, which this FFmpeg cannot decode: convert it to H.264")]
    NoDecoder {
        /// The file that was read.
        file: FileName,
        /// The codec's short name.
        codec: String,
    },
    /// Frames that are too large, or of no size.
    #[error(
        "{file} has frames of {width}x{height} pixels: each side must be from 2 to {}; scale it down",
        super::MAX_SIDE
    )]
    BadSize {
        /// The file that was read.
        file: FileName,
        /// Width in pixels, as shown.
        width: i64,
        /// Height in pixels, as shown.
        height: i64,
    },
    /// HDR that this FFmpeg cannot bring to the light of ordinary video.
    #[error(
        "{file} is {}, and this FFmpeg has no {filter} filter to bring it to ordinary light: convert it to SDR (BT.709)",
        light.name()
    )]
    Hdr {
        /// The file that was read.
        file: FileName,
        /// What it is.
        light: Light,
        /// The filter's name.
        filter: &'static str,
    },
    /// A stream without a frame.
    #[error("{file} holds no frame")]
    NoFrames {
        /// The file that was read.
        file: FileName,
    },
    /// Nothing, or nothing more, could be decoded.
    #[error("{file} is damaged: decoding failed after {frames} frames; convert or record it again")]
    Damaged {
        /// The file that was read.
        file: FileName,
        /// Frames that could be decoded before.
        frames: u64,
    },
    /// FFmpeg failed in a way that is not the file's fault.
    #[error("{file} cannot be converted: {reason}")]
    Convert {
        /// The file that was read.
        file: FileName,
        /// What FFmpeg said.
        reason: String,
    },
}

impl VideoError {
    /// The same error about the file `name`: for readers who know the file by its role.
    #[must_use]
    pub fn named(mut self, name: FileName) -> Self {
        match &mut self {
            Self::CannotRead { file, .. }
            | Self::NotTaken { file, .. }
            | Self::NotVideo { file, .. }
            | Self::NoVideoStream { file }
            | Self::NoDecoder { file, .. }
            | Self::BadSize { file, .. }
            | Self::Hdr { file, .. }
            | Self::NoFrames { file }
            | Self::Damaged { file, .. }
            | Self::Convert { file, .. } => *file = name,
        }
        self
    }
}
