//! The same load on coordinators as processes of their own, on Postgres, RabbitMQ and Redis.
//!
//! This process is the callers, who post to the coordinators in turn, and all workers, which speak over the real bus and pool as
//! real ones do and have no engine. So a session's way is measured by one clock: from its caller's wish to the moment at which its
//! worker holds the lease. Afterwards the books are audited.

mod api;
mod coordinators;
mod stores;

pub use stores::{LoadStores, StoreAddresses};

use super::audit::audit;
use super::callers::{CallerAsk, Callers};
use super::null::{NullWorkers, SessionPlan, WorkerLink, WorkerTerms};
use super::seen::SeenLedger;
use super::{AssignReport, Pace, wall};
use crate::processes::until_asked_to_end;
use crate::usage::{MeteredProcess, ProcessUse, UsageMeter};
use crate::{LoadError, setup};
use api::{CoordinatorsApi, LoadKey};
use coordinators::Coordinators;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::lease::LeaseTerms;
use serde::Serialize;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use stores::OpenStores;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Workers that share a connection to the broker, and one to the pool.
const SHARING: u32 = 125;
/// Connections at least.
const LINKS: u32 = 4;
/// What was begun has come to rest after this, before it is measured.
const SETTLE: Duration = Duration::from_secs(5);

/// What the farm is, and what it is given to do.
#[derive(Debug, Clone, PartialEq)]
pub struct ServersOptions {
    /// The command `mouthpiece`, with the feature `cloud`.
    pub program: PathBuf,
    /// The servers.
    pub stores: LoadStores,
    /// Coordinators, 1 to 8.
    pub coordinators: u8,
    /// Workers, 1 to 4,000.
    pub workers: u32,
    /// Slots a worker, 1 to 16.
    pub slots: u8,
    /// Sessions in all, 10 to 1,000,000; the first tenth warms up and is not part of the figures.
    pub sessions: u64,
    /// How fast they are asked for. Those that are held need a timetable.
    pub pace: Pace,
    /// Sessions are held and the farm is measured meanwhile; otherwise each is finished at once.
    pub hold: Option<HoldTerms>,
}

/// How sessions are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldTerms {
    /// For how long the workers alone are measured, and then so long the sessions.
    pub time: Duration,
    /// They deliver all the while, so that there is something to book every second.
    pub delivers: bool,
}

/// How the farm did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServersReport {
    /// Sessions and their times. Ends are looked for in the records twenty times a second.
    #[serde(flatten)]
    pub load: AssignReport,
    /// What everybody used from the first session to the last record.
    pub used: Vec<ProcessUse>,
    /// What was measured while sessions were held.
    pub held: Option<HoldReport>,
    /// Leases that were refused to sessions that ran.
    pub leases_lost: u64,
    /// Heartbeats that were left out because the one before was still under way: the workers' side was too slow.
    pub beats_skipped: u64,
}

/// What a farm uses that only stands there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoldReport {
    /// Sessions that were held.
    pub sessions: u64,
    /// Workers, none of which had a session.
    pub workers_alone: Vec<ProcessUse>,
    /// The same, with sessions in their slots.
    pub with_sessions: Vec<ProcessUse>,
}

impl ServersOptions {
    fn check(&self) -> Result<(), LoadError> {
        let farm = (1..=8).contains(&self.coordinators) && (1..=4000).contains(&self.workers);
        let pace = match self.pace {
            Pace::FlatOut { in_flight } => (1..=10_000).contains(&in_flight) && self.hold.is_none(),
            Pace::PerSecond(rate) => rate > 0.0 && rate <= 10_000.0,
        };
        let fits = self.hold.is_none() || self.sessions <= u64::from(self.workers) * u64::from(self.slots);
        if farm && pace && fits && (1..=16).contains(&self.slots) && (10..=1_000_000).contains(&self.sessions) {
            Ok(())
        } else {
            Err(LoadError::Options(
                "coordinators 1 to 8, workers 1 to 4000, slots 1 to 16, sessions 10 to 1000000, in flight 1 to 10000 or a rate up \
                 to 10000; sessions that are held come at a rate, and need a slot each",
            ))
        }
    }
}

/// Runs coordinators under load. Blocks until it is done; `tell` hears what is under way. What was started ends with it, also when
/// this process is asked to end meanwhile.
///
/// # Errors
/// [`LoadError`]: options out of range, servers that are missing or in use, a farm that does not start or keep up, an audit that
/// fails.
pub fn assign_on_servers(options: &ServersOptions, tell: &dyn Fn(&str)) -> Result<ServersReport, LoadError> {
    options.check()?;
    actix_rt::System::new().block_on(async {
        tokio::select! {
            done = run(options, tell) => done,
            asked = until_asked_to_end() => Err(asked),
        }
    })
}

