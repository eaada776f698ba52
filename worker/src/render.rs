//! A recording and a portrait to an MP4.
//!
//! Everything streams: sound is read in blocks, frames are drawn as soon as enough was heard, and nothing but
//! the MP4's index grows with the recording's length. The output appears under its name only when it is complete.

use crate::film::FramePath;
use crate::output::Output;
use crate::{PortraitOptions, RenderError, load_reference};
use mouthpiece_engine::life::Liveliness;
use mouthpiece_engine::puppet::{Puppet, PuppetEar};
use mouthpiece_engine::{Ear, Engine, SpeechLevel};
use mouthpiece_media::audio::{self, AudioError, SpeechBlock, SpeechReader, Survey};
use mouthpiece_media::encode::{self, Choice, FilePreset, Packet, Quality, Settings, VideoEncoder};
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_media::features::VisemeNet;
use mouthpiece_media::image::I420;
use mouthpiece_media::mux::{self, AudioParams, Mp4Writer, MuxError, VideoParams};
use mouthpiece_media::reference::{FaceReport, Prepared};
use std::path::Path;
use std::sync::Arc;

/// How much sound past a frame its mouth shape may use: recordings are all there, so smoothing is symmetrical.
const FUTURE_MS: usize = 200;
/// Levels below this are never taken for speech, however quiet the recording.
const QUIETEST_SPEECH_DB: f32 = -55.0;

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct RenderOptions {
    /// Longer side of the video in pixels, 64 to 2048; a smaller portrait is not enlarged.
    pub size: u32,
    /// Frames a second: 25 or 30.
    pub fps: u32,
    /// Which face, 1 being the largest; the largest if none is named.
    pub face: Option<usize>,
    /// Determines blinks and head movement.
    pub seed: u64,
    /// How much of life shows.
    pub liveliness: Liveliness,
    /// Which encoder.
    pub encoder: Choice,
    /// Speed against size of the file.
    pub preset: FilePreset,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            size: 512,
            fps: 25,
            face: None,
            seed: 1,
            liveliness: Liveliness::default(),
            encoder: Choice::Auto,
            preset: FilePreset::Fast,
        }
    }
}

/// How far a render is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress<'a> {
    /// Reading the recording through once.
    Listening {
        /// Seconds read.
        seconds: f64,
    },
    /// Looking for the face.
    Looking,
    /// The face was found, the encoder opened.
    Ready {
        /// What was found.
        report: &'a FaceReport,
        /// What was heard.
        survey: &'a Survey,
        /// The encoder's name.
        encoder: &'a str,
        /// Frames that will be made.
        frames: u64,
    },
    /// Drawing frames.
    Drawing {
        /// Frames made.
        frames: u64,
    },
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Frames of video.
    pub frames: u64,
    /// Length of the video in seconds.
    pub seconds: f64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Frame size.
    pub width: u32,
    /// Frame size.
    pub height: u32,
}

