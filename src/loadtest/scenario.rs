//! `mouthpiece loadtest run`: a scenario of a file, judged by its targets.

use super::{json, print_latency};
use crate::say;
use anyhow::{Context, bail};
use clap::Args;
use mouthpiece_loadtest::scenario::{Scenario, ScenarioFarm, ScenarioReport, page, run_scenario};
use std::fs;
use std::path::{Path, PathBuf};

pub const EXAMPLES: &str = "Examples:\n  \
    mouthpiece loadtest run loadtest/scenarios/smoke.toml            on a farm that is started for it\n  \
    mouthpiece loadtest run loadtest/scenarios/conversation.toml --html report.html\n  \
    mouthpiece loadtest run mine.toml --url http://10.0.0.7:8000     on a farm that runs; its key is in MOUTHPIECE_KEY\n\n\
    It fails when a target of the scenario is missed. docs/load.md tells what a scenario can say.";

/// The options.
#[derive(Debug, Args)]
pub struct ScenarioArgs {
    /// The scenario's file
    #[arg(value_name = "SCENARIO.toml")]
    scenario: PathBuf,
    /// A farm that runs [default: one is started for the run, with a slot for each session]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// With --url: an API key's secret [default: the variable MOUTHPIECE_KEY]
    #[arg(long, value_name = "SECRET", requires = "url")]
    key: Option<String>,
    /// With --url: the farm's process on this machine, to measure what it uses
    #[arg(long, value_name = "PID", requires = "url")]
    pid: Option<u32>,
    /// Write the report here, as one page with plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the report here, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ScenarioArgs {
    fn farm(&self) -> anyhow::Result<ScenarioFarm> {
        let Some(url) = self.url.clone() else {
            return Ok(ScenarioFarm::Own(std::env::current_exe().context("this program cannot be found")?));
        };
        let key = self.key.clone().or_else(|| std::env::var("MOUTHPIECE_KEY").ok());
        let key = key.context("name an API key: --key, or the variable MOUTHPIECE_KEY")?;
        Ok(ScenarioFarm::Given { url, key, process: self.pid })
    }
}

/// Runs the command. A missed target is a failure.
pub fn run(args: &ScenarioArgs) -> anyhow::Result<()> {
    let named = args.scenario.display();
    let text = fs::read_to_string(&args.scenario).with_context(|| format!("'{named}' cannot be read"))?;
    let scenario = Scenario::read(&text).with_context(|| format!("'{named}'"))?;
    let farm = args.farm()?;
    say::aside(format_args!(
        "{}: {} sessions with {} viewers each for {} s",
        scenario.name, scenario.load.sessions, scenario.load.viewers, scenario.load.seconds
    ));
    let began = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let report = run_scenario(&scenario, &farm, began)?;
    if let Some(file) = &args.html {
        write(file, &page(&report)?)?;
    }
    if let Some(file) = &args.report {
        write(file, &serde_json::to_string_pretty(&report)?)?;
    }
    if args.json {
        json(&report)?;
    } else {
        print(&report)?;
    }
    let missed: Vec<&str> = report.targets.iter().filter(|target| !target.met).map(|target| target.name).collect();
    if !missed.is_empty() {
        bail!("{} of {} targets are missed: {}", missed.len(), report.targets.len(), missed.join(", "));
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| format!("'{}' cannot be written", file.display()))
}

fn print(r: &ScenarioReport) -> anyhow::Result<()> {
    let live = &r.live;
    say::result(format_args!(
        "{} sessions in {:.0} s: {} frames, {:.2} a second, {:.3}% missing",
        live.sessions,
        r.seconds,
        live.frames,
        live.fps,
        live.missing * 100.0
    ))?;
    for (name, of) in [
        ("offered to connected", &live.join_ms),
        ("asked to first frame", &live.first_frame_ms),
        ("sound in to sound out", &live.voice_ms),
        ("sound in to its frame", &live.lips_ms),
        ("interrupt to silence", &live.silence_ms),
    ] {
        if of.count > 0 {
            print_latency(name, of)?;
        }
    }
    if let Some(farm) = &r.farm {
        say::result(format_args!(
            "  the farm: {:.2} cores, {:.0} MiB at the most; a session {:.2} cores, {:.0} MiB",
            farm.cpu, farm.resident_most_mib, farm.cpu_per_session, farm.mib_per_session
        ))?;
    }
    if let Some(cost) = r.cost {
        say::result(format_args!("  cost: ${:.5} a delivered minute", cost.usd_per_minute))?;
    }
    for target in &r.targets {
        let measured = target.measured.map_or_else(|| "nothing measured".to_owned(), |value| format!("{value:.4}"));
        let word = if target.met { "met" } else { "MISSED" };
        say::result(format_args!(
            "  {:<22} asked {:>10.4}  measured {measured:>10}  {word}",
            target.name, target.bound
        ))?;
    }
    Ok(())
}
