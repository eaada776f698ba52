//! Why a file cannot be written.

use thiserror::Error;

use crate::FileName;

/// Why an MP4 cannot be written.
#[derive(Debug, Error)]
pub enum MuxError {
    /// The output cannot be created.
    #[error("{file} cannot be written: {reason}")]
    CannotCreate {
        /// The file that was to be written.
        file: FileName,
        /// What the system said.
        reason: String,
    },
    /// Writing failed on the way: the disk is full, for instance.
    #[error("writing {file} failed: {reason}")]
    Write {
        /// The file that was to be written.
        file: FileName,
        /// What the system said.
        reason: String,
    },
    /// A parameter that MP4 or AAC cannot hold.
    #[error("an MP4 cannot be made with {what} of {got}: it must be {range}")]
    BadParameter {
        /// The parameter.
        what: &'static str,
        /// The refused value.
        got: String,
        /// What is accepted.
        range: &'static str,
    },
    /// The AAC encoder cannot be opened or failed.
    #[error("the audio of {file} cannot be encoded as AAC: {reason}")]
    Audio {
        /// The file that was to be written.
        file: FileName,
        /// What FFmpeg said.
        reason: String,
    },
    /// The video cannot begin, or go on, with this packet.
    #[error("the video of {file} cannot go on at frame {pts}: {reason}")]
    Video {
        /// The file that was to be written.
        file: FileName,
        /// The frame.
        pts: i64,
        /// What is wrong.
        reason: &'static str,
    },
    /// Much sound came before the first video packet.
    #[error("{seconds:.0} s of audio came before the first frame of {file}: write both side by side")]
    AudioTooFarAhead {
        /// The file that was to be written.
        file: FileName,
        /// Seconds of sound that wait.
        seconds: f64,
    },
    /// No frame at all was written.
    #[error("{file} would hold no video: no frame was written")]
    NoVideo {
        /// The file that was to be written.
        file: FileName,
    },
}

impl MuxError {
    /// The same error about the file `name`: for one that is written under another name than its last, or that the reader
    /// knows by its role.
    #[must_use]
    pub fn named(mut self, name: FileName) -> Self {
        match &mut self {
            Self::CannotCreate { file, .. }
            | Self::Write { file, .. }
            | Self::Audio { file, .. }
            | Self::Video { file, .. }
            | Self::AudioTooFarAhead { file, .. }
            | Self::NoVideo { file } => *file = name,
            Self::BadParameter { .. } => {}
        }
        self
    }
}
