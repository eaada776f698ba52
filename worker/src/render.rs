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
use mouthpiece_media::encode::{self, Choice, FilePreset, Quality, Settings};
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_media::features::VisemeNet;
use mouthpiece_media::mux::{AudioParams, Mp4Writer, VideoParams};
use mouthpiece_media::reference::FaceReport;
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

    let [width, height] = prepared.report.output_size;
    let quality = Quality::File { preset: options.preset };
    let settings = Settings { width, height, fps: (options.fps, 1), quality, gop_frames: options.fps * 4 };
    let mut encoder = encode::open(options.encoder, &settings)?;
    let frames = (survey.seconds * f64::from(options.fps)).ceil().max(1.0) as u64;
    let ready = Progress::Ready { report: &prepared.report, survey: &survey, encoder: encoder.name(), frames };
    go_on(progress(ready))?;

    let video = VideoParams { width, height, fps: (options.fps, 1) };
    let sound = AudioParams { channels: survey.info.playback_channels };
    let mut file = Mp4Writer::create(output.path(), video, Some(sound))?;

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
            file.push_audio(&block.playback)?;
        } else {
            ear.finish();
        }
        while path.next() < frames {
            let Some(heard) = ear.cue(path.next_middle()) else { break };
            let pts = path.next() as i64;
            let picture = path.draw(&avatar, heard)?;
            let mut written = Ok(());
            encoder.encode(picture, pts, false, &mut |packet| {
                if written.is_ok() {
                    written = file.push_video(&packet);
                }
            })?;
            written?;
            go_on(progress(Progress::Drawing { frames: path.next() }))?;
        }
    }
    let mut written = Ok(());
    encoder.finish(&mut |packet| {
        if written.is_ok() {
            written = file.push_video(&packet);
        }
    })?;
    written?;
    let done = file.finish()?;
    output.publish()?;
    Ok(Summary { frames: done.frames, seconds: done.video_seconds, bytes: done.bytes, width, height })
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
