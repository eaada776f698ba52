//! Writing an MP4.

use std::path::{Path, PathBuf};

use ffmpeg_next as ff;

use super::{
    MuxError,
    aac::{Aac, RATE},
    annexb,
    container::Container,
};
use crate::encode::EncodedPacket;
use crate::libav::{file_url, init, io_sentence, sentence};

/// Seconds of sound that may wait for the first video packet.
const MAX_AHEAD_SECONDS: usize = 10;

/// The video stream of an MP4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoParams {
    /// Width in pixels: 2 to 8192.
    pub width: u32,
    /// Height in pixels: 2 to 8192.
    pub height: u32,
    /// Frames a second as numerator and denominator.
    pub fps: (u32, u32),
}

/// The audio stream of an MP4: AAC-LC at 48 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioParams {
    /// 1 (128 kbit/s) or 2 (192 kbit/s).
    pub channels: u16,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FileSummary {
    /// Size of the file.
    pub bytes: u64,
    /// Frames of video.
    pub frames: u64,
    /// Length of the video in seconds.
    pub video_seconds: f64,
    /// Length of the sound in seconds.
    pub audio_seconds: f64,
}

/// An MP4 being written: H.264 as an encoder hands it out, and sound.
///
/// Both streams start at time 0, and the index comes first in the file (faststart). The same packets and samples make
/// the same bytes. Dropping it without [`Mp4Writer::finish`] leaves an unplayable file, which the caller removes.
pub struct Mp4Writer {
    container: Container,
    path: PathBuf,
    audio: Option<Aac>,
    video: VideoParams,
    channels: usize,
    /// Parameter sets that the file began with, and those of the present packet.
    sets: Vec<u8>,
    sets_now: Vec<u8>,
    /// The present packet without its parameter sets.
    units: Vec<u8>,
    /// Sound that came before the first packet.
    waiting: Vec<f32>,
    started: bool,
    frames: u64,
    last_pts: Option<i64>,
}

impl Mp4Writer {
    /// Creates (or truncates) the file. Without `audio` it holds video only.
    ///
    /// # Errors
    /// [`MuxError::BadParameter`], [`MuxError::CannotCreate`], [`MuxError::Audio`] when this FFmpeg has no AAC encoder.
    pub fn create(path: &Path, video: VideoParams, audio: Option<AudioParams>) -> Result<Self, MuxError> {
        init();
        let side = |side: u32| (2..=8192).contains(&side);
        let (num, den) = video.fps;
        let bad = |what, got: String, range| Err(MuxError::BadParameter { what, got, range });
        if !side(video.width) || !side(video.height) {
            return bad("a frame size", format!("{}x{}", video.width, video.height), "2 to 8192 pixels a side");
        }
        if num == 0 || den == 0 || num / den > 1000 || num > 1_000_000 {
            return bad("a frame rate", format!("{num}/{den}"), "at most 1000 a second");
        }
        let channels = audio.map_or(0, |a| usize::from(a.channels));
        if audio.is_some() && !(1..=2).contains(&channels) {
            return bad("a channel count", channels.to_string(), "1 or 2");
        }
        let refused = |reason| MuxError::CannotCreate { file: path.into(), reason };
        let aac = match audio {
            Some(_) => {
                Some(Aac::open(channels).map_err(|e| MuxError::Audio { file: path.into(), reason: sentence(e) })?)
            }
            None => None,
        };
        let url = file_url(path, None).ok_or_else(|| refused("its name holds a zero byte".to_owned()))?;
        let container = Container::create(&url, &video, aac.as_ref()).map_err(|e| refused(sentence(e)))?;
        Ok(Self {
            container,
            path: path.to_owned(),
            audio: aac,
            video,
            channels,
            sets: Vec::new(),
            sets_now: Vec::new(),
            units: Vec::new(),
            waiting: Vec::new(),
            started: false,
            frames: 0,
            last_pts: None,
        })
    }

