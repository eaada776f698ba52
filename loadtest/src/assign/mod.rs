//! A whole farm in one process, and how fast it assigns.
//!
//! The coordinator's actors, the record store (SQLite, on disk), bus and pool are the real ones; only the workers do
//! nothing but take up a session, report it and end it. Afterwards the books are audited.

mod audit;
mod callers;
mod http;
#[cfg_attr(not(feature = "cloud"), allow(dead_code, reason = "coordinators as processes use all of it"))]
mod null;
#[cfg(feature = "cloud")]
mod on_servers;
mod seen;

pub use audit::Audit;
#[cfg(feature = "cloud")]
pub use on_servers::{
    HoldReport, HoldTerms, LoadStores, ServersOptions, ServersReport, StoreAddresses, assign_on_servers,
};

use crate::sessions::Sessions;
use crate::{Latency, LoadError, setup};
use callers::{CallerAsk, Callers};
use mouthpiece_coordinator::actors;
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_coordinator::metrics::Metrics;
use mouthpiece_domain::control::{ControlSettings, SubmitAnswer};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::time::Wall;
use mouthpiece_embedded::{Directory, Sqlite, farm_ports};
use mouthpiece_ports::farm_ports::FarmPorts;
use null::{NullWorkers, SessionPlan, WorkerLink, WorkerTerms};
use seen::{SeenFigures, SessionTrace};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How fast sessions are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// The next one as soon as fewer than this are under way, 1 to 10,000.
    FlatOut {
        /// Sessions under way at a time.
        in_flight: u32,
    },
    /// So many a second whatever happens, more than 0 to 100,000.
    PerSecond(f64),
}

/// What the farm is and what it is given to do.
#[derive(Debug, Clone, PartialEq)]
pub struct AssignOptions {
    /// Workers, 1 to 10,000.
    pub workers: u32,
    /// Slots a worker, 1 to 16.
    pub slots: u8,
    /// Sessions in all, 10 to 10,000,000; the first tenth warms up and is not part of the figures.
    pub sessions: u64,
    /// How fast.
    pub pace: Pace,
    /// Through the HTTP server, each with an upload, instead of asking the farm itself.
    pub over_http: bool,
    /// Where the SQLite file lies while the test runs; the system's folder for temporary files if none is named. Some
    /// systems keep that in memory: name a folder on the disk that counts.
    pub folder: Option<PathBuf>,
}

/// How the farm did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AssignReport {
    /// Sessions that count, the warm-up left out.
    pub sessions: u64,
    /// Turned away: no capacity.
    pub turned_away: u64,
    /// From the first one's request to the last one's end.
    pub seconds: f64,
    /// Sessions through their whole life, a second.
    pub sessions_per_second: f64,
    /// From asking to the answer: the session is on record.
    pub accepted_ms: Latency,
    /// From asking until a worker has the assignment in hand and its lease.
    pub assigned_ms: Latency,
    /// From asking until its end is on record.
    pub ended_ms: Latency,
    /// What was checked afterwards.
    pub audit: Audit,
}

impl AssignOptions {
    fn check(&self) -> Result<(), LoadError> {
        let pace = match self.pace {
            Pace::FlatOut { in_flight } => (1..=10_000).contains(&in_flight),
            Pace::PerSecond(rate) => rate > 0.0 && rate <= 100_000.0,
        };
        let farm = (1..=10_000).contains(&self.workers) && (1..=16).contains(&self.slots);
        if pace && farm && (10..=10_000_000).contains(&self.sessions) {
            Ok(())
        } else {
            Err(LoadError::Options(
                "workers 1 to 10000, slots 1 to 16, sessions 10 to 10000000, in flight 1 to 10000 or a rate up to 100000",
            ))
        }
    }
}

/// Runs a farm in this process under load. Blocks until it is done.
///
/// # Errors
/// [`LoadError`]: options out of range, a farm that does not start or keep up, an audit that fails.
pub fn assign(options: &AssignOptions) -> Result<AssignReport, LoadError> {
    options.check()?;
    actix_rt::System::new().block_on(run(options))
}

