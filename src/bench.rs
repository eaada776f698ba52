//! `mouthpiece bench`: what this machine sustains.

mod engine;

use crate::engine_args::EngineArgs;
use crate::{counting, frame, say};
use clap::{Args, Subcommand};
use mouthpiece_domain::file_kind::FileFamily;
use mouthpiece_domain::frame::{FrameSize, Framing};
use mouthpiece_engine::life::Liveliness;
use mouthpiece_engine::{Ear, Engine, OwnEngine, SpeechLevel};
use mouthpiece_media::audio::{self, SpeechBlock, SpeechReader};
use mouthpiece_media::encode::{self, EncoderChoice, EncoderQuality, EncoderSettings, FilePreset};
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_media::file_kind;
use mouthpiece_media::image::{PortraitLimits, load_portrait};
use mouthpiece_media::reference::{PrepareOptions, PreparedReference, Reference};
use mouthpiece_worker::engines::{ForEngine, with_engine};
use mouthpiece_worker::{FramePath, PortraitOptions, RenderError, load_reference};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

const FPS: u32 = 25;
/// Frames before counting starts: buffers grow, caches fill.
const WARM_UP: usize = 50;

/// Measure how fast frames are made on this machine, on one thread.
#[derive(Debug, Args)]
#[command(after_help = "Example: mouthpiece bench --portrait me.jpg --speech hello.wav --size 512")]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    #[command(subcommand)]
    part: Option<BenchPart>,
    #[command(flatten)]
    whole: FilmBenchArgs,
}

/// One part alone.
#[derive(Debug, Subcommand)]
enum BenchPart {
    /// Measure the engine alone: batches of frames, its stages, memory, by each provider that is there
    Engine(engine::EngineBenchArgs),
}

/// Films, from speech to packets.
#[derive(Debug, Args)]
struct FilmBenchArgs {
    /// The portrait; a picture is enlarged if it is smaller than `--size`, a video is taken as it is
    #[arg(long, value_name = "FILE", default_value = "samples/portrait.png")]
    portrait: PathBuf,
    /// What is said, repeated as often as needed
    #[arg(long, value_name = "FILE", default_value = "samples/speech.wav")]
    speech: PathBuf,
    /// Longer side in pixels
    #[arg(long, default_value_t = FrameSize::USUAL, value_parser = frame::size())]
    size: FrameSize,
    #[command(flatten)]
    engine: EngineArgs,
    /// Frames to count
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    frames: u32,
    /// The video encoder: auto, nvenc, x264 or openh264
    #[arg(long, default_value_t = EncoderChoice::X264, value_name = "NAME")]
    encoder: EncoderChoice,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Milliseconds a frame.
#[derive(Debug, Serialize)]
struct BenchStage {
    mean: f64,
    p50: f64,
    p99: f64,
}

/// One way of moving, measured.
#[derive(Debug, Serialize)]
struct Run {
    head: bool,
    frames_per_second: f64,
    listen_ms: BenchStage,
    draw_ms: BenchStage,
    encode_ms: BenchStage,
    /// Time of a whole frame over that of its encoding alone.
    times_encoding: f64,
    /// Allocations a frame by listening and drawing.
    allocations_listen: f64,
    allocations_draw: f64,
    kilobits_per_second: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    size: [u32; 2],
    encoder: String,
    frames: u32,
    prepare_ms: f64,
    runs: Vec<Run>,
    peak_memory_mib: Option<f64>,
}

/// Runs the command.
pub fn run(BenchArgs { part, whole: args }: &BenchArgs) -> anyhow::Result<()> {
    if let Some(BenchPart::Engine(args)) = part {
        return engine::run(args);
    }
    with_engine(&args.engine.engine, &args.engine.neural(), Bench(args))?
}

struct Bench<'a>(&'a FilmBenchArgs);

impl ForEngine for Bench<'_> {
    type Output = anyhow::Result<()>;

    fn with<E: Engine>(self, engine: E) -> Self::Output {
        bench(&engine, self.0)
    }
}

