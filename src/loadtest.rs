//! `mouthpiece loadtest`: what a farm carries.

#[cfg(feature = "cloud")]
mod chaos;
mod live;

use crate::say;
use clap::{Args, Subcommand};
use mouthpiece_loadtest::{
    AssignOptions, AssignReport, ControlOptions, ControlReport, Latency, Pace, assign, control_events,
};
use serde::Serialize;
use std::path::PathBuf;

/// Load the farm's control without engines, or a running farm with live sessions; or break one.
#[derive(Debug, Args)]
pub struct LoadtestArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sessions through a whole farm in this process: coordinator, SQLite on disk, and workers that finish at once
    #[command(after_help = "Examples:\n  \
        mouthpiece loadtest assign                    flat out: sessions a second\n  \
        mouthpiece loadtest assign --rate 200         by a timetable: from asking to assigned\n  \
        mouthpiece loadtest assign --rate 200 --http  the same through the HTTP server, with uploads\n  \
        mouthpiece loadtest assign --folder .         with the SQLite file on this disk\n\n\
        It fails when an accepted session is not accounted for, whatever the figures.")]
    Assign(AssignArgs),
    /// The brain alone, under virtual time: events a second with many workers known
    #[command(after_help = "Examples:\n  \
        mouthpiece loadtest control                   a million events, 10000 workers half busy\n  \
        mouthpiece loadtest control --load 1.5        more sessions than slots: the queue is full")]
    Control(ControlArgs),
    /// Live sessions of a running farm: callers push speech, viewers watch, everything is measured from outside
    #[command(after_help = "Examples (mouthpiece up runs; its key is in MOUTHPIECE_KEY):\n  \
        mouthpiece loadtest live                       two sessions, spoken to as people speak\n  \
        mouthpiece loadtest live --at-once             as a speech engine pushes\n  \
        mouthpiece loadtest live --interrupt --ppm 200 --jitter 30\n\n\
        The farm needs as many slots: MOUTHPIECE_WORKER__SLOTS=16 mouthpiece up")]
    Live(live::LiveArgs),
    /// A farm of real processes and servers while everything breaks at random: proves that nothing is lost, doubled or misbilled
    #[cfg(feature = "cloud")]
    #[command(after_help = "Examples:\n  \
        mouthpiece loadtest chaos                      ten minutes\n  \
        mouthpiece loadtest chaos --seconds 30 --seed 7\n  \
        mouthpiece loadtest chaos --seed 7 --plan      what would happen, and when\n  \
        mouthpiece loadtest chaos --history run.jsonl --logs logs\n\n\
        It starts private servers (Postgres, RabbitMQ, Redis of this machine's packages, and an S3 server), coordinators and \
        workers on free ports, with its own data, and touches nothing else. Workers and coordinators are killed, paused, \
        asked to end, drained and cut off, servers are killed and paused. What everybody says becomes a history, which is \
        checked: it fails when a rule was broken. docs/chaos.md tells how to read it.")]
    Chaos(chaos::ChaosArgs),
}

#[derive(Debug, Args)]
struct AssignArgs {
    /// Workers
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    workers: u32,
    /// Slots a worker
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    slots: u8,
    /// Sessions in all; the first tenth warms up and does not count
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(10..=10_000_000))]
    sessions: u64,
    /// Sessions under way at a time; as many as there are slots if not given
    #[arg(long, value_name = "N", conflicts_with = "rate", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    in_flight: Option<u32>,
    /// Ask by a timetable, so many a second, instead of flat out
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Post renders to the HTTP server, each with a short recording, instead of asking the farm itself
    #[arg(long)]
    http: bool,
    /// Where the SQLite file lies meanwhile [default: the system's folder for temporary files]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ControlArgs {
    /// Events to handle
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Workers known
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    workers: u32,
    /// Slots a worker
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    slots: u8,
    /// Sessions that arrive, as a share of what the slots can hold; more than 1 fills the queue
    #[arg(long, default_value_t = 0.5)]
    load: f64,
    /// Determines the run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &LoadtestArgs) -> anyhow::Result<()> {
    match &args.what {
        What::Assign(args) => {
            let in_flight = args.in_flight.unwrap_or_else(|| (args.workers * u32::from(args.slots)).min(10_000));
            let pace = args.rate.map_or(Pace::FlatOut { in_flight }, Pace::PerSecond);
            let report = assign(&AssignOptions {
                workers: args.workers,
                slots: args.slots,
                sessions: args.sessions,
                pace,
                over_http: args.http,
                folder: args.folder.clone(),
            })?;
            if args.json { json(&report) } else { print_assign(&report, args) }
        }
        What::Control(args) => {
            let report = control_events(&ControlOptions {
                events: args.events,
                workers: args.workers,
                slots: args.slots,
                load: args.load,
                seed: args.seed,
            })?;
            if args.json { json(&report) } else { print_control(&report) }
        }
        What::Live(args) => live::run(args),
        #[cfg(feature = "cloud")]
        What::Chaos(args) => chaos::run(args),
    }
}

fn json(report: &impl Serialize) -> anyhow::Result<()> {
    say::result(serde_json::to_string_pretty(report)?)
}

fn print_assign(r: &AssignReport, args: &AssignArgs) -> anyhow::Result<()> {
    say::result(format_args!(
        "{} sessions in {:.1} s = {:.0} a second, on {} workers of {} slots; {} turned away",
        r.sessions, r.seconds, r.sessions_per_second, args.workers, args.slots, r.turned_away
    ))?;
    for (name, l) in
        [("asked to accepted", &r.accepted_ms), ("asked to assigned", &r.assigned_ms), ("asked to ended", &r.ended_ms)]
    {
        print_latency(name, l)?;
    }
    say::result(format_args!(
        "audit: {} sessions accepted, each ended once; {} placed again; {} s delivered and booked",
        r.audit.sessions,
        r.audit.placed_again,
        r.audit.delivered_ms / 1000
    ))
}

fn print_latency(name: &str, l: &Latency) -> anyhow::Result<()> {
    say::result(format_args!(
        "  {name:<22} mean {:8.2}  p50 {:8.2}  p90 {:8.2}  p99 {:8.2}  max {:8.2} ms",
        l.mean, l.p50, l.p90, l.p99, l.max
    ))
}

fn print_control(r: &ControlReport) -> anyhow::Result<()> {
    say::result(format_args!(
        "{} events in {:.2} s = {:.2} million a second ({:.2} s more to make them), {} workers known",
        r.events,
        r.seconds,
        r.events_per_second / 1e6,
        r.making_seconds,
        r.workers
    ))?;
    let e = &r.event_ms;
    say::result(format_args!("  an event: p50 {:.4}  p99 {:.4}  max {:.2} ms", e.p50, e.p99, e.max))?;
    for (name, sort) in &r.sorts {
        say::result(format_args!("  {name:<10} {:>9}  mean {:8.2} us", sort.events, sort.mean_us))?;
    }
    say::result(format_args!(
        "sessions: {} accepted, each ended; {} turned away; {} placed again",
        r.accepted, r.turned_away, r.requeued
    ))
}