    /// Adds one frame, in the order of `pts`; the first must be a key frame at 0. Sound may come before or after, at
    /// most 10 s before the first frame.
    ///
    /// # Errors
    /// [`MuxError::Video`], [`MuxError::Write`].
    pub fn push_video(&mut self, packet: &EncodedPacket<'_>) -> Result<(), MuxError> {
        let fault = |reason| MuxError::Video { file: self.path.as_path().into(), pts: packet.pts, reason };
        if self.last_pts.is_some_and(|last| packet.pts <= last) {
            return Err(fault("it does not come after the frame before it"));
        }
        annexb::split_sets(packet.data, &mut self.sets_now, &mut self.units);
        if self.units.is_empty() {
            return Err(fault("its packet holds no picture"));
        }
        if !self.started {
            if !packet.key || packet.pts != 0 || !annexb::complete(&self.sets_now) {
                return Err(fault("the first packet must be a key frame at 0 with its parameter sets"));
            }
            self.sets.clone_from(&self.sets_now);
            self.container.write_header(&self.sets).map_err(|e| write_error(&self.path, e))?;
            self.started = true;
            let waiting = std::mem::take(&mut self.waiting);
            self.encode_audio(&waiting)?;
        } else if !self.sets_now.is_empty() && self.sets_now != self.sets {
            return Err(fault("its parameter sets are not those that the file began with"));
        }
        self.last_pts = Some(packet.pts);
        self.frames += 1;
        self.container.write_video(&mut self.units, packet.pts, packet.key).map_err(|e| write_error(&self.path, e))
    }

    /// Adds sound: interleaved samples at 48 kHz, -1..=1, any whole number of them a channel. What is no number
    /// becomes silence.
    ///
    /// # Errors
    /// [`MuxError::BadParameter`] when there is no audio stream or a sample frame is cut, [`MuxError::AudioTooFarAhead`],
    /// [`MuxError::Write`].
    pub fn push_audio(&mut self, samples: &[f32]) -> Result<(), MuxError> {
        if self.channels == 0 || !samples.len().is_multiple_of(self.channels) {
            let got = samples.len().to_string();
            return Err(MuxError::BadParameter { what: "a sample count", got, range: "a multiple of the channels" });
        }
        if self.started {
            return self.encode_audio(samples);
        }
        self.waiting.extend_from_slice(samples);
        let waiting = self.waiting.len() / self.channels;
        if waiting > MAX_AHEAD_SECONDS * RATE as usize {
            let seconds = waiting as f64 / f64::from(RATE);
            return Err(MuxError::AudioTooFarAhead { file: self.path.as_path().into(), seconds });
        }
        Ok(())
    }

    /// Ends both streams, moves the index to the front and closes the file.
    ///
    /// # Errors
    /// [`MuxError::NoVideo`], [`MuxError::Write`] (also when the disk is full).
    pub fn finish(mut self) -> Result<FileSummary, MuxError> {
        if !self.started {
            return Err(MuxError::NoVideo { file: self.path.as_path().into() });
        }
        let mut audio_seconds = 0.0;
        if let Some(mut aac) = self.audio.take() {
            let ended = aac.finish(&mut |packet| self.container.write_audio(packet));
            ended.map_err(|e| write_error(&self.path, e))?;
            audio_seconds = aac.taken() as f64 / f64::from(RATE);
        }
        self.container.close().map_err(|e| write_error(&self.path, e))?;
        let bytes = std::fs::metadata(&self.path)
            .map_err(|e| MuxError::Write { file: self.path.as_path().into(), reason: io_sentence(&e) })?
            .len();
        let ends = self.last_pts.map_or(0, |last| last + 1);
        let video_seconds = ends as f64 * f64::from(self.video.fps.1) / f64::from(self.video.fps.0);
        Ok(FileSummary { bytes, frames: self.frames, video_seconds, audio_seconds })
    }

    fn encode_audio(&mut self, samples: &[f32]) -> Result<(), MuxError> {
        let Some(aac) = &mut self.audio else { return Ok(()) };
        aac.push(samples, &mut |packet| self.container.write_audio(packet)).map_err(|e| write_error(&self.path, e))
    }
}

fn write_error(path: &Path, e: ff::Error) -> MuxError {
    MuxError::Write { file: path.into(), reason: sentence(e) }
}
