//! Speech in: any common audio file, decoded once into two streams that stay aligned, 16 kHz mono for the analysis of
//! speech and 48 kHz for playback.
//!
//! Everything streams: an hour of speech needs no more memory than a second of it.

mod error;
mod joined;
mod levels;
mod mix;
mod opus;
mod reader;
mod resample;
mod riff;
mod samples;
mod shape;
mod steer;
mod stream;
mod survey;

#[cfg(test)]
mod survey_tests;
#[cfg(test)]
mod tests;

pub use error::{AudioError, SpeechWarning};
pub use mix::Mix;
pub use opus::{OPUS_FRAME, OPUS_LONGEST, OPUS_RATE, OpusDecoder, OpusEncoder, OpusError};
pub use reader::{SpeechBlock, SpeechInfo, SpeechLimits, SpeechReader};
pub use steer::Steer;
pub use stream::Converter;
pub use survey::{Survey, survey};

/// Samples a second of the mono stream that speech analysis takes.
pub const SPEECH_RATE: u32 = 16_000;

/// Samples a second and channel of the stream that is played back.
pub const PLAYBACK_RATE: u32 = 48_000;
