//! `mouthpiece loadtest live`: callers and viewers of live sessions.

use super::{json, print_latency};
use crate::{frame, say};
use anyhow::Context;
use clap::Args;
use mouthpiece_domain::frame::{FrameRate, FrameSize};
use mouthpiece_loadtest::{LiveFaults, LiveOptions, LiveReport, SpeechPush, live, live_in_turn};
use std::path::PathBuf;
use std::time::Duration;

/// The options.
#[derive(Debug, Args)]
pub struct LiveArgs {
    /// The farm to load: mouthpiece up
    #[arg(long, default_value = "http://127.0.0.1:8000", value_name = "URL")]
    url: String,
    /// An API key's secret (mouthpiece keys create) [default: the variable MOUTHPIECE_KEY]
    #[arg(long, value_name = "SECRET")]
    key: Option<String>,
    /// Whose face
    #[arg(long, default_value = "samples/portrait.png", value_name = "FILE")]
    portrait: PathBuf,
    /// What is said, three seconds of it again and again
    #[arg(long, default_value = "samples/speech.wav", value_name = "FILE")]
    speech: PathBuf,
    /// Sessions at a time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    sessions: u32,
    /// Viewers of each session
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    viewers: u32,
    /// For how many seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(2..=86_400))]
    seconds: u64,
    /// Push each utterance at once, as a speech engine does, instead of as it is spoken
    #[arg(long, conflicts_with_all = ["ppm", "jitter"])]
    at_once: bool,
    /// The speaker's clock runs so much faster than nominal, parts per million
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-10_000..=10_000))]
    ppm: i32,
    /// Pieces come late by up to so many milliseconds
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1000))]
    jitter: u32,
    /// Interrupt every third utterance
    #[arg(long)]
    interrupt: bool,
    /// Instead: open and close so many sessions one after the other, each watched until its first frame
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    in_turn: Option<u32>,
    /// Longer side of the video
    #[arg(long, default_value_t = FrameSize::USUAL, value_parser = frame::size_within(FrameSize::LIVE_BOUNDS))]
    size: FrameSize,
    /// Frames a second, 25 or 30
    #[arg(long, default_value_t = FrameRate::default(), value_parser = frame::rate)]
    fps: FrameRate,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &LiveArgs) -> anyhow::Result<()> {
    let push =
        if args.at_once { SpeechPush::AtOnce } else { SpeechPush::RealTime { ppm: args.ppm, jitter_ms: args.jitter } };
    let key = args.key.clone().or_else(|| std::env::var("MOUTHPIECE_KEY").ok());
    let options = LiveOptions {
        url: args.url.clone(),
        key: key.context("name an API key: --key, or the variable MOUTHPIECE_KEY")?,
        portrait: args.portrait.clone(),
        speech: args.speech.clone(),
        sessions: args.sessions,
        viewers: args.viewers,
        time: Duration::from_secs(args.seconds),
        push,
        interrupt_every: if args.interrupt { 3 } else { 0 },
        talk_ratio: None,
        arrival: Duration::ZERO,
        faults: LiveFaults::default(),
        size: args.size,
        fps: args.fps,
    };
    if let Some(count) = args.in_turn {
        let first_frame = live_in_turn(&options, count)?;
        return if args.json { json(&first_frame) } else { print_latency("asked to first frame", &first_frame) };
    }
    let report = live(&options)?;
    if args.json { json(&report) } else { print(&report, args) }
}

fn print(r: &LiveReport, args: &LiveArgs) -> anyhow::Result<()> {
    say::result(format_args!(
        "{} sessions with {} viewers each for {} s: {} frames, {:.2} a second, {:.3}% missing, {:.0} kbit/s",
        r.sessions,
        args.viewers,
        args.seconds,
        r.frames,
        r.fps,
        r.missing * 100.0,
        r.bits_per_second / 1000.0
    ))?;
    for (name, l) in [
        ("offered to connected", &r.join_ms),
        ("asked to first frame", &r.first_frame_ms),
        ("sound in to sound out", &r.voice_ms),
        ("sound in to its frame", &r.lips_ms),
        ("interrupt to silence", &r.silence_ms),
    ] {
        if l.count > 0 {
            print_latency(name, l)?;
        }
    }
    if let Some(skew) = r.skew_ms {
        say::result(format_args!(
            "  video after sound: {:+.1} ms at 1 s, {:+.1} ms at the end, 99% within {:.1}, most {:.1} (worst session)",
            skew.at_start, skew.at_end, skew.p99, skew.most
        ))?;
    }
    say::result(format_args!(
        "  the farm missed {:.3}% of its ticks; its stages, worst session:",
        r.ticks_missed * 100.0
    ))?;
    for (stage, p50, p99) in &r.stages {
        say::result(format_args!("    {stage:<12} p50 {p50:7.2}  p99 {p99:7.2} ms"))?;
    }
    Ok(())
}
