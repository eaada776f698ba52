//! `mouthpiece bench engine`: what the engine alone makes of frames, by each provider that is there.

use super::{BenchStage, Sound, peak_memory, reference, sound, stage};
use crate::engine_args::EngineArgs;
use crate::{frame, say};
use anyhow::{Context, ensure};
use clap::Args;
use mouthpiece_domain::frame::FrameSize;
use mouthpiece_engine::{Cue, Ear, Engine, EngineTick, Expression, RestorationOutcome};
use mouthpiece_worker::engines::{ForEngine, providers_of, with_engine};
use mouthpiece_worker_settings::NeuralProvider;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The ear's rate in pieces, and that of the frames that it hears for.
const FPS: usize = 25;
/// Calls before counting starts: memory is made, kernels are chosen.
const WARM_UP: u32 = 3;
/// Frames that are listened for at most, to find some with a voice in them.
const LISTENED: usize = 60 * FPS;

/// Measure the engine alone.
#[derive(Debug, Args)]
#[command(after_help = "Example: mouthpiece bench engine --engine musetalk --twin --batches 1,2,4,8 --json")]
pub struct EngineBenchArgs {
    /// The portrait; it is enlarged if it is smaller than `--size`
    #[arg(long, value_name = "FILE", default_value = "samples/portrait.png")]
    portrait: PathBuf,
    /// What is heard
    #[arg(long, value_name = "FILE", default_value = "samples/speech.wav")]
    speech: PathBuf,
    /// Longer side in pixels
    #[arg(long, default_value_t = FrameSize::USUAL, value_parser = frame::size())]
    size: FrameSize,
    #[command(flatten)]
    engine: EngineArgs,
    /// Take the small twins of the graphs in models/twins: they show that all works, not how fast the real ones are
    #[arg(long, conflicts_with_all = ["graphs", "random_weights"])]
    twin: bool,
    /// The graphs that --graphs names have random weights, as `mouthpiece models export --random-weights` makes them: as fast as the real
    /// ones, and no face
    #[arg(long, requires = "graphs")]
    random_weights: bool,
    /// How many frames are drawn at once, one measurement each
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "1,2,4,8", value_parser = clap::value_parser!(u8).range(1..=64))]
    batches: Vec<u8>,
    /// Calls of each batch to count
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct EngineReport {
    engine: String,
    size: [u32; 2],
    /// What the graphs hold.
    weights: String,
    providers: Vec<ProviderReport>,
}

/// What one provider makes of it.
#[derive(Debug, Serialize)]
struct ProviderReport {
    provider: &'static str,
    /// Why it was not measured.
    refused: Option<String>,
    /// What the engine says of how it was loaded.
    about: Option<String>,
    prepare_ms: f64,
    /// Listening, milliseconds a frame.
    listen_ms: f64,
    batches: Vec<BatchReport>,
    /// The most memory that the process held up to then, those measured before included.
    peak_memory_mib: Option<f64>,
}

#[derive(Debug, Serialize)]
struct BatchReport {
    /// Frames drawn at once.
    batch: usize,
    call_ms: BenchStage,
    frames_per_second: f64,
    stages: Vec<StageReport>,
}

/// What a part of the work took. Restoration works beside the calls, on a thread of its own: it is no part of their times, and each mouth is
/// waited for here as a film waits.
#[derive(Debug, Serialize)]
struct StageReport {
    name: &'static str,
    ms_a_frame: f64,
}

/// Runs the command.
pub fn run(args: &EngineBenchArgs) -> anyhow::Result<()> {
    let (weights, engine_args) = (weights(args)?, engine_args(args)?);
    let (name, neural) = (&engine_args.engine, engine_args.neural());
    let face = reference(&args.portrait, args.size)?;
    let first = &face.frames[0].picture;
    let size = [first.width() as u32, first.height() as u32];
    let sound = sound(&args.speech)?;
    let there = providers_of(name, &neural)?;
    let alone = there.len() == 1;
    let mut providers = Vec::new();
    for provider in there {
        let mut neural = neural.clone();
        if neural.provider == NeuralProvider::Auto {
            neural.provider = provider;
        }
        let trial = EngineTrial { args, provider: provider.name(), face: face.clone(), sound: &sound };
        providers.push(match with_engine(name, &neural, trial) {
            Ok(report) => report?,
            Err(e) if alone => return Err(e.into()),
            Err(e) => ProviderReport::refused(provider.name(), e.to_string()),
        });
    }
    print(&EngineReport { engine: name.clone(), size, weights, providers }, args.json)
}

