//! `mouthpiece render`

use crate::engine_args::EngineArgs;
use crate::look::{ExpressionName, FramingArgs};
use crate::progress::FrameBar;
use crate::stop_flag::StopFlag;
use crate::{frame, say};
use clap::{Args, ValueEnum};
use mouthpiece_domain::colour::Colour;
use mouthpiece_domain::file_kind::FileUse;
use mouthpiece_domain::frame::FrameRate;
use mouthpiece_engine::life::Liveliness;
use mouthpiece_media::encode::{EncoderChoice, FilePreset};
use mouthpiece_media::image::{Background, PortraitLimits, load_portrait};
use mouthpiece_worker::{FaceSearch, RenderError, RenderOptions, RenderProgress, render, speech_warnings};
use mouthpiece_worker_settings::ProvenanceSettings;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Speed against size of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// Fastest; files about twice as large
    Fast,
    /// About half the speed, smaller files
    Balanced,
}

/// Make a talking-head video (MP4) of a portrait and a recording.
#[derive(Debug, Args)]
#[command(after_help = "Example: mouthpiece render --portrait me.jpg --speech hello.mp3 -o hello.mp4")]
pub struct RenderArgs {
    #[arg(long, value_name = "FILE", help = format!("The person, seen from the front: {}", FileUse::Portrait.taken()))]
    portrait: PathBuf,
    #[arg(
        long,
        value_name = "FILE",
        help = format!("What is said: {}; any rate and channels", FileUse::Speech.taken()),
    )]
    speech: PathBuf,
    /// The video to write (H.264 and AAC in MP4)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Frames a second: 25 or 30
    #[arg(long, default_value_t = FrameRate::default(), value_parser = frame::rate)]
    fps: FrameRate,
    #[command(flatten)]
    framing: FramingArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Which face, if the portrait shows several: 1 is the largest
    #[arg(long, value_name = "N")]
    face: Option<usize>,
    /// What is behind the person where the portrait is transparent: a colour (#rrggbb, white, black, grey, red, green,
    /// lime, blue) or a picture; white if not given
    #[arg(long, value_name = "COLOUR|FILE")]
    background: Option<String>,
    /// Determines blinks and head movement: the same seed makes the same video
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The air that the face has
    #[arg(long, value_enum, default_value_t = ExpressionName::Neutral)]
    expression: ExpressionName,
    /// How much head, gaze, brows and shoulders move, in hundredths
    #[arg(long, default_value_t = 100, value_name = "0-100", value_parser = clap::value_parser!(u8).range(0..=100))]
    motion: u8,
    /// Keep head, gaze, brows and shoulders still: the same as --motion 0
    #[arg(long)]
    still: bool,
    /// Do not blink
    #[arg(long)]
    no_blink: bool,
    /// The video encoder: auto, nvenc, x264 or openh264
    #[arg(long, default_value_t = EncoderChoice::Auto, value_name = "NAME")]
    encoder: EncoderChoice,
    /// Speed against size of the file
    #[arg(long, value_enum, default_value_t = Preset::Balanced)]
    preset: Preset,
    /// Put a visible mark on every frame: the letters AI at the lower right
    #[arg(long)]
    mark: bool,
    /// Sign the film: a PEM file with the certificate that signs and those above it (C2PA; in builds with the feature `provenance`)
    #[arg(long, value_name = "FILE", requires = "key")]
    certificates: Option<PathBuf>,
    /// The certificate's private key, PEM in PKCS#8
    #[arg(long, value_name = "FILE", requires = "certificates")]
    key: Option<PathBuf>,
    /// How the key signs: es256, es384, es512, ps256, ps384, ps512 or ed25519
    #[arg(long, value_name = "NAME", default_value = "es256")]
    algorithm: String,
    /// Print the summary as one line of JSON, and no progress
    #[arg(long)]
    json: bool,
}

