//! What can be wrong with an audio file.

use mouthpiece_domain::file_kind::NotTaken;
use thiserror::Error;

use crate::FileName;

/// Why a file cannot be used as speech.
#[derive(Debug, Error)]
pub enum AudioError {
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
    /// It begins like a recording and cannot be read as one.
    #[error("{file} cannot be read as a recording: {reason}; convert it to WAV or FLAC")]
    NotAudio {
        /// The file that was read.
        file: FileName,
        /// What was found.
        reason: String,
    },
    /// A picture, or a video without sound.
    #[error("{file} has no audio stream: give a recording of speech")]
    NoAudioStream {
        /// The file that was read.
        file: FileName,
    },
    /// A codec that this FFmpeg does not decode.
    #[error("{file} is encoded as {codec}, which this FFmpeg cannot decode: convert it to WAV or FLAC")]
    NoDecoder {
        /// The file that was read.
        file: FileName,
        /// The codec's short name.
        codec: String,
    },
    /// Headers without a single sample.
    #[error("{file} holds no sound: its length is zero")]
    NoSound {
        /// The file that was read.
        file: FileName,
    },
    /// Nothing, or nothing more, could be decoded.
    #[error("{file} is damaged: decoding failed at {seconds:.2} s; convert or record it again")]
    Damaged {
        /// The file that was read.
        file: FileName,
        /// Seconds that could be decoded before.
        seconds: f64,
    },
    /// A property of the stream is out of range.
    #[error("{file} has {what} of {got}: it must be {range}")]
    OutOfRange {
        /// The file that was read.
        file: FileName,
        /// The property.
        what: &'static str,
        /// The value that the file says.
        got: i64,
        /// What is accepted.
        range: &'static str,
    },
    /// A floating-point sample that is no number.
    #[error("{file} holds a sample that is {what} at {seconds:.3} s: export the recording again, or as 16-bit WAV")]
    NotFinite {
        /// The file that was read.
        file: FileName,
        /// "not a number" or "infinite".
        what: &'static str,
        /// Where, in seconds from the start.
        seconds: f64,
    },
    /// More sound than is allowed.
    #[error("{file} is longer than {max_seconds} s, the most that is allowed: split it")]
    TooLong {
        /// The file that was read.
        file: FileName,
        /// The limit in seconds.
        max_seconds: f64,
    },
    /// FFmpeg failed in a way that is not the file's fault.
    #[error("{file} cannot be converted: {reason}")]
    Convert {
        /// The file that was read.
        file: FileName,
        /// What FFmpeg said.
        reason: String,
    },
    /// Rates of a stream that are not converted.
    #[error("sound of {from} samples a second cannot be converted to {to}: give 8000 to 48000")]
    Rates {
        /// The rate that it has.
        from: u32,
        /// The rate that was wanted.
        to: u32,
    },
    /// The caller asked to stop.
    #[error("reading {file} was cancelled")]
    Cancelled {
        /// The file that was read.
        file: FileName,
    },
}

impl AudioError {
    /// The same error about the file `name`: for readers who know the file by its role.
    #[must_use]
    pub fn named(mut self, name: FileName) -> Self {
        match &mut self {
            Self::CannotRead { file, .. }
            | Self::NotTaken { file, .. }
            | Self::NotAudio { file, .. }
            | Self::NoAudioStream { file }
            | Self::NoDecoder { file, .. }
            | Self::NoSound { file }
            | Self::Damaged { file, .. }
            | Self::OutOfRange { file, .. }
            | Self::NotFinite { file, .. }
            | Self::TooLong { file, .. }
            | Self::Convert { file, .. }
            | Self::Cancelled { file } => *file = name,
            Self::Rates { .. } => {}
        }
        self
    }
}

/// Something that is wrong with a file that could be used all the same; complete once the end was reached.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum SpeechWarning {
    /// The file states more sound than it holds.
    #[error("the audio ends after {got:.2} s of the {stated:.2} s that the file states: it was cut short")]
    CutShort {
        /// Seconds decoded.
        got: f64,
        /// Seconds stated.
        stated: f64,
    },
    /// Reading stopped with an error before the file's end.
    #[error("the audio could not be read past {got:.2} s: the rest of the file is damaged")]
    BrokeOff {
        /// Seconds decoded.
        got: f64,
    },
    /// Several recordings in one file, more than are read.
    #[error("only the first {most} of the recordings that are joined in this file are used")]
    LeftOut {
        /// How many are read.
        most: usize,
    },
    /// Damaged packets were left out.
    #[error("{packets} damaged packets of the audio were left out")]
    Damaged {
        /// Packets that could not be decoded.
        packets: u64,
    },
}
