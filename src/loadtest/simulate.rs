//! `mouthpiece loadtest simulate`: what a fleet costs, and how large its warm pool has to be.

use super::json;
use crate::config::{MicroUsd, SettingValue};
use crate::say;
use clap::{Args, ValueEnum};
use figment::value::{Tag, Value};
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_loadtest::simulate::{
    BeatDetail, DemandShape, FindTerms, FoundPool, LengthSpread, SimulateOptions, SimulateProgress, SimulateReport,
    find_warm_pool, simulate,
};
use serde::Serialize;
use std::time::Duration;

pub const EXAMPLES: &str = "Examples:\n  \
    mouthpiece loadtest simulate                            a day with 100 sessions at its height\n  \
    mouthpiece loadtest simulate --sessions 1,10,100,1000   a line of a table for each\n  \
    mouthpiece loadtest simulate --sessions 500 --find      the smallest warm pool that keeps waits short\n  \
    mouthpiece loadtest simulate --warm-workers 8 --price 0.21 --interruptions 0.05\n  \
    mouthpiece loadtest simulate --shape held --sessions 10 --interruptions 0    the sum on paper\n\n\
    The brain is the farm's own and decides by the same settings (see docs/number-of-workers.md); machines, callers and \
    prices are made up from the options and the seed. Nothing is started and nothing is connected to. docs/simulate.md has \
    figures, and what is left out.";

/// When sessions come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// A day: quiet at midnight, busiest at noon
    Day,
    /// As many at any time, but by chance
    Constant,
    /// Exactly so many, all the time
    Held,
}

/// How lengths are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Spread {
    /// Many short ones, a few long ones
    Exponential,
    /// More very short and very long ones
    LogNormal,
    /// All as long
    Fixed,
}

/// The options.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Sessions at a time at the height of the day; several numbers give a table
    #[arg(long, default_value = "100", value_delimiter = ',', value_name = "N,...", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    sessions: Vec<u32>,
    /// When sessions come
    #[arg(long, value_enum, default_value = "day")]
    shape: Shape,
    /// What is left of them at midnight, as a share
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    night: f64,
    /// A session's length on average
    #[arg(long, default_value = "10m", value_name = "TIME", value_parser = span)]
    length: Duration,
    /// How lengths are spread around that
    #[arg(long, value_enum, default_value = "exponential")]
    lengths: Spread,
    /// How long callers wait for a slot, as live.queue_timeout
    #[arg(long, default_value = "20s", value_name = "TIME", value_parser = span)]
    queue_timeout: Duration,
    /// Virtual hours that are measured
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=1000))]
    hours: u32,
    /// Slots a machine
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    slots: u8,
    /// How long machines take to start: anything between these
    #[arg(long, num_args = 2, default_values = ["80s", "140s"], value_names = ["LEAST", "MOST"], value_parser = span)]
    starts_within: Vec<Duration>,
    /// How often a machine is taken away, times an hour
    #[arg(long, default_value_t = 0.01, value_name = "RATE")]
    interruptions: f64,
    /// From the notice of that to its end
    #[arg(long, default_value = "2m", value_name = "TIME", value_parser = span)]
    notice: Duration,
    /// What a machine costs, US dollars an hour; several prices are those of one hour after the other, again and again
    #[arg(long, default_value = "0.157", value_delimiter = ',', value_name = "USD,...", value_parser = usd)]
    price: Vec<MicroUsd>,
    /// Idle workers kept ready, as coordinator.warm_workers
    #[arg(long, default_value_t = 2, value_name = "N")]
    warm_workers: u32,
    /// As coordinator.max_workers
    #[arg(long, default_value_t = 1_000_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_workers: u32,
    /// As coordinator.max_usd_per_hour; 0: any amount
    #[arg(long, default_value = "0", value_name = "USD", value_parser = usd)]
    max_usd_per_hour: MicroUsd,
    /// What is believed of a machine's start before it was measured, as coordinator.start_up
    #[arg(long, default_value = "2m", value_name = "TIME", value_parser = span)]
    start_up: Duration,
    /// As coordinator.arrival_window
    #[arg(long, default_value = "5m", value_name = "TIME", value_parser = span)]
    arrival_window: Duration,
    /// As coordinator.shrink_after
    #[arg(long, default_value = "10m", value_name = "TIME", value_parser = span)]
    shrink_after: Duration,
    /// As coordinator.billing_period
    #[arg(long, default_value = "1m", value_name = "TIME", value_parser = span)]
    billing_period: Duration,
    /// As coordinator.queue_limit
    #[arg(long, default_value_t = 1000, value_name = "N")]
    queue_limit: u32,
    /// Try sizes of the warm pool instead, and tell the smallest that will do
    #[arg(long, conflicts_with = "warm_workers")]
    find: bool,
    /// With --find: 99% of the callers get a slot within this
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = span, requires = "find")]
    most_wait: Duration,
    /// With --find: at most this share of the callers gets none
    #[arg(long, default_value_t = 0.001, value_name = "SHARE", requires = "find")]
    most_unserved: f64,
    /// Simulate each heartbeat, every second, instead of those that change something: for small farms
    #[arg(long)]
    every_heartbeat: bool,
    /// Determines the run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Live through the hours in so many parts at once, each after a time of its own that is not measured: for more than one core
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=24))]
    parts: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn text(told: &str) -> Value {
    Value::String(Tag::Default, told.to_owned())
}

