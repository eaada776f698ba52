//! Reading speech block by block.

use std::path::{Path, PathBuf};

use ffmpeg_next as ff;

use super::{
    AudioError, Mix, PLAYBACK_RATE, SPEECH_RATE, SpeechWarning,
    joined::{Joined, track_error},
    mix::Balance,
    resample::Resampler,
    samples::{Samples, is_float, shape_of},
    shape::Shape,
};
use crate::libav::sentence;

/// What is accepted at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeechLimits {
    /// Longest sound in seconds.
    pub max_seconds: f64,
}

impl Default for SpeechLimits {
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
    /// 16 kHz, mono, -1..=1: what is played, its two channels made one as [`Mix`] says.
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

/// A speech file being read; of WAV files that were joined, one after another.
///
/// Sample 0 of both outputs is the first sample of the file (encoder delay is cut off where the file states it), and
/// both are exactly as long as the sound, to the sample.
pub struct SpeechReader {
    path: PathBuf,
    sound: Joined,
    limits: SpeechLimits,
    info: SpeechInfo,
    shape: Shape,
    speech: Resampler,
    playback: Resampler,
    mix: Mix,
    balance: Balance,
    /// What is played, at 16 kHz.
    wide: Vec<f32>,
    /// Samples of the present frame that were converted.
    frame_at: usize,
    /// Samples before the present frame, since the stream last changed its shape.
    samples: u64,
    /// Seconds before that change.
    seconds_before: f64,
    ended: bool,
}

impl SpeechReader {
    /// Opens a file with the default [`SpeechLimits`] and decodes its first frame.
    ///
    /// # Errors
    /// Every [`AudioError`] but [`AudioError::Cancelled`].
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        Self::open_with(path, &SpeechLimits::default(), Mix::Both)
    }

    /// Opens a file to be listened to as its survey found best, and decodes its first frame.
    ///
    /// # Errors
    /// Every [`AudioError`] but [`AudioError::Cancelled`].
    pub fn open_mixed(path: &Path, mix: Mix) -> Result<Self, AudioError> {
        Self::open_with(path, &SpeechLimits::default(), mix)
    }

    /// Opens a file and decodes its first frame.
    ///
    /// # Errors
    /// Every [`AudioError`] but [`AudioError::Cancelled`].
    pub fn open_with(path: &Path, limits: &SpeechLimits, mix: Mix) -> Result<Self, AudioError> {
        let mut sound = Joined::open(path)?;
        loop {
            if !sound.next_frame().map_err(|e| track_error(path, e, 0.0))? {
                return Err(if sound.is_damaged() {
                    AudioError::Damaged { file: path.into(), seconds: 0.0 }
                } else {
                    AudioError::NoSound { file: path.into() }
                });
            }
            if sound.frame().nb_samples > 0 {
                break;
            }
        }
        let shape = checked_shape(path, &sound)?;
        let info = SpeechInfo {
            codec: sound.track().codec_name(),
            sample_rate: shape.rate as u32,
            channels: shape.channels as u16,
            playback_channels: if shape.channels == 1 { 1 } else { 2 },
            duration_estimate: sound.estimated_seconds(),
            start_seconds: sound.track().frame_seconds().unwrap_or(0.0).max(0.0),
        };
        let (speech, playback) = open_resamplers(path, &shape, &info)?;
        let mut reader = Self {
            path: path.to_owned(),
            sound,
            limits: *limits,
            info,
            shape,
            speech,
            playback,
            mix,
            balance: Balance::default(),
            wide: Vec::new(),
            frame_at: 0,
            samples: 0,
            seconds_before: 0.0,
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
            let samples = Samples::new(self.sound.frame(), &self.shape);
            let left = samples.len() - self.frame_at.min(samples.len());
            if left > 0 {
                // 25 ms of the file at a time: some codecs have frames of seconds.
                let count = left.min(self.shape.rate as usize / 40);
                let done = self.speech.push(&samples, self.frame_at, count, &mut self.wide);
                let done = done.and_then(|()| self.playback.push(&samples, self.frame_at, count, &mut out.playback));
                done.map_err(|e| convert_error(&self.path, e))?;
                self.listen(&mut out.speech);
                self.frame_at += count;
                continue;
            }
            self.samples += std::mem::take(&mut self.frame_at) as u64;
            if self.sound.next_frame().map_err(|e| track_error(&self.path, e, self.seconds_at(0)))? {
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
        let done = self.speech.flush(&mut self.wide).and_then(|()| self.playback.flush(&mut out.playback));
        done.map_err(|e| convert_error(&self.path, e))?;
        self.listen(&mut out.speech);
        Ok(())
    }

    /// Makes one channel of what is played.
    fn listen(&mut self, out: &mut Vec<f32>) {
        if self.info.playback_channels == 1 {
            out.append(&mut self.wide);
        } else {
            self.balance.push(&self.wide);
            self.mix.append(&self.wide, out);
            self.wide.clear();
        }
    }

    /// Opens new resamplers when the stream changed its rate, format or channels.
    fn check_shape(&mut self, out: &mut SpeechBlock) -> Result<(), AudioError> {
        let shape = checked_shape(&self.path, &self.sound)?;
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
        let samples = Samples::new(self.sound.frame(), &self.shape);
        if self.seconds_at(samples.len()) > self.limits.max_seconds {
            return Err(AudioError::TooLong { file: self.path.as_path().into(), max_seconds: self.limits.max_seconds });
        }
        if is_float(self.shape.format)
            && let Some((at, what)) = samples.first_not_finite()
        {
            let seconds = self.seconds_at(at);
            return Err(AudioError::NotFinite { file: self.path.as_path().into(), what, seconds });
        }
        Ok(())
    }

    /// How what was read so far is best listened to.
    pub fn best_mix(&self) -> Mix {
        self.balance.best()
    }

    /// What is wrong with the file although it could be read; complete once [`SpeechReader::read`] returned false.
    pub fn warnings(&self) -> Vec<SpeechWarning> {
        self.sound.warnings(self.seconds(), self.ended)
    }
}

fn checked_shape(path: &Path, sound: &Joined) -> Result<Shape, AudioError> {
    shape_of(sound.frame()).map_err(|(what, got, range)| AudioError::OutOfRange { file: path.into(), what, got, range })
}

fn open_resamplers(path: &Path, shape: &Shape, info: &SpeechInfo) -> Result<(Resampler, Resampler), AudioError> {
    let open = |channels, rate| Resampler::open(shape, channels, rate).map_err(|e| convert_error(path, e));
    let channels = i32::from(info.playback_channels);
    Ok((open(channels, SPEECH_RATE)?, open(channels, PLAYBACK_RATE)?))
}

fn convert_error(path: &Path, e: ff::Error) -> AudioError {
    AudioError::Convert { file: path.into(), reason: sentence(e) }
}
