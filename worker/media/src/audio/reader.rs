//! Reading speech block by block.

use std::path::{Path, PathBuf};

use ffmpeg_next::{self as ff, media};
use mouthpiece_domain::file_kind::FileUse;

use super::{
    AudioError, PLAYBACK_RATE, SPEECH_RATE, Warning,
    resample::{Resampler, Shape},
    riff,
    samples::{Samples, is_float, shape_of},
};
use crate::libav::{OpenFault, Track, TrackFault, open_input, sentence};

/// What is accepted at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Longest sound in seconds.
    pub max_seconds: f64,
}

impl Default for Limits {
    /// Four hours.
    fn default() -> Self {
        Self { max_seconds: 4.0 * 3600.0 }
    }
}

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeechInfo {
    /// The codec's short name, such as "mp3".
    pub codec: String,
    /// Samples a second in the file: 4,000 to 384,000.
    pub sample_rate: u32,
    /// Channels in the file: 1 to 64.
    pub channels: u16,
    /// Channels of [`SpeechBlock::playback`]: 1 when the file is mono, else 2.
    pub playback_channels: u16,
    /// Length in seconds as the file states it or its size suggests; trust only what was decoded.
    pub duration_estimate: Option<f64>,
    /// When the first sample is heard, in seconds after the earliest stream of the file starts (0 unless the file is a
    /// video whose sound starts later). The samples themselves begin at once, without silence in front.
    pub start_seconds: f64,
}

/// A stretch of speech in two forms, for reuse from call to call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpeechBlock {
    /// 16 kHz, mono, -1..=1.
    pub speech: Vec<f32>,
    /// 48 kHz, interleaved, -1..=1, one or two channels as [`SpeechInfo::playback_channels`] says.
    pub playback: Vec<f32>,
}

impl SpeechBlock {
    /// Empties both, keeping their memory.
    pub fn clear(&mut self) {
        self.speech.clear();
        self.playback.clear();
    }
}

/// Least samples of [`SpeechBlock::speech`] in a block before the end: 20 ms.
const MIN_BLOCK: usize = SPEECH_RATE as usize / 50;

/// A speech file being read.
///
/// Sample 0 of both outputs is the first sample of the file (encoder delay is cut off where the file states it), and
/// both are exactly as long as the sound, to the sample.
pub struct SpeechReader {
    path: PathBuf,
    track: Track,
    limits: Limits,
    info: SpeechInfo,
    shape: Shape,
    speech: Resampler,
    playback: Resampler,
    /// Samples of the present frame that were converted.
    frame_at: usize,
    /// Samples before the present frame, since the stream last changed its shape.
    samples: u64,
    /// Seconds before that change.
    seconds_before: f64,
    /// How many times longer a WAV file says that it is.
    promised: Option<f64>,
    ended: bool,
}

