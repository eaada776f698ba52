//! `mouthpiece loadtest`: what a farm carries.

mod assign;
#[cfg(feature = "cloud")]
mod chaos;
mod live;
mod scenario;
mod simulate;

use crate::say;
use clap::{Args, Subcommand};
use mouthpiece_loadtest::{ControlOptions, ControlReport, Latency, control_events};
use serde::Serialize;

/// Load the farm's control without engines, or a running farm with live sessions; or break one.
#[derive(Debug, Args)]
pub struct LoadtestArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sessions through coordinators to workers that have no engine: how many a second, how soon, and whether the books are right
    #[command(after_help = assign::EXAMPLES)]
    Assign(assign::AssignArgs),
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
    /// A scenario of a file: live sessions, what goes wrong, and targets that it is judged by
    #[command(after_help = scenario::EXAMPLES)]
    Run(scenario::ScenarioArgs),
    /// A fleet under virtual time: what a day costs, and how large a warm pool has to be
    #[command(after_help = simulate::EXAMPLES)]
    Simulate(simulate::SimulateArgs),
    /// A farm of real processes and servers while everything breaks at random: proves that nothing is lost, doubled or misbilled
    #[cfg(feature = "cloud")]
    #[command(after_help = "Examples:\n  \
        mouthpiece loadtest chaos                      ten minutes\n  \
        mouthpiece loadtest chaos --seconds 30 --seed 7\n  \
        mouthpiece loadtest chaos --seed 7 --plan      what would happen, and when\n  \
        mouthpiece loadtest chaos --history run.jsonl --logs logs\n  \
        mouthpiece loadtest chaos --only worker-kills --lease usual --minutes 4    how soon are sessions served again?\n\n\
        It starts private servers (Postgres, RabbitMQ, Redis of this machine's packages, and an S3 server), coordinators and \
        workers on free ports, with its own data, and touches nothing else. Workers and coordinators are killed, paused, \
        asked to end, drained and cut off, servers are killed and paused. What everybody says becomes a history, which is \
        checked: it fails when a rule was broken. docs/chaos.md tells how to read it.")]
    Chaos(chaos::ChaosArgs),
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
        What::Assign(args) => assign::run(args),
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
        What::Run(args) => scenario::run(args),
        What::Simulate(args) => simulate::run(args),
        #[cfg(feature = "cloud")]
        What::Chaos(args) => chaos::run(args),
    }
}

fn json(report: &impl Serialize) -> anyhow::Result<()> {
    say::result(serde_json::to_string_pretty(report)?)
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
