//! What can be wrong with a video file.

use std::path::PathBuf;

use mouthpiece_domain::file_kind::NotTaken;
use thiserror::Error;

use super::Light;

/// Why a video cannot be used.
#[derive(Debug, Error)]
pub enum VideoError {
    /// The file system refused.
    #[error("'{}' cannot be read: {reason}", path.display())]
    CannotRead {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A file of a kind that is not taken.
    #[error("'{}' {not_taken}", path.display())]
    NotTaken {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        not_taken: NotTaken,
    },
    /// It begins like a video and cannot be read as one.
    #[error("'{}' cannot be read as a video: {reason}; convert it to MP4", path.display())]
    NotVideo {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Sound only, with or without a cover picture.
    #[error("'{}' has no video stream: give a video or a picture of a person", path.display())]
    NoVideoStream {
        /// The file.
        path: PathBuf,
    },
    /// A codec that this FFmpeg does not decode.
    #[error("'{}' is encoded as {codec}, which this FFmpeg cannot decode: convert it to H.264", path.display())]
    NoDecoder {
        /// The file.
        path: PathBuf,
        /// The codec's short name.
        codec: String,
    },
    /// Frames that are too large, or of no size.
    #[error(
        "'{}' has frames of {width}x{height} pixels: each side must be from 2 to {}; scale it down",
        path.display(),
        super::MAX_SIDE
    )]
    BadSize {
        /// The file.
        path: PathBuf,
        /// Width in pixels, as shown.
        width: i64,
        /// Height in pixels, as shown.
        height: i64,
    },
    /// HDR that this FFmpeg cannot bring to the light of ordinary video.
    #[error(
        "'{}' is {}, and this FFmpeg has no {filter} filter to bring it to ordinary light: convert it to SDR (BT.709)",
        path.display(),
        light.name()
    )]
    Hdr {
        /// The file.
        path: PathBuf,
        /// What it is.
        light: Light,
        /// The filter's name.
        filter: &'static str,
    },
    /// A stream without a frame.
    #[error("'{}' holds no frame", path.display())]
    NoFrames {
        /// The file.
        path: PathBuf,
    },
    /// Nothing, or nothing more, could be decoded.
    #[error("'{}' is damaged: decoding failed after {frames} frames; convert or record it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Frames that could be decoded before.
        frames: u64,
    },
    /// FFmpeg failed in a way that is not the file's fault.
    #[error("'{}' cannot be converted: {reason}", path.display())]
    Convert {
        /// The file.
        path: PathBuf,
        /// What FFmpeg said.
        reason: String,
    },
}
