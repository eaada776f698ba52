//! `mouthpiece loadtest chaos`: a farm of real processes while everything breaks at random.

use super::json;
use crate::say;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use mouthpiece_loadtest::chaos::checker::{CheckTerms, Spread, check};
use mouthpiece_loadtest::chaos::history::read_history;
use mouthpiece_loadtest::chaos::plan::{ChaosPlan, FaultChoice, PlanTerms};
use mouthpiece_loadtest::chaos::{ChaosLease, ChaosOptions, ChaosReport, chaos};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

/// What may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Breaks {
    /// Everything
    All,
    /// Workers are killed, one every ten seconds or so, under live sessions: how soon are they served again?
    WorkerKills,
}

/// How long leases last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lease {
    /// 2.5 s, so that much can happen in a short run
    Short,
    /// As the settings have them by default
    Usual,
}

/// The options.
#[derive(Debug, Args)]
pub struct ChaosArgs {
    /// For how many minutes callers come and things break
    #[arg(long, default_value_t = 10, value_name = "M", value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
    /// The same in seconds, for a short run
    #[arg(long, value_name = "S", conflicts_with = "minutes", value_parser = clap::value_parser!(u64).range(5..=86_400))]
    seconds: Option<u64>,
    /// Determines who comes and what breaks, and when
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Workers
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=16))]
    workers: u8,
    /// Coordinators; a single one is left alone
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    coordinators: u8,
    /// Slots of each worker
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    slots: u8,
    /// What breaks
    #[arg(long, value_enum, default_value = "all", value_name = "WHAT")]
    only: Breaks,
    /// How long leases last
    #[arg(long, value_enum, default_value = "short")]
    lease: Lease,
    /// Whose face
    #[arg(long, default_value = "samples/portrait.png", value_name = "FILE")]
    portrait: PathBuf,
    /// Write the history here: a line of JSON an event
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Keep the logs of all processes in this folder
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
    /// Only check a history that was written before
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "history", "logs"])]
    check: Option<PathBuf>,
    /// Only print who would come and what would break
    #[arg(long)]
    plan: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command. A broken rule is a failure.
pub fn run(args: &ChaosArgs) -> anyhow::Result<()> {
    let choice = match args.only {
        Breaks::All => FaultChoice::All,
        Breaks::WorkerKills => FaultChoice::WorkerKills,
    };
    let length = Duration::from_secs(args.seconds.unwrap_or(args.minutes * 60));
    if args.plan {
        let ChaosArgs { seed, workers, coordinators, slots, .. } = *args;
        let length_ms = length.as_secs() * 1000;
        return print_plan(&ChaosPlan::new(&PlanTerms { seed, length_ms, workers, coordinators, slots, choice }));
    }
    if let Some(file) = &args.check {
        let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let history = read_history(&text)?;
        let seconds = history.last().map_or(0.0, |event| event.at_ms as f64 / 1000.0);
        return judge(&ChaosReport { verdict: check(&history, &CheckTerms::default()), seconds }, args);
    }
    let options = ChaosOptions {
        program: std::env::current_exe().context("this program does not know where it is")?,
        seed: args.seed,
        length,
        workers: args.workers,
        coordinators: args.coordinators,
        slots: args.slots,
        choice,
        lease: match args.lease {
            Lease::Short => ChaosLease::Short,
            Lease::Usual => ChaosLease::Usual,
        },
        portrait: args.portrait.clone(),
        history: args.history.clone(),
        logs: args.logs.clone(),
    };
    judge(&chaos(&options, &|line| say::aside(line))?, args)
}

/// Prints what a run showed; a broken rule is a failure.
fn judge(report: &ChaosReport, args: &ChaosArgs) -> anyhow::Result<()> {
    if args.json {
        json(report)?;
    } else {
        print(report)?;
    }
    match report.verdict.violations.len() {
        0 => Ok(()),
        1 => bail!("a rule was broken"),
        n => bail!("rules were broken {n} times"),
    }
}

fn print_plan(plan: &ChaosPlan) -> anyhow::Result<()> {
    say::result(plan.to_string().trim_end())
}

fn print(report: &ChaosReport) -> anyhow::Result<()> {
    let counts = &report.verdict.counts;
    say::result(format_args!("{:.0} s, {} events", report.seconds, counts.events))?;
    say::result(format_args!("  faults      {}", numbers(&counts.faults)))?;
    say::result(format_args!("  requests    {}", numbers(&counts.requests)))?;
    say::result(format_args!(
        "  answers     {}; {} tries of a coordinator that was down had none",
        numbers(&counts.answers),
        counts.tries_unanswered
    ))?;
    say::result(format_args!("  ends        {}", numbers(&counts.ends)))?;
    say::result(format_args!(
        "  placements  {}: {} cut off with their worker, {} moved; {} sessions were placed again",
        counts.placements, counts.cut_off, counts.moved, counts.placed_again
    ))?;
    say::result(format_args!("  billed      {:.1} s", counts.billed_ms as f64 / 1000.0))?;
    say::result(format_args!("  viewers     {} frames over {} connections", counts.frames, counts.connections))?;
    spread("gaps of viewers", &counts.gaps_ms)?;
    spread("worker died to served again", &counts.replaced_ms)?;
    if report.verdict.violations.is_empty() {
        return say::result(
            "nothing lost, nothing double, all that was delivered is billed, every end has a reason, every request an answer",
        );
    }
    report.verdict.violations.iter().try_for_each(|violation| say::result(format_args!("BROKEN {violation}")))
}

fn spread(name: &str, of: &Spread) -> anyhow::Result<()> {
    let Spread { count, p50, p95, max } = of;
    say::result(format_args!("  {name}: {count}, p50 {p50}  p95 {p95}  max {max} ms"))
}

/// `a 1, b 2`.
fn numbers(of: &BTreeMap<impl Display, u32>) -> String {
    of.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}