fn span(told: &str) -> Result<Duration, String> {
    Duration::read(&text(told))
}

fn usd(told: &str) -> Result<MicroUsd, String> {
    MicroUsd::read(&text(told))
}

impl SimulateArgs {
    fn options(&self, sessions: u32) -> SimulateOptions {
        let most_usd = self.max_usd_per_hour.0;
        SimulateOptions {
            shape: match self.shape {
                Shape::Day => DemandShape::Day,
                Shape::Constant => DemandShape::Constant,
                Shape::Held => DemandShape::Held,
            },
            sessions,
            night: self.night,
            length: self.length,
            lengths: match self.lengths {
                Spread::Exponential => LengthSpread::Exponential,
                Spread::LogNormal => LengthSpread::LogNormal,
                Spread::Fixed => LengthSpread::Fixed,
            },
            queue_timeout: self.queue_timeout,
            hours: self.hours,
            slots: self.slots,
            start_up: match self.starts_within[..] {
                [least, most] => (least, most),
                _ => SimulateOptions::default().start_up,
            },
            interruptions_per_hour: self.interruptions,
            notice: self.notice,
            micro_usd_per_hour: self.price.iter().map(|price| price.0).collect(),
            brain: ControlSettings {
                warm_workers: self.warm_workers,
                max_workers: self.max_workers,
                max_micro_usd_per_hour: (most_usd > 0).then_some(most_usd),
                start_up: self.start_up,
                arrival_window: self.arrival_window,
                shrink_after: self.shrink_after,
                billing_period: self.billing_period,
                queue_limit: self.queue_limit,
                ..ControlSettings::default()
            },
            detail: if self.every_heartbeat { BeatDetail::EverySecond } else { BeatDetail::Changes },
            seed: self.seed,
            parts: self.parts,
        }
    }
}

/// What was found for one number of sessions.
#[derive(Debug, Serialize)]
struct FoundRow {
    sessions: u32,
    #[serde(flatten)]
    found: FoundPool,
}

/// Runs the command.
pub fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    if args.find { find(args) } else { plain(args) }
}

fn plain(args: &SimulateArgs) -> anyhow::Result<()> {
    let mut reports = Vec::new();
    for sessions in &args.sessions {
        let report = simulate(&args.options(*sessions), &mut |at| tell(*sessions, None, at))?;
        reports.push(report);
    }
    match (args.json, &reports[..]) {
        (true, [one]) => json(one),
        (true, all) => json(&all),
        (false, [one]) => print(one),
        (false, all) => {
            head()?;
            all.iter().try_for_each(row)
        }
    }
}