/// A colour, else the picture of that name.
fn background(text: &str) -> Result<Background, RenderError> {
    let no_colour = match text.parse::<Colour>() {
        Ok(colour) => return Ok(Background::Colour(colour.0)),
        Err(e) => e,
    };
    let path = Path::new(text);
    if !path.exists() {
        return Err(RenderError::Background { got: text.to_owned(), reason: no_colour.to_string() });
    }
    let picture = load_portrait(path, &PortraitLimits::default())?;
    Ok(Background::Picture(Arc::new(picture)))
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    output: PathBuf,
    frames: u64,
    seconds: f64,
    width: u32,
    height: u32,
    /// Which part of the portrait is shown, how large, and why.
    framing: String,
    bytes: u64,
    fps: u32,
    engine: String,
    encoder: String,
    elapsed_seconds: f64,
    times_real_time: f64,
    warnings: Vec<String>,
}

/// Runs the command.
pub fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let options = RenderOptions {
        size: args.framing.size(),
        framing: args.framing.framing(),
        fps: args.fps,
        face: args.face,
        background: args.background.as_deref().map(background).transpose()?,
        engine: args.engine.engine.clone(),
        neural: args.engine.neural(),
        seed: args.seed,
        liveliness: Liveliness {
            blinks: !args.no_blink,
            motion: if args.still { 0.0 } else { f32::from(args.motion) / 100.0 },
            demeanour: args.expression.into(),
        },
        encoder: args.encoder,
        preset: match args.preset {
            Preset::Fast => FilePreset::Fast,
            Preset::Balanced => FilePreset::Balanced,
        },
        mark: args.mark,
        provenance: ProvenanceSettings {
            certificates: args.certificates.clone().unwrap_or_default(),
            key_file: args.key.clone().unwrap_or_default(),
            algorithm: args.algorithm.clone(),
        },
    };
    let stop = StopFlag::on_signals()?;
    let mut frames = FrameBar::new(args.json);
    let mut warnings = Vec::new();
    let mut used_encoder = String::new();
    let mut framing = String::new();
    let started = Instant::now();
    let done = render(&args.portrait, &args.speech, &args.output, &options, &mut |progress| {
        match progress {
            RenderProgress::Listening { seconds } => frames.doing(&format!("listening to the speech: {seconds:.0} s")),
            RenderProgress::Looking(at) => frames.doing(&looking(at)),
            RenderProgress::Ready { report, survey, encoder, frames: total } => {
                encoder.clone_into(&mut used_encoder);
                warnings.extend(report.warnings.iter().cloned());
                warnings.extend(speech_warnings(survey));
                for w in &warnings {
                    frames.note(&format!("note: {w}"));
                }
                framing = report.frame.to_string();
                frames.note(&framing);
                frames.note(&format!("{} fps, {:.1} s, encoder {encoder}", options.fps, survey.seconds));
                frames.start(total);
            }
            RenderProgress::Drawing { frames: n } => frames.at(n),
        }
        !stop.is_set()
    });
    frames.done();
    let summary = done?;
    let elapsed = started.elapsed().as_secs_f64();
    let report = Report {
        output: args.output.clone(),
        frames: summary.frames,
        seconds: summary.seconds,
        width: summary.width,
        height: summary.height,
        framing,
        bytes: summary.bytes,
        fps: args.fps.per_second(),
        engine: args.engine.engine.clone(),
        encoder: used_encoder,
        elapsed_seconds: elapsed,
        times_real_time: summary.seconds / elapsed.max(1e-3),
        warnings,
    };
    print(&report, args.json)
}

/// What is done while the face is looked for; a video takes a while.
fn looking(at: FaceSearch) -> String {
    match (at.frames, at.of_frames) {
        (0, _) => "looking for the face".to_owned(),
        (frames, Some(of)) => format!("looking for the face: {frames} of {of} frames"),
        (frames, None) => format!("looking for the face: {frames} frames"),
    }
}

fn print(r: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        say::result(serde_json::to_string(r)?)
    } else {
        say::result(format_args!(
            "{}: {} frames, {:.1} s of video, {:.1} MB, made in {:.1} s ({:.1} times real time)",
            r.output.display(),
            r.frames,
            r.seconds,
            r.bytes as f64 / 1e6,
            r.elapsed_seconds,
            r.times_real_time
        ))
    }
}