impl SpeechReader {
    /// Opens a file with the default [`Limits`] and decodes its first frame.
    ///
    /// # Errors
    /// Every [`AudioError`] but [`AudioError::Cancelled`].
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        Self::open_with(path, &Limits::default())
    }

    /// Opens a file and decodes its first frame.
    ///
    /// # Errors
    /// Every [`AudioError`] but [`AudioError::Cancelled`].
    pub fn open_with(path: &Path, limits: &Limits) -> Result<Self, AudioError> {
        let owned = || path.to_owned();
        let input = open_input(path, FileUse::Speech, None).map_err(|fault| match fault {
            OpenFault::CannotRead(reason) => AudioError::CannotRead { path: owned(), reason },
            OpenFault::NotTaken(not_taken) => AudioError::NotTaken { path: owned(), not_taken },
            // No side is asked for, so none is too long.
            OpenFault::TooLarge { .. } => AudioError::NoAudioStream { path: owned() },
            OpenFault::Unknown(reason) => AudioError::NotAudio { path: owned(), reason },
        })?;
        let mut track = Track::open(input, media::Type::Audio).map_err(|e| track_error(path, e, 0.0))?;
        loop {
            if !track.next_frame().map_err(|e| track_error(path, e, 0.0))? {
                return Err(if track.damaged() > 0 || track.broke_off() {
                    AudioError::Damaged { path: owned(), seconds: 0.0 }
                } else {
                    AudioError::NoSound { path: owned() }
                });
            }
            if track.frame().nb_samples > 0 {
                break;
            }
        }
        let shape = checked_shape(path, &track)?;
        let info = SpeechInfo {
            codec: track.codec_name(),
            sample_rate: shape.rate as u32,
            channels: shape.channels as u16,
            playback_channels: if shape.channels == 1 { 1 } else { 2 },
            duration_estimate: track.estimated_seconds(),
            start_seconds: track.frame_seconds().unwrap_or(0.0).max(0.0),
        };
        let (speech, playback) = open_resamplers(path, &shape, &info)?;
        let mut reader = Self {
            path: owned(),
            track,
            limits: *limits,
            info,
            shape,
            speech,
            playback,
            frame_at: 0,
            samples: 0,
            seconds_before: 0.0,
            promised: riff::promised(path),
            ended: false,
        };
        reader.check_frame()?;
        Ok(reader)
    }

    /// What the file says of itself.
    pub fn info(&self) -> &SpeechInfo {
        &self.info
    }

    /// Seconds decoded so far.
    pub fn seconds(&self) -> f64 {
        self.seconds_at(self.frame_at)
    }

    /// Seconds before sample `at` of the present frame.
    fn seconds_at(&self, at: usize) -> f64 {
        self.seconds_before + (self.samples + at as u64) as f64 / f64::from(self.shape.rate)
    }

    /// Fills `out` with the next 20 to 100 ms (the last block may be shorter); false, and an empty block, at the end.
    ///
    /// # Errors
    /// [`AudioError::Damaged`], [`AudioError::NotFinite`], [`AudioError::TooLong`], [`AudioError::OutOfRange`] (should
    /// the stream change), [`AudioError::Convert`]. The reader is at its end after an error.
    pub fn read(&mut self, out: &mut SpeechBlock) -> Result<bool, AudioError> {
        out.clear();
        self.fill(out).inspect_err(|_| self.ended = true)?;
        Ok(!out.speech.is_empty() || !out.playback.is_empty())
    }

    fn fill(&mut self, out: &mut SpeechBlock) -> Result<(), AudioError> {
        while !self.ended && out.speech.len() < MIN_BLOCK {
            let samples = Samples::new(self.track.frame(), &self.shape);
            let left = samples.len() - self.frame_at.min(samples.len());
            if left > 0 {
                // 25 ms of the file at a time: some codecs have frames of seconds.
                let count = left.min(self.shape.rate as usize / 40);
                let done = self.speech.push(&samples, self.frame_at, count, &mut out.speech);
                let done = done.and_then(|()| self.playback.push(&samples, self.frame_at, count, &mut out.playback));
                done.map_err(|e| convert_error(&self.path, e))?;
                self.frame_at += count;
                continue;
            }
            self.samples += std::mem::take(&mut self.frame_at) as u64;
            if self.track.next_frame().map_err(|e| track_error(&self.path, e, self.seconds_at(0)))? {
                self.check_shape(out)?;
                self.check_frame()?;
            } else {
                self.ended = true;
                self.flush(out)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut SpeechBlock) -> Result<(), AudioError> {
        let done = self.speech.flush(&mut out.speech).and_then(|()| self.playback.flush(&mut out.playback));
        done.map_err(|e| convert_error(&self.path, e))
    }

    /// Opens new resamplers when the stream changed its rate, format or channels.
    fn check_shape(&mut self, out: &mut SpeechBlock) -> Result<(), AudioError> {
        let shape = checked_shape(&self.path, &self.track)?;
        if shape != self.shape {
            self.flush(out)?;
            (self.speech, self.playback) = open_resamplers(&self.path, &shape, &self.info)?;
            self.seconds_before = self.seconds_at(0);
            self.samples = 0;
            self.shape = shape;
        }
        Ok(())
    }

    /// Refuses a frame that is too late or holds what is no number.
    fn check_frame(&mut self) -> Result<(), AudioError> {
        let samples = Samples::new(self.track.frame(), &self.shape);
        if self.seconds_at(samples.len()) > self.limits.max_seconds {
            return Err(AudioError::TooLong { path: self.path.clone(), max_seconds: self.limits.max_seconds });
        }
        if is_float(self.shape.format)
            && let Some((at, what)) = samples.first_not_finite()
        {
            let seconds = self.seconds_at(at);
            return Err(AudioError::NotFinite { path: self.path.clone(), what, seconds });
        }
        Ok(())
    }

    /// What is wrong with the file although it could be read; complete once [`SpeechReader::read`] returned false.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let got = self.seconds();
        if self.track.damaged() > 0 {
            warnings.push(Warning::Damaged { packets: self.track.damaged() });
        }
        if self.ended {
            let stated = self.promised.map(|times| got * times).or(self.track.stated_seconds());
            let stated = stated.filter(|stated| got < stated - (0.02 * stated).max(0.25));
            if let Some(stated) = stated {
                warnings.push(Warning::CutShort { got, stated });
            } else if self.track.broke_off() {
                warnings.push(Warning::BrokeOff { got });
            }
        }
        warnings
    }
}

fn checked_shape(path: &Path, track: &Track) -> Result<Shape, AudioError> {
    shape_of(track.frame()).map_err(|(what, got, range)| AudioError::OutOfRange {
        path: path.to_owned(),
        what,
        got,
        range,
    })
}

fn open_resamplers(path: &Path, shape: &Shape, info: &SpeechInfo) -> Result<(Resampler, Resampler), AudioError> {
    let open = |channels, rate| Resampler::open(shape, channels, rate).map_err(|e| convert_error(path, e));
    Ok((open(1, SPEECH_RATE)?, open(i32::from(info.playback_channels), PLAYBACK_RATE)?))
}

fn convert_error(path: &Path, e: ff::Error) -> AudioError {
    AudioError::Convert { path: path.to_owned(), reason: sentence(e) }
}

fn track_error(path: &Path, fault: TrackFault, seconds: f64) -> AudioError {
    let path = path.to_owned();
    match fault {
        TrackFault::NoStream => AudioError::NoAudioStream { path },
        TrackFault::NoDecoder(codec) => AudioError::NoDecoder { path, codec },
        TrackFault::Refused(e) => AudioError::NotAudio { path, reason: sentence(e) },
        TrackFault::TooDamaged => AudioError::Damaged { path, seconds },
    }
}
