//! Why a file cannot be written.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why an MP4 cannot be written.
#[derive(Debug, Error)]
pub enum MuxError {
    /// The output cannot be created.
    #[error("'{}' cannot be written: {reason}", path.display())]
    CannotCreate {
        /// The output.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Writing failed on the way: the disk is full, for instance.
    #[error("writing '{}' failed: {reason}", path.display())]
    Write {
        /// The output.
        path: PathBuf,
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
    #[error("the audio of '{}' cannot be encoded as AAC: {reason}", path.display())]
    Audio {
        /// The output.
        path: PathBuf,
        /// What FFmpeg said.
        reason: String,
    },
    /// The video cannot begin, or go on, with this packet.
    #[error("the video of '{}' cannot go on at frame {pts}: {reason}", path.display())]
    Video {
        /// The output.
        path: PathBuf,
        /// The frame.
        pts: i64,
        /// What is wrong.
        reason: &'static str,
    },
    /// Much sound came before the first video packet.
    #[error("{seconds:.0} s of audio came before the first frame of '{}': write both side by side", path.display())]
    AudioTooFarAhead {
        /// The output.
        path: PathBuf,
        /// Seconds of sound that wait.
        seconds: f64,
    },
    /// No frame at all was written.
    #[error("'{}' would hold no video: no frame was written", path.display())]
    NoVideo {
        /// The output.
        path: PathBuf,
    },
}

impl MuxError {
    /// The same error about the file `name`: for a file that is written under another name than its last.
    #[must_use]
    pub fn named(mut self, name: &Path) -> Self {
        match &mut self {
            Self::CannotCreate { path, .. }
            | Self::Write { path, .. }
            | Self::Audio { path, .. }
            | Self::Video { path, .. }
            | Self::AudioTooFarAhead { path, .. }
            | Self::NoVideo { path } => name.clone_into(path),
            Self::BadParameter { .. } => {}
        }
        self
    }
}