/// Renders `speech` spoken by `portrait` into `output` with the puppet engine.
///
/// `progress` is told how far it is and stops the render by returning false; nothing is left behind then, nor after an
/// error.
///
/// # Errors
/// [`RenderError`]; [`RenderError::is_input`] tells what the user can mend.
pub fn render(
    portrait: &Path,
    speech: &Path,
    output: &Path,
    options: &RenderOptions,
    progress: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<Summary, RenderError> {
    check(options)?;
    let output = Output::reserve(output, &[portrait, speech])?;

    let mut listen = |seconds| progress(Progress::Listening { seconds });
    let survey = match audio::survey(speech, &audio::Limits::default(), &mut listen) {
        Err(AudioError::Cancelled { .. }) => return Err(RenderError::Cancelled),
        other => other?,
    };
    go_on(progress(Progress::Looking))?;
    let mut finder = FaceFinder::new(&Runtime::get()?)?;
    let portrait_options = PortraitOptions { size: options.size, face: options.face, fps: options.fps };
    let prepared = load_reference(portrait, portrait_options, &mut finder);
    go_on(progress(Progress::Looking))?; // a search that was interrupted is no verdict on the portrait
    let prepared = prepared?;
    drop(finder);

    let done = film(speech, &survey, prepared, output.path(), options, progress).map_err(|e| match e {
        RenderError::Mux(e) => RenderError::Mux(e.named(output.target())), // users know nothing of the partial file
        other => other,
    })?;
    output.publish()?;
    Ok(done)
}

/// Draws, encodes and writes all frames of a surveyed recording into the file at `path`.
fn film(
    speech: &Path,
    survey: &Survey,
    prepared: Prepared,
    path: &Path,
    options: &RenderOptions,
    progress: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<Summary, RenderError> {
    let [width, height] = prepared.report.output_size;
    let fps = (options.fps, 1);
    let quality = Quality::File { preset: options.preset };
    let encoder =
        encode::open(options.encoder, &Settings { width, height, fps, quality, gop_frames: options.fps * 4 })?;
    let frames = (survey.seconds * f64::from(options.fps)).ceil().max(1.0) as u64;
    go_on(progress(Progress::Ready { report: &prepared.report, survey, encoder: encoder.name(), frames }))?;
    let sound = AudioParams { channels: survey.info.playback_channels };
    let mut film = Film { encoder, file: Mp4Writer::create(path, VideoParams { width, height, fps }, Some(sound))? };

    let engine = Puppet::default();
    let avatar = engine.prepare(prepared.reference)?;
    let level = SpeechLevel { active_rms: survey.active_rms, loud_db: survey.level_95_db.max(QUIETEST_SPEECH_DB) };
    let mut ear = PuppetEar::new(Arc::new(VisemeNet::shipped()?), level, FUTURE_MS);
    let mut path = FramePath::new(engine, &avatar, avatar.frames(), options.fps, options.seed, options.liveliness);

    let mut reader = SpeechReader::open(speech)?;
    let mut block = SpeechBlock::default();
    let mut hearing = true;
    while hearing {
        hearing = reader.read(&mut block)?;
        if hearing {
            ear.hear(&block.speech);
            film.file.push_audio(&block.playback)?;
        } else {
            ear.finish();
        }
        while path.next() < frames {
            let Some(heard) = ear.cue(path.next_middle()) else { break };
            let pts = path.next() as i64;
            film.add(path.draw(&avatar, heard)?, pts)?;
            go_on(progress(Progress::Drawing { frames: path.next() }))?;
        }
    }
    let done = film.finish()?;
    Ok(Summary { frames: done.frames, seconds: done.video_seconds, bytes: done.bytes, width, height })
}

/// An encoder and the file that its packets go to.
struct Film {
    encoder: Box<dyn VideoEncoder>,
    file: Mp4Writer,
}

impl Film {
    /// Encodes and writes one frame.
    fn add(&mut self, picture: &I420, pts: i64) -> Result<(), RenderError> {
        let mut written = Ok(());
        self.encoder.encode(picture, pts, false, &mut write_to(&mut self.file, &mut written))?;
        Ok(written?)
    }

    /// Writes what the encoder still holds and completes the file.
    fn finish(mut self) -> Result<mux::Summary, RenderError> {
        let mut written = Ok(());
        self.encoder.finish(&mut write_to(&mut self.file, &mut written))?;
        written?;
        Ok(self.file.finish()?)
    }
}

/// A sink that writes packets to `file` until one fails.
fn write_to(file: &mut Mp4Writer, written: &mut Result<(), MuxError>) -> impl FnMut(Packet<'_>) {
    move |packet| {
        if written.is_ok() {
            *written = file.push_video(&packet);
        }
    }
}

fn check(options: &RenderOptions) -> Result<(), RenderError> {
    if ![25, 30].contains(&options.fps) {
        return Err(RenderError::Option { name: "fps", got: options.fps.to_string(), range: "25 or 30" });
    }
    if !(64..=2048).contains(&options.size) {
        return Err(RenderError::Option { name: "size", got: options.size.to_string(), range: "64 to 2048 pixels" });
    }
    Ok(())
}

fn go_on(yes: bool) -> Result<(), RenderError> {
    if yes { Ok(()) } else { Err(RenderError::Cancelled) }
}
