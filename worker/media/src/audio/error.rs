//! What can be wrong with an audio file.

use std::path::PathBuf;

use mouthpiece_domain::file_kind::NotTaken;
use thiserror::Error;

/// Why a file cannot be used as speech.
#[derive(Debug, Error)]
pub enum AudioError {
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
    /// It begins like a recording and cannot be read as one.
    #[error("'{}' cannot be read as a recording: {reason}; convert it to WAV or FLAC", path.display())]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A picture, or a video without sound.
    #[error("'{}' has no audio stream: give a recording of speech", path.display())]
    NoAudioStream {
        /// The file.
        path: PathBuf,
    },
    /// A codec that this FFmpeg does not decode.
    #[error("'{}' is encoded as {codec}, which this FFmpeg cannot decode: convert it to WAV or FLAC", path.display())]
    NoDecoder {
        /// The file.
        path: PathBuf,
        /// The codec's short name.
        codec: String,
    },
    /// Headers without a single sample.
    #[error("'{}' holds no sound: its length is zero", path.display())]
    NoSound {
        /// The file.
        path: PathBuf,
    },
    /// Nothing, or nothing more, could be decoded.
    #[error(
        "'{}' is damaged: decoding failed at {seconds:.2} s; convert or record it again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Seconds that could be decoded before.
        seconds: f64,
    },
    /// A property of the stream is out of range.
    #[error("'{}' has {what} of {got}: it must be {range}", path.display())]
    OutOfRange {
        /// The file.
        path: PathBuf,
        /// The property.
        what: &'static str,
        /// Its value.
        got: i64,
        /// What is accepted.
        range: &'static str,
    },
    /// A floating-point sample that is no number.
    #[error(
        "'{}' holds a sample that is {what} at {seconds:.3} s: export the recording again, or as 16-bit WAV",
        path.display()
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// "not a number" or "infinite".
        what: &'static str,
        /// Where, in seconds from the start.
        seconds: f64,
    },
    /// More sound than is allowed.
    #[error("'{}' is longer than {max_seconds} s, the most that is allowed: split it", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit in seconds.
        max_seconds: f64,
    },
    /// FFmpeg failed in a way that is not the file's fault.
    #[error("'{}' cannot be converted: {reason}", path.display())]
    Convert {
        /// The file.
        path: PathBuf,
        /// What FFmpeg said.
        reason: String,
    },
    /// Rates of a stream that are not converted.
    #[error("sound of {from} samples a second cannot be converted to {to}: give 16000, 24000 or 48000")]
    Rates {
        /// The rate that it has.
        from: u32,
        /// The rate that was wanted.
        to: u32,
    },
    /// The caller asked to stop.
    #[error("reading '{}' was cancelled", path.display())]
    Cancelled {
        /// The file.
        path: PathBuf,
    },
}

/// Something that is wrong with a file that could be used all the same; complete once the end was reached.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum Warning {
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
        /// How many.
        packets: u64,
    },
}