async fn run(options: &AssignOptions) -> Result<AssignReport, LoadError> {
    let folder = match &options.folder {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.map_err(setup)?;
    let ports = ports(folder.path()).await?;
    let settings = ControlSettings {
        max_workers: options.workers,
        slots_per_worker: options.slots,
        queue_limit: 50_000,
        ..ControlSettings::default()
    };
    let lease = settings.lease;
    let farm = actors::start(ports.actors(), settings, Arc::new(Metrics::new().map_err(setup)?));
    let ledger = Arc::new(seen::SeenLedger::default());
    let terms = WorkerTerms {
        lease,
        workers: options.workers,
        slots: options.slots,
        plan: SessionPlan::FinishedAtOnce,
        tell_changes: false,
        ended: None,
    };
    let link = WorkerLink { bus: Arc::clone(&ports.bus), pool: Arc::clone(&ports.pool) };
    let _workers = NullWorkers::start(terms, &[link], WorkerId(1), Arc::clone(&ledger)).await?;
    all_known(&farm, options.workers).await?;

    let shared: Arc<dyn Farm> = Arc::new(farm.clone());
    let callers = Callers::new(Arc::clone(&ledger), options.pace);
    actix_rt::spawn(Rc::clone(&callers).watch(Arc::clone(&shared), shared.watch()));
    let ask: Rc<dyn CallerAsk> = if options.over_http {
        let (ask, first) = http::OverHttp::start(Arc::clone(&shared), &ports, folder.path()).await?;
        callers.count_in(first);
        Rc::new(ask)
    } else {
        let sessions = RefCell::new(Sessions::new(u64::try_from(wall().0).unwrap_or(0))?);
        Rc::new(Direct { farm: Arc::clone(&shared), sessions })
    };
    callers.run(&ask, options.sessions, options.pace).await?;

    let seen = ledger.all();
    let audit = audit::audit(&seen, ports.records.as_ref(), ports.pool.as_ref(), None).await?;
    let view = farm.view().await.map_err(setup)?;
    let taken = view.workers.iter().flat_map(|w| &w.slots).filter(|s| s.session.is_some()).count();
    audit::nothing_left(taken, view.queue_length)?;
    farm.stop().await;
    AssignReport::of(&seen, callers.turned_away(), audit)
}

impl AssignReport {
    fn of(seen: &HashMap<SessionId, SessionTrace>, turned_away: u64, audit: Audit) -> Result<Self, LoadError> {
        let figures = SeenFigures::of(seen)?;
        let span = figures.first.zip(figures.last).map_or(Duration::ZERO, |(first, last)| last - first);
        let seconds = span.as_secs_f64();
        Ok(Self {
            sessions: figures.count,
            turned_away,
            seconds,
            sessions_per_second: figures.count as f64 / seconds.max(1e-9),
            accepted_ms: figures.accepted,
            assigned_ms: figures.assigned,
            ended_ms: figures.ended,
            audit,
        })
    }
}

/// The farm's ports; what is kept lies in the folder.
async fn ports(folder: &Path) -> Result<FarmPorts, LoadError> {
    let store = Sqlite::open(&folder.join("farm.sqlite")).await.map_err(setup)?;
    let blobs = Directory::open(&folder.join("blobs")).map_err(setup)?;
    Ok(farm_ports(Arc::new(store), Arc::new(blobs)))
}

/// Waits until the brain knows all workers.
async fn all_known(farm: &actors::FarmHandle, workers: u32) -> Result<(), LoadError> {
    let patience = Instant::now();
    loop {
        let known = farm.view().await.map_err(setup)?.workers.len();
        if known >= workers as usize {
            return Ok(());
        }
        if patience.elapsed() > Duration::from_secs(30) {
            return Err(LoadError::Setup(format!("only {known} of {workers} workers are known after 30 s")));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Asks the farm itself, as the HTTP handlers do.
struct Direct {
    farm: Arc<dyn Farm>,
    sessions: RefCell<Sessions>,
}

impl CallerAsk for Direct {
    fn ask(&self, _: u64) -> Pin<Box<dyn Future<Output = Result<Option<SessionId>, LoadError>>>> {
        let session = self.sessions.borrow_mut().next(wall());
        let farm = Arc::clone(&self.farm);
        Box::pin(async move {
            match farm.submit(session, None, u32::MAX).await.map_err(setup)? {
                SubmitAnswer::Accepted(session) => Ok(Some(session.id)),
                SubmitAnswer::NoCapacity { .. } => Ok(None),
                other => Err(LoadError::Setup(format!("a session was answered with {other:?}"))),
            }
        })
    }
}

fn wall() -> Wall {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