async fn run(options: &ServersOptions, tell: &dyn Fn(&str)) -> Result<ServersReport, LoadError> {
    let folder = tempfile::tempdir().map_err(setup)?;
    tell("opening the servers");
    let stores = OpenStores::open(&options.stores).await?;
    let (records, base) = (Arc::new(stores.records().await?), wall());
    let key = LoadKey::add(records.as_ref(), base).await?;
    tell(&format!("starting {} coordinators", options.coordinators));
    let coordinators =
        Coordinators::start(&options.program, options.coordinators, folder.path(), &stores.settings()).await?;
    let mut api = CoordinatorsApi::new(coordinators.urls(), &key)?;
    let mut everybody = coordinators.processes();
    everybody.extend(stores.processes());
    everybody.push(MeteredProcess {
        name: "callers and workers".to_owned(),
        id: std::process::id(),
        with_children: false,
    });

    tell(&format!("starting {} workers", options.workers));
    let ledger = Arc::new(SeenLedger::default());
    let (tell_end, ends) = mpsc::unbounded_channel();
    let plan = options.hold.map_or(SessionPlan::FinishedAtOnce, |hold| SessionPlan::Held { delivers: hold.delivers });
    let terms = WorkerTerms {
        lease: LeaseTerms::default(),
        workers: options.workers,
        slots: options.slots,
        plan,
        tell_changes: true,
        ended: Some(tell_end),
    };
    let links = links(&stores, options.workers).await?;
    let first = WorkerId(u128::from(base.0.unsigned_abs()) << 64);
    let workers = NullWorkers::start(terms, &links, first, Arc::clone(&ledger)).await?;
    api.know_slots(u64::from(options.workers) * u64::from(options.slots)).await?;

    let callers = Callers::new(Arc::clone(&ledger), options.pace);
    actix_rt::spawn(Rc::clone(&callers).watch_records(ends, Arc::clone(&records) as _));
    callers.count_in(api.add_avatar().await?);
    let api = Rc::new(api);
    let ask: Rc<dyn CallerAsk> = Rc::clone(&api) as _;
    let workers_alone = match options.hold {
        Some(hold) => {
            tell(&format!("measuring the workers alone for {} s", hold.time.as_secs()));
            Some(measured(&everybody, hold.time).await?)
        }
        None => None,
    };
    tell("asking for sessions");
    let meter = UsageMeter::begin(everybody.clone())?;
    callers.ask_all(&ask, options.sessions, options.pace).await?;
    let held = match (options.hold, workers_alone) {
        (Some(hold), Some(workers_alone)) => {
            let asked = usize::try_from(options.sessions).unwrap_or(usize::MAX);
            let refused = || usize::try_from(callers.turned_away()).unwrap_or(usize::MAX);
            callers.until(|| callers.unanswered() == 0 && workers.held() >= asked.saturating_sub(refused())).await?;
            let sessions = workers.held() as u64;
            tell(&format!("holding {sessions} sessions for {} s", hold.time.as_secs()));
            let with_sessions = measured(&everybody, hold.time).await?;
            workers.end_all().await?;
            Some(HoldReport { sessions, workers_alone, with_sessions })
        }
        _ => None,
    };
    callers.all_ended(options.pace).await?;
    let used = meter.end()?;
    tell("auditing the books");
    let seen = ledger.all();
    let audit = audit(&seen, records.as_ref(), links[0].pool.as_ref(), Some(key.id())).await?;
    api.know_nothing().await?;
    if let LoadStores::Given(_) = options.stores {
        tell("the workers leave");
        workers.leave().await;
    }
    key.revoke(records.as_ref(), wall()).await?;
    coordinators.end();
    Ok(ServersReport {
        load: AssignReport::of(&seen, callers.turned_away(), audit)?,
        used,
        held,
        leases_lost: workers.lost_leases(),
        beats_skipped: workers.skipped_beats(),
    })
}

/// Connections for the workers.
async fn links(stores: &OpenStores, workers: u32) -> Result<Vec<WorkerLink>, LoadError> {
    let mut links = Vec::new();
    for _ in 0..workers.div_ceil(SHARING).max(LINKS) {
        links.push(WorkerLink { bus: Arc::new(stores.bus().await?), pool: Arc::new(stores.pool()?) });
    }
    Ok(links)
}

/// What everybody uses for so long, once it has come to rest.
async fn measured(everybody: &[MeteredProcess], time: Duration) -> Result<Vec<ProcessUse>, LoadError> {
    sleep(SETTLE).await;
    let meter = UsageMeter::begin(everybody.to_vec())?;
    sleep(time).await;
    meter.end()
}
