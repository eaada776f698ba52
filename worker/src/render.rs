//! A recording and a portrait to an MP4. The output appears under its name only when it is complete.

use crate::engines::{ForEngine, with_engine};
use crate::output::OutputFile;
use crate::pipeline::{self, Film, FilmSetup};
use crate::{FaceSearch, NeuralSettings, PortraitOptions, RenderError, Signing, load_reference_while};
use mouthpiece_domain::frame::{FrameRate, FrameSize, Framing};
use mouthpiece_engine::life::Liveliness;
use mouthpiece_engine::{Engine, OwnEngine};
use mouthpiece_media::audio::Survey;
use mouthpiece_media::encode::{EncoderChoice, FilePreset};
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_media::image::Background;
use mouthpiece_media::reference::{FaceReport, PreparedReference};
use mouthpiece_worker_settings::{DEFAULT_ENGINE, ProvenanceSettings};
use std::path::Path;
use std::sync::Arc;

/// What to make.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// Longer side of the video.
    pub size: FrameSize,
    /// Which part of the portrait is shown, and how large it may become for the sake of the face.
    pub framing: Framing,
    /// Frames a second.
    pub fps: FrameRate,
    /// Which face, 1 being the largest; the largest if none is named.
    pub face: Option<usize>,
    /// What transparent parts of the portrait are laid on; white if none is named.
    pub background: Option<Background>,
    /// Which engine, by its name.
    pub engine: String,
    /// How it is set up if it is a neural one.
    pub neural: NeuralSettings,
    /// Determines blinks and head movement.
    pub seed: u64,
    /// How much of life shows.
    pub liveliness: Liveliness,
    /// Which encoder.
    pub encoder: EncoderChoice,
    /// Speed against size of the file.
    pub preset: FilePreset,
    /// The visible mark is put on every frame: what is seen was made by a machine.
    pub mark: bool,
    /// What the film is signed with.
    pub provenance: ProvenanceSettings,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            size: FrameSize::default(),
            framing: Framing::default(),
            fps: FrameRate::default(),
            face: None,
            background: None,
            engine: DEFAULT_ENGINE.to_owned(),
            neural: NeuralSettings::default(),
            seed: 1,
            liveliness: Liveliness::default(),
            encoder: EncoderChoice::Auto,
            preset: FilePreset::Fast,
            mark: false,
            provenance: ProvenanceSettings::default(),
        }
    }
}

/// How far a render is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RenderProgress<'a> {
    /// Reading the recording through once.
    Listening {
        /// Seconds read.
        seconds: f64,
    },
    /// Looking for the face.
    Looking(FaceSearch),
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
pub struct RenderSummary {
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

/// Renders `speech` spoken by `portrait` into `output` with the engine that the options name.
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
    progress: &mut dyn FnMut(RenderProgress<'_>) -> bool,
) -> Result<RenderSummary, RenderError> {
    with_engine(&options.engine, &options.neural, Render { portrait, speech, output, options, progress })?
}

/// A render that waits for its engine.
struct Render<'a> {
    portrait: &'a Path,
    speech: &'a Path,
    output: &'a Path,
    options: &'a RenderOptions,
    progress: &'a mut dyn FnMut(RenderProgress<'_>) -> bool,
}

impl ForEngine for Render<'_> {
    type Output = Result<RenderSummary, RenderError>;

    fn with<E: Engine>(self, engine: E) -> Self::Output {
        render_with(engine, self.portrait, self.speech, self.output, self.options, self.progress)
    }
}

/// The same with an engine of the caller's own, whatever the options name.
///
/// # Errors
/// As [`render`].
pub fn render_with<E: Engine>(
    engine: E,
    portrait: &Path,
    speech: &Path,
    output: &Path,
    options: &RenderOptions,
    progress: &mut dyn FnMut(RenderProgress<'_>) -> bool,
) -> Result<RenderSummary, RenderError> {
    let signing = Signing::open(&options.provenance)?;
    let output = OutputFile::reserve(output, &[portrait, speech])?;

    let survey = pipeline::survey(speech, &mut |seconds| progress(RenderProgress::Listening { seconds }))?;
    go_on(progress(RenderProgress::Looking(FaceSearch::BEGINS)))?;
    let mut finder = FaceFinder::new(&Runtime::get()?)?;
    let portrait_options = PortraitOptions {
        size: options.size.pixels(),
        framing: options.framing,
        face: options.face,
        fps: options.fps.per_second(),
        background: options.background.clone(),
    };
    let mut looking = |at| progress(RenderProgress::Looking(at));
    let PreparedReference { reference, report } =
        load_reference_while(portrait, portrait_options, &mut finder, &mut looking)?;
    drop(finder);

    let [width, height] = report.frame.output;
    let fps = options.fps.per_second();
    let &RenderOptions { seed, liveliness, encoder, preset, mark, .. } = options;
    let making = FilmSetup { size: [width, height], fps, seed, liveliness, encoder, preset, mark };
    let encoder = pipeline::open_encoder(&making)?;
    let frames = Film::frames(&survey, fps);
    go_on(progress(RenderProgress::Ready { report: &report, survey: &survey, encoder: encoder.name(), frames }))?;

    let make = || {
        let film = Film::open(speech, &survey, output.path(), making, encoder)?;
        let references = reference.frames.len();
        let avatar = Arc::new(engine.prepare(reference)?);
        let mut ear = engine.ear(pipeline::level(&survey));
        let mut each = |frames| progress(RenderProgress::Drawing { frames });
        film.make(OwnEngine::new(engine, avatar), references, &mut ear, &mut each)
    };
    let done = make().map_err(|e| match e {
        RenderError::Mux(e) => RenderError::Mux(e.named(output.target().into())), // users know nothing of the partial file
        other => other,
    })?;
    let bytes = signing.sign(output.path())?.unwrap_or(done.bytes);
    output.publish()?;
    Ok(RenderSummary { frames: done.frames, seconds: done.video_seconds, bytes, width, height })
}

fn go_on(yes: bool) -> Result<(), RenderError> {
    if yes { Ok(()) } else { Err(RenderError::Cancelled) }
}