fn engine_args(args: &EngineBenchArgs) -> anyhow::Result<EngineArgs> {
    if !args.twin {
        return Ok(args.engine.clone());
    }
    let twins = Path::new("models/twins");
    ensure!(twins.is_dir(), "--twin: there is no folder models/twins here: run it in the folder of the source code");
    Ok(args.engine.clone().with_graphs(twins.to_owned()))
}

/// What is known of the weights, for the report. A claim that they are random is looked at: figures are told under it.
fn weights(args: &EngineBenchArgs) -> anyhow::Result<String> {
    if args.twin {
        return Ok("twins, tiny and random".to_owned());
    }
    let Some(graphs) = args.engine.graphs() else { return Ok("as they are".to_owned()) };
    let note = std::fs::read(graphs.join("graphs.json")).ok();
    let noted = note.and_then(|note| serde_json::from_slice::<serde_json::Value>(&note).ok());
    let of = noted.as_ref().and_then(|noted| noted["unet"]["of"].as_str()).unwrap_or("unknown").to_owned();
    if args.random_weights && of != "random weights" {
        let remedy = "make them with 'mouthpiece models export --random-weights --out FOLDER' and name FOLDER";
        return Err(anyhow::anyhow!("--random-weights: graphs.json in {} says \"{of}\": {remedy}", graphs.display()));
    }
    Ok(of)
}

/// One engine, measured.
struct EngineTrial<'a> {
    args: &'a EngineBenchArgs,
    provider: &'static str,
    face: mouthpiece_media::reference::Reference,
    sound: &'a Sound,
}

impl ForEngine for EngineTrial<'_> {
    type Output = anyhow::Result<ProviderReport>;

    fn with<E: Engine>(self, mut engine: E) -> Self::Output {
        let Self { args, provider, face, sound } = self;
        let began = Instant::now();
        let avatar = engine.prepare(face)?;
        let prepare_ms = began.elapsed().as_secs_f64() * 1e3;
        let most = args.batches.iter().copied().max().unwrap_or(1).into();
        let (cues, listen_ms) = listen(&engine, sound, most)?;
        let mut seats: Vec<E::Seat> = (0..most).map(|_| E::seat(&avatar)).collect();
        let restorations = engine.restorations();
        let mut batches = Vec::new();
        for batch in args.batches.iter().map(|batch| usize::from(*batch)) {
            let (mut times, mut restoring) = (Vec::with_capacity(args.calls as usize), Duration::ZERO);
            for call in 0..args.calls + WARM_UP {
                if call == WARM_UP {
                    engine.take_stages();
                }
                let tick = |(seat, cue)| {
                    let (avatar, expression) = (&avatar, Expression::default());
                    EngineTick { avatar, seat, reference: 0, cue, expression }
                };
                let mut ticks: Vec<EngineTick<'_, E>> = seats.iter_mut().zip(&cues).take(batch).map(tick).collect();
                let began = Instant::now();
                engine.draw(&mut ticks)?;
                if call >= WARM_UP {
                    times.push(began.elapsed().as_secs_f64() * 1e3);
                }
                if restorations.is_some() {
                    let began = Instant::now();
                    seats.iter_mut().take(batch).try_for_each(|seat| E::finish(&avatar, seat, None))?;
                    restoring += if call >= WARM_UP { began.elapsed() } else { Duration::ZERO };
                }
            }
            let (frames, whole) = (f64::from(args.calls) * batch as f64, times.iter().sum::<f64>());
            let told = engine.take_stages().into_iter().filter(|stage| stage.runs > 0);
            let of_frame = |s: mouthpiece_engine::EngineStage| StageReport {
                name: s.name,
                ms_a_frame: s.took.as_secs_f64() * 1e3 / frames,
            };
            let mut stages: Vec<StageReport> = told.map(of_frame).collect();
            if let Some(restorations) = &restorations {
                let failed = restorations.count(RestorationOutcome::Failed);
                ensure!(
                    failed == 0,
                    "the network that restores mouths failed: take --restore away to measure the rest"
                );
                stages.push(StageReport { name: "restoration", ms_a_frame: restoring.as_secs_f64() * 1e3 / frames });
            }
            batches.push(BatchReport { batch, call_ms: stage(times), frames_per_second: frames / whole * 1e3, stages });
        }
        let peak_memory_mib = peak_memory();
        let about = engine.about();
        Ok(ProviderReport { provider, refused: None, about, prepare_ms, listen_ms, batches, peak_memory_mib })
    }
}

