//! The same on coordinators as processes, with Postgres, RabbitMQ and Redis.

use super::AssignArgs;
use crate::loadtest::json;
use crate::say;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use mouthpiece_loadtest::{
    HoldTerms, LoadStores, Pace, ProcessUse, ServersOptions, ServersReport, StoreAddresses, assign_on_servers,
};
use std::time::Duration;

/// Sessions that are held come so fast unless it is said otherwise.
const HELD_RATE: f64 = 200.0;
/// Sessions in all, unless it is said otherwise.
const SESSIONS: u64 = 10_000;

/// Where records, bus and pool are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoresChoice {
    /// Within this process: SQLite, and memory
    Embedded,
    /// On private servers, which are started for it
    Private,
    /// On servers that the environment names
    Given,
}

/// Options that coordinators as processes have beside the others.
#[derive(Debug, Args)]
pub struct ServersArgs {
    /// Where records, bus and pool are
    #[arg(long, value_enum, default_value = "embedded", conflicts_with_all = ["http", "folder"])]
    stores: StoresChoice,
    /// Coordinators, each a process of its own
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8))]
    coordinators: u8,
    /// Hold the sessions, and measure what coordinators use: so long without sessions, then so long with them
    #[arg(long, value_name = "SECONDS", conflicts_with = "in_flight", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    hold: Option<u64>,
    /// Sessions that are held deliver nothing, as those that nobody watches
    #[arg(long, requires = "hold")]
    unwatched: bool,
}

impl ServersArgs {
    /// The servers; `None` where everything is in this process.
    pub fn stores(&self) -> anyhow::Result<Option<LoadStores>> {
        let named = |name: &str| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty());
            value.with_context(|| format!("--stores given: the variable {name} is not set; see --help"))
        };
        match self.stores {
            StoresChoice::Embedded if self.hold.is_some() => {
                bail!("--hold measures coordinators as processes: say --stores private, or given")
            }
            StoresChoice::Embedded => Ok(None),
            StoresChoice::Private => Ok(Some(LoadStores::Private)),
            StoresChoice::Given => Ok(Some(LoadStores::Given(StoreAddresses {
                records: named("MOUTHPIECE_STORES__RECORDS")?,
                bus: named("MOUTHPIECE_STORES__BUS")?,
                pool: named("MOUTHPIECE_STORES__POOL")?,
                ca_file: named("MOUTHPIECE_FARM__CA_FILE").ok().map(Into::into),
            }))),
        }
    }
}

/// Runs the command.
pub fn run(args: &AssignArgs, stores: LoadStores) -> anyhow::Result<()> {
    let ServersArgs { coordinators, hold, unwatched, .. } = args.servers;
    let slots = u64::from(args.workers) * u64::from(args.slots);
    let options = ServersOptions {
        program: std::env::current_exe().context("this program does not know where it is")?,
        stores,
        coordinators,
        workers: args.workers,
        slots: args.slots,
        // One slot is needed for the avatar, before the sessions come.
        sessions: args.sessions.unwrap_or(if hold.is_some() { slots } else { SESSIONS }),
        pace: if hold.is_some() { Pace::PerSecond(args.rate.unwrap_or(HELD_RATE)) } else { args.pace() },
        hold: hold.map(|seconds| HoldTerms { time: Duration::from_secs(seconds), delivers: !unwatched }),
    };
    let report = assign_on_servers(&options, &|line| say::aside(line))?;
    if args.json { json(&report) } else { print(&report, args) }
}

fn print(r: &ServersReport, args: &AssignArgs) -> anyhow::Result<()> {
    super::print(&r.load, args)?;
    if r.leases_lost > 0 || r.beats_skipped > 0 {
        say::result(format_args!(
            "  the machine is too small for the workers' side: {} leases lost, {} heartbeats left out",
            r.leases_lost, r.beats_skipped
        ))?;
    }
    if let Some(held) = &r.held {
        table(&format!("{} workers alone", args.workers), &held.workers_alone)?;
        table(&format!("{} sessions held", held.sessions), &held.with_sessions)?;
    }
    table("from the first session to the last record", &r.used)
}

fn table(over: &str, used: &[ProcessUse]) -> anyhow::Result<()> {
    say::result(format_args!("{over}:"))?;
    for ProcessUse { name, cpu, resident_mib, peak_mib } in used {
        say::result(format_args!(
            "  {name:<22} {:6.1}% of a core  {resident_mib:7.0} MiB resident, at most {peak_mib:.0}",
            cpu * 100.0
        ))?;
    }
    Ok(())
}
