//! From a surveyed recording to a file: listen, draw, encode, mux. The command's renders and a farm's sessions share it.
//!
//! Everything streams: sound is read in blocks, frames are drawn as soon as enough was heard, and nothing but the MP4's
//! index grows with the recording's length. All of one pipeline runs on one thread, but for what a desk hands to the
//! engine's.

use crate::RenderError;
use crate::film::FramePath;
use crate::mark::FrameMarker;
use mouthpiece_engine::life::Liveliness;
use mouthpiece_engine::{Artist, Ear, SpeechLevel};
use mouthpiece_media::audio::{self, AudioError, SpeechBlock, SpeechReader, Survey};
use mouthpiece_media::encode::{
    self, EncodedPacket, EncoderChoice, EncoderQuality, EncoderSettings, FilePreset, VideoEncoder,
};
use mouthpiece_media::image::I420;
use mouthpiece_media::mux::{self, AudioParams, Mp4Writer, MuxError, VideoParams};
use std::path::Path;

/// How a film is made.
#[derive(Debug, Clone, Copy)]
pub struct FilmSetup {
    /// Frame size, `[width, height]`.
    pub size: [u32; 2],
    /// Frames a second.
    pub fps: u32,
    /// Determines blinks and head movement.
    pub seed: u64,
    /// How much of life shows.
    pub liveliness: Liveliness,
    /// Which encoder.
    pub encoder: EncoderChoice,
    /// Speed against size of the file.
    pub preset: FilePreset,
    /// The visible mark is put on every frame.
    pub mark: bool,
}

/// Reads a recording through once; `listening` is told the seconds read and stops it by returning false.
///
/// # Errors
/// [`RenderError::Audio`], [`RenderError::Cancelled`].
pub fn survey(speech: &Path, listening: &mut dyn FnMut(f64) -> bool) -> Result<Survey, RenderError> {
    match audio::survey(speech, &audio::SpeechLimits::default(), listening) {
        Err(AudioError::Cancelled { .. }) => Err(RenderError::Cancelled),
        other => Ok(other?),
    }
}

/// What the user should know of a recording that could be read.
pub fn speech_warnings(survey: &Survey) -> Vec<String> {
    let mut warnings: Vec<String> = survey.warnings.iter().map(ToString::to_string).collect();
    let floor = level(survey).floor_db();
    if survey.loudest_db <= floor {
        warnings.push(format!("the recording holds no sound above {floor:.0} dB: the face stays idle"));
    }
    warnings
}

/// What an ear must know of a surveyed recording.
pub fn level(survey: &Survey) -> SpeechLevel {
    SpeechLevel::of_recording(survey.active_rms, survey.level_95_db)
}

/// Between a film's key frames. At each the grain of what moves comes back at once, which is seen; a jump within the film decodes
/// from the one before, which a player does in a blink.
const KEY_FRAME_SECONDS: u32 = 10;

/// Opens the encoder for a film.
///
/// # Errors
/// [`RenderError::Encode`].
pub fn open_encoder(making: &FilmSetup) -> Result<Box<dyn VideoEncoder>, RenderError> {
    let [width, height] = making.size;
    let quality = EncoderQuality::File { preset: making.preset };
    let settings =
        EncoderSettings { width, height, fps: (making.fps, 1), quality, gop_frames: making.fps * KEY_FRAME_SECONDS };
    Ok(encode::open(making.encoder, &settings)?)
}

/// A film about to be made: the file is open, nothing is drawn yet.
pub struct Film<'a> {
    speech: &'a Path,
    survey: &'a Survey,
    making: FilmSetup,
    encoder: Box<dyn VideoEncoder>,
    marker: FrameMarker,
    file: Mp4Writer,
}

impl<'a> Film<'a> {
    /// Creates the file at `path`.
    ///
    /// # Errors
    /// [`RenderError::Mux`].
    pub fn open(
        speech: &'a Path,
        survey: &'a Survey,
        path: &Path,
        making: FilmSetup,
        encoder: Box<dyn VideoEncoder>,
    ) -> Result<Self, RenderError> {
        let [width, height] = making.size;
        let sound = AudioParams { channels: survey.info.playback_channels };
        let file = Mp4Writer::create(path, VideoParams { width, height, fps: (making.fps, 1) }, Some(sound))?;
        let marker = FrameMarker::new(making.mark);
        Ok(Self { speech, survey, making, encoder, marker, file })
    }

    /// How many frames a recording gets.
    pub fn frames(survey: &Survey, fps: u32) -> u64 {
        (survey.seconds * f64::from(fps)).ceil().max(1.0) as u64
    }

    /// Makes all frames. `each` is told how many are made after every one of them, and stops by returning false.
    ///
    /// # Errors
    /// [`RenderError`]; the file is not playable then.
    pub fn make<A: Artist>(
        mut self,
        artist: A,
        references: usize,
        ear: &mut dyn Ear<Cue = A::Cue>,
        each: &mut dyn FnMut(u64) -> bool,
    ) -> Result<mux::FileSummary, RenderError> {
        let FilmSetup { fps, seed, liveliness, .. } = self.making;
        let frames = Self::frames(self.survey, fps);
        let mut path = FramePath::new(artist, references, fps, seed, liveliness);
        let mut reader = SpeechReader::open_mixed(self.speech, self.survey.mix)?;
        let mut block = SpeechBlock::default();
        let mut hearing = true;
        while hearing {
            hearing = reader.read(&mut block)?;
            if hearing {
                ear.hear(&block.speech);
                self.file.push_audio(&block.playback)?;
            } else {
                ear.finish();
            }
            while path.next() < frames {
                let Some(heard) = ear.cue(path.next_middle()) else { break };
                let pts = path.next() as i64;
                self.add(path.draw(heard)?, pts)?;
                if !each(path.next()) {
                    return Err(RenderError::Cancelled);
                }
            }
        }
        self.finish()
    }

    /// Encodes and writes one frame.
    fn add(&mut self, picture: &I420, pts: i64) -> Result<(), RenderError> {
        let mut written = Ok(());
        let picture = self.marker.shown(picture);
        self.encoder.encode(picture, pts, false, &mut write_to(&mut self.file, &mut written))?;
        Ok(written?)
    }

    /// Writes what the encoder still holds and completes the file.
    fn finish(mut self) -> Result<mux::FileSummary, RenderError> {
        let mut written = Ok(());
        self.encoder.finish(&mut write_to(&mut self.file, &mut written))?;
        written?;
        Ok(self.file.finish()?)
    }
}

/// A sink that writes packets to `file` until one fails.
fn write_to(file: &mut Mp4Writer, written: &mut Result<(), MuxError>) -> impl FnMut(EncodedPacket<'_>) {
    move |packet| {
        if written.is_ok() {
            *written = file.push_video(&packet);
        }
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