impl ProviderReport {
    fn refused(provider: &'static str, why: String) -> Self {
        Self {
            provider,
            refused: Some(why),
            about: None,
            prepare_ms: 0.0,
            listen_ms: 0.0,
            batches: Vec::new(),
            peak_memory_mib: None,
        }
    }
}

/// Cues of frames with a voice in them, and what listening took, milliseconds a frame.
fn listen<E: Engine>(engine: &E, sound: &Sound, wanted: usize) -> anyhow::Result<(Vec<E::Cue>, f64)> {
    let mut ear = engine.live_ear();
    let pieces: Vec<&[f32]> = sound.samples.chunks_exact(16_000 / FPS).collect();
    ensure!(!pieces.is_empty(), "the speech is shorter than one frame");
    let (mut cues, mut heard, mut frames) = (Vec::new(), 0, 0);
    let began = Instant::now();
    while cues.len() < wanted && frames < LISTENED {
        let middle = (frames as f64 + 0.5) / FPS as f64;
        let found = loop {
            if let Some(found) = ear.cue(middle) {
                break found;
            }
            ear.hear(pieces[heard % pieces.len()]);
            heard += 1;
        };
        frames += 1;
        if !found.cue.is_rest() {
            cues.push(found.cue);
        }
    }
    let listen_ms = began.elapsed().as_secs_f64() * 1e3 / frames as f64;
    (cues.len() == wanted).then_some((cues, listen_ms)).context("the speech holds too little voice: give another")
}

fn print(r: &EngineReport, json: bool) -> anyhow::Result<()> {
    if json {
        return say::result(serde_json::to_string_pretty(r)?);
    }
    say::result(format_args!("{}, {}x{}, weights: {}", r.engine, r.size[0], r.size[1], r.weights))?;
    for provider in &r.providers {
        if let Some(why) = &provider.refused {
            say::result(format_args!("{}: not measured: {why}", provider.provider))?;
            continue;
        }
        let memory = provider.peak_memory_mib.map_or_else(String::new, |mib| format!(", peak memory {mib:.0} MiB"));
        let (name, prepare, listen) = (provider.provider, provider.prepare_ms, provider.listen_ms);
        say::result(format_args!("{name}: prepare {prepare:.1} ms, listen {listen:.2} ms a frame{memory}"))?;
        if let Some(about) = &provider.about {
            say::result(format_args!("  {about}"))?;
        }
        say::result("  batch   ms a call        p99   frames/s   ms a frame")?;
        for BatchReport { batch, call_ms, frames_per_second, stages } in &provider.batches {
            let stages: Vec<String> = stages.iter().map(|s| format!("{} {:.2}", s.name, s.ms_a_frame)).collect();
            let (mean, p99) = (call_ms.mean, call_ms.p99);
            say::result(format_args!(
                "  {batch:>5} {mean:>11.2} {p99:>10.2} {frames_per_second:>10.1}   {}",
                stages.join(", ")
            ))?;
        }
    }
    Ok(())
}
