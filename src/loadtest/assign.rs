//! `mouthpiece loadtest assign`: sessions through coordinators to workers without an engine.

#[cfg(feature = "cloud")]
mod on_servers;

use super::{json, print_latency};
use crate::say;
use clap::Args;
use mouthpiece_loadtest::{AssignOptions, AssignReport, Pace, assign};
use std::path::PathBuf;

/// What the help ends with.
#[cfg(not(feature = "cloud"))]
pub const EXAMPLES: &str = "Examples:\n  \
    mouthpiece loadtest assign                    flat out: sessions a second\n  \
    mouthpiece loadtest assign --rate 200         by a timetable: from asking to assigned\n  \
    mouthpiece loadtest assign --rate 200 --http  the same through the HTTP server, with uploads\n  \
    mouthpiece loadtest assign --folder .         with the SQLite file on this disk\n\n\
    It fails when an accepted session is not accounted for, whatever the figures.";
/// What the help ends with.
#[cfg(feature = "cloud")]
pub const EXAMPLES: &str = "Within this process, records in SQLite:\n  \
    mouthpiece loadtest assign                    flat out: sessions a second\n  \
    mouthpiece loadtest assign --rate 200         by a timetable: from asking to assigned\n  \
    mouthpiece loadtest assign --rate 200 --http  the same through the HTTP server, with uploads\n  \
    mouthpiece loadtest assign --folder .         with the SQLite file on this disk\n\n\
    Coordinators as processes, on Postgres, RabbitMQ and Redis; sessions are posted to them in turn:\n  \
    mouthpiece loadtest assign --stores private                           flat out, through two coordinators\n  \
    mouthpiece loadtest assign --stores private --rate 100                from POST to assigned\n  \
    mouthpiece loadtest assign --stores private --workers 2000 --hold 60  every slot taken: what coordinators use\n  \
    mouthpiece loadtest assign --stores given --workers 500 --hold 60     on servers of yours\n\n\
    Private servers are started from this machine's packages (postgresql, rabbitmq-server, redis-server, openssl), on free ports \
    with data of their own, and are gone afterwards. Given ones are those of MOUTHPIECE_STORES__RECORDS, MOUTHPIECE_STORES__BUS, \
    MOUTHPIECE_STORES__POOL and, for an authority of your own, MOUTHPIECE_FARM__CA_FILE: a database, a virtual host and a Redis \
    that no farm uses, or it refuses. What is made there stays there. Ctrl-C ends everything that was started.\n\n\
    Callers, workers, coordinators and private servers share this machine; the report says what each of them used of it \
    (docs/load.md). It fails when an accepted session is not accounted for, whatever the figures.";

/// The options.
#[derive(Debug, Args)]
pub struct AssignArgs {
    /// Workers
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    workers: u32,
    /// Slots a worker
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    slots: u8,
    /// Sessions in all; the first tenth warms up and does not count [default: 20000; on servers 10000, or as many as there are slots
    /// if they are held]
    #[arg(long, value_parser = clap::value_parser!(u64).range(10..=10_000_000))]
    sessions: Option<u64>,
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
    #[cfg(feature = "cloud")]
    #[command(flatten)]
    servers: on_servers::ServersArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl AssignArgs {
    fn pace(&self) -> Pace {
        let in_flight = self.in_flight.unwrap_or_else(|| (self.workers * u32::from(self.slots)).min(10_000));
        self.rate.map_or(Pace::FlatOut { in_flight }, Pace::PerSecond)
    }
}

/// Runs the command.
pub fn run(args: &AssignArgs) -> anyhow::Result<()> {
    #[cfg(feature = "cloud")]
    if let Some(stores) = args.servers.stores()? {
        return on_servers::run(args, stores);
    }
    let report = assign(&AssignOptions {
        workers: args.workers,
        slots: args.slots,
        sessions: args.sessions.unwrap_or(20_000),
        pace: args.pace(),
        over_http: args.http,
        folder: args.folder.clone(),
    })?;
    if args.json { json(&report) } else { print(&report, args) }
}

fn print(r: &AssignReport, args: &AssignArgs) -> anyhow::Result<()> {
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