fn bench<E: Engine>(engine: &E, args: &FilmBenchArgs) -> anyhow::Result<()> {
    let reference = reference(&args.portrait, args.size)?;
    let first = &reference.frames[0].picture;
    let size = [first.width() as u32, first.height() as u32];
    let avatar_frames = reference.frames.len();
    let started = Instant::now();
    let avatar = Arc::new(engine.prepare(reference)?);
    let prepare_ms = started.elapsed().as_secs_f64() * 1e3;
    let sound = sound(&args.speech)?;
    let mut encoder = String::new();
    let mut runs = Vec::new();
    // A video moves by itself.
    let heads = if avatar_frames == 1 { &[false, true][..] } else { &[false] };
    for &head in heads {
        runs.push(measure(engine, args, (&avatar, avatar_frames), size, &sound, head, &mut encoder)?);
    }
    let report = Report { size, encoder, frames: args.frames, prepare_ms, runs, peak_memory_mib: peak_memory() };
    print(&report, args.json)
}

/// The portrait at the asked size, enlarged if need be: only speed is measured.
fn reference(portrait: &Path, size: FrameSize) -> anyhow::Result<Reference> {
    if file_kind(portrait).is_ok_and(|kind| kind.family() != FileFamily::Picture) {
        let options = PortraitOptions {
            size: size.pixels(),
            framing: Framing::default(),
            face: None,
            fps: FPS,
            background: None,
        };
        let mut finder = FaceFinder::new(&Runtime::get().map_err(RenderError::from)?).map_err(RenderError::from)?;
        return Ok(load_reference(portrait, options, &mut finder)?.reference);
    }
    let picture = load_portrait(portrait, &PortraitLimits::default()).map_err(RenderError::from)?;
    let scale = (size.pixels() as f32 / picture.width().max(picture.height()) as f32).max(1.0);
    let [w, h] = [picture.width(), picture.height()].map(|s| ((s as f32 * scale).round() as u32).max(2));
    let picture = image::imageops::resize(&picture, w, h, image::imageops::FilterType::CatmullRom);
    let mut finder = FaceFinder::new(&Runtime::get().map_err(RenderError::from)?).map_err(RenderError::from)?;
    let options = PrepareOptions { size: size.pixels(), ..PrepareOptions::default() };
    let prepared = PreparedReference::from_portrait(&picture, &mut finder, &options)
        .map_err(|source| RenderError::Reference { file: portrait.into(), source })?;
    Ok(prepared.reference)
}

struct Sound {
    samples: Vec<f32>,
    level: SpeechLevel,
}

fn sound(speech: &Path) -> anyhow::Result<Sound> {
    let survey =
        audio::survey(speech, &audio::SpeechLimits { max_seconds: 600.0 }, &mut |_| true).map_err(RenderError::from)?;
    let mut reader = SpeechReader::open_mixed(speech, survey.mix).map_err(RenderError::from)?;
    let (mut block, mut samples) = (SpeechBlock::default(), Vec::new());
    while reader.read(&mut block).map_err(RenderError::from)? {
        samples.extend_from_slice(&block.speech);
    }
    Ok(Sound { samples, level: SpeechLevel::of_recording(survey.active_rms, survey.level_95_db) })
}