fn find(args: &SimulateArgs) -> anyhow::Result<()> {
    let terms = FindTerms { most_wait: args.most_wait, most_unserved: args.most_unserved };
    let mut rows = Vec::new();
    for sessions in &args.sessions {
        let options = args.options(*sessions);
        let found = find_warm_pool(&options, &terms, &mut |warm, at| tell(*sessions, Some(warm), at))?;
        rows.push(FoundRow { sessions: *sessions, found });
    }
    match (args.json, &rows[..]) {
        (true, [one]) => return json(one),
        (true, all) => return json(&all),
        _ => {}
    }
    if let [FoundRow { found, .. }] = &rows[..] {
        head()?;
        found.tries.iter().try_for_each(|one| row(&one.report))?;
        return say::result(match found.warm_workers {
            Some(warm) => format!("a warm pool of {warm} will do: coordinator.warm_workers = {warm}"),
            None => {
                "no warm pool will do: allow longer waits (--most-wait, --most-unserved) or faster starts".to_owned()
            }
        });
    }
    head()?;
    for FoundRow { sessions, found } in &rows {
        match found.report() {
            Some(report) => row(report)?,
            None => say::result(format_args!("{sessions:>9}  no warm pool will do"))?,
        }
    }
    Ok(())
}

/// Progress, now and then: an hour of a small farm takes no time.
fn tell(sessions: u32, warm: Option<u32>, at: SimulateProgress) {
    if sessions < 10_000 && at.hour < at.hours {
        return;
    }
    let warm = warm.map(|warm| format!(", warm pool of {warm}")).unwrap_or_default();
    let SimulateProgress { hour, hours, sessions: open, machines } = at;
    say::aside(format_args!("{sessions} sessions{warm}: hour {hour} of {hours}, {open} open, {machines} machines"));
}

fn head() -> anyhow::Result<()> {
    say::result(
        " sessions  warm  p50 s  p95 s  p99 s  unserved  machines  busy%  idle%  start%  taken  moved  again   $/minute  marginal   wall s",
    )
}

fn row(r: &SimulateReport) -> anyhow::Result<()> {
    let w = &r.wait_s;
    let usd = |of: Option<f64>| of.map_or_else(|| "-".to_owned(), |usd| format!("{usd:.5}"));
    say::result(format_args!(
        "{:>9} {:>5} {:>6.1} {:>6.1} {:>6.1} {:>8.3}% {:>9} {:>6.1} {:>6.1} {:>7.2} {:>6} {:>6} {:>6} {:>10} {:>9} {:>8.1}",
        r.sessions,
        r.warm_workers,
        w.p50,
        w.p95,
        w.p99,
        r.unserved_share * 100.0,
        r.most_machines,
        r.busy_share * 100.0,
        r.idle_share * 100.0,
        r.starting_share * 100.0,
        r.interruptions,
        r.moved,
        r.placed_again,
        usd(r.usd_per_minute),
        usd(r.marginal_usd_per_minute),
        r.wall_seconds,
    ))
}

fn print(r: &SimulateReport) -> anyhow::Result<()> {
    let (w, usd) = (&r.wait_s, |of: Option<f64>| of.map_or_else(|| "unknown".to_owned(), |usd| format!("${usd:.5}")));
    for line in [
        format!(
            "{} callers in {} virtual hours, at most {} sessions at a time; a warm pool of {}",
            r.asked, r.virtual_hours, r.most_sessions, r.warm_workers
        ),
        format!(
            "  wait for a slot: p50 {:.1}  p95 {:.1}  p99 {:.1}  longest {:.1} s; {:.2}% waited at all",
            w.p50,
            w.p95,
            w.p99,
            w.max,
            w.waited * 100.0
        ),
        format!(
            "  without a slot: {} turned away at once, {} waited in vain: {:.3}%",
            r.turned_away,
            r.gave_up,
            r.unserved_share * 100.0
        ),
        format!(
            "  machines: {} at the most, {} started, {:.1} hours; slots {:.1}% busy, {:.1}% idle, {:.1}% starting",
            r.most_machines,
            r.started,
            r.machine_hours,
            r.busy_share * 100.0,
            r.idle_share * 100.0,
            r.starting_share * 100.0
        ),
        format!(
            "  {} machines taken away: {} sessions moved in time, {} cut off and placed again",
            r.interruptions, r.moved, r.placed_again
        ),
        format!(
            "  cost: ${:.2} for {:.0} delivered minutes: {} a minute; with every slot taken {}",
            r.usd,
            r.delivered_minutes,
            usd(r.usd_per_minute),
            usd(r.marginal_usd_per_minute)
        ),
        format!(
            "  machines took {:.0} s to start, as the brain learned it; {} events in {:.1} s",
            r.start_up_learned_s, r.events, r.wall_seconds
        ),
    ] {
        say::result(line)?;
    }
    Ok(())
}