fn measure<E: Engine>(
    engine: &E,
    args: &FilmBenchArgs,
    (avatar, references): (&Arc<E::Avatar>, usize),
    [width, height]: [u32; 2],
    sound: &Sound,
    head: bool,
    name: &mut String,
) -> anyhow::Result<Run> {
    let quality = EncoderQuality::File { preset: FilePreset::Fast };
    let settings = EncoderSettings { width, height, fps: (FPS, 1), quality, gop_frames: 100 };
    let mut encoder = encode::open(args.encoder, &settings).map_err(RenderError::from)?;
    encoder.name().clone_into(name);
    let mut ear = engine.ear(sound.level);
    let liveliness = if head { Liveliness::default() } else { Liveliness::STILL };
    let mut path = FramePath::new(OwnEngine::new(engine.clone(), Arc::clone(avatar)), references, FPS, 1, liveliness);
    let per_frame = 16_000 / FPS as usize;
    let pieces: Vec<&[f32]> = sound.samples.chunks_exact(per_frame).collect();
    anyhow::ensure!(!pieces.is_empty(), "the speech is shorter than one frame");

    let total = args.frames as usize + WARM_UP;
    let mut times = [Vec::with_capacity(total), Vec::with_capacity(total), Vec::with_capacity(total)];
    let mut allocations = [0, 0];
    let (mut bytes, mut heard_pieces) = (0, 0);
    for n in 0..total {
        let counted = n >= WARM_UP;
        let before = counting::allocations();
        let t0 = Instant::now();
        let heard = loop {
            if let Some(heard) = ear.cue(path.next_middle()) {
                break heard;
            }
            ear.hear(pieces[heard_pieces % pieces.len()]);
            heard_pieces += 1;
        };
        let t1 = Instant::now();
        let between = counting::allocations();
        let picture = path.draw(heard)?;
        let t2 = Instant::now();
        let after = counting::allocations();
        encoder.encode(picture, n as i64, false, &mut |p| bytes += p.data.len()).map_err(RenderError::from)?;
        let t3 = Instant::now();
        if counted {
            allocations[0] += between - before;
            allocations[1] += after - between;
            for (list, d) in times.iter_mut().zip([t1 - t0, t2 - t1, t3 - t2]) {
                list.push(d.as_secs_f64() * 1e3);
            }
        }
    }
    let whole: f64 = times.iter().flatten().sum();
    let encoding: f64 = times[2].iter().sum();
    let frames = f64::from(args.frames);
    let [listen_ms, draw_ms, encode_ms] = times.map(stage);
    Ok(Run {
        head,
        frames_per_second: frames / whole * 1e3,
        listen_ms,
        draw_ms,
        encode_ms,
        times_encoding: whole / encoding,
        allocations_listen: allocations[0] as f64 / frames,
        allocations_draw: allocations[1] as f64 / frames,
        kilobits_per_second: bytes as f64 * 8.0 * f64::from(FPS) / total as f64 / 1e3,
    })
}

fn stage(mut times: Vec<f64>) -> BenchStage {
    times.sort_by(f64::total_cmp);
    let at = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
    BenchStage { mean: times.iter().sum::<f64>() / times.len() as f64, p50: at(0.5), p99: at(0.99) }
}

/// The most memory that this process ever held, from the kernel.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kb| kb / 1024.0)
}

fn print(r: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        return say::result(serde_json::to_string_pretty(r)?);
    }
    say::result(format_args!("{}x{}, {} frames, encoder {}, one thread", r.size[0], r.size[1], r.frames, r.encoder))?;
    say::result(format_args!("prepare the avatar (after the face was found): {:.1} ms", r.prepare_ms))?;
    for run in &r.runs {
        say::result(format_args!(
            "head {:<6} {:6.0} frames/s = {:.2} times the time of encoding alone, {:.0} kbit/s",
            if run.head { "moves" } else { "still" },
            run.frames_per_second,
            run.times_encoding,
            run.kilobits_per_second
        ))?;
        for (name, s) in [("listen", &run.listen_ms), ("draw", &run.draw_ms), ("encode", &run.encode_ms)] {
            say::result(format_args!("  {name:<8} mean {:.3}  p50 {:.3}  p99 {:.3} ms", s.mean, s.p50, s.p99))?;
        }
        say::result(format_args!(
            "  allocations a frame: listen {:.2}, draw {:.2}",
            run.allocations_listen, run.allocations_draw
        ))?;
    }
    if let Some(mib) = r.peak_memory_mib {
        say::result(format_args!("peak memory {mib:.0} MiB"))?;
    }
    Ok(())
}
