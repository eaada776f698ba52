//! A worker of the farm: started from its ports, stopped gracefully.

pub use crate::failure::WorkerFailure;

use crate::RenderError;
use crate::actors::AgentOutcome;
use crate::actors::launch::{ActorLaunch, Actors, EngineKeeper};
use crate::avatars::WorkerAvatars;
use crate::clock::WorkerClock;
use crate::condition::EngineCondition;
use crate::engines::{ForEngine, with_engine};
use crate::live::pace::PaceKeeper;
use crate::live::switchboard::Switchboard;
use crate::measure::{self, EngineTrial};
use crate::metrics::WorkerMetrics;
use crate::nice;
use crate::scratch::Scratch;
use crate::studio::Studio;
use crate::work::SessionRunner;
use crate::{PortraitOptions, Signing, load_reference};
use actix_rt::{Arbiter, System};
use mouthpiece_domain::fleet::Capability;
use mouthpiece_domain::frame::Framing;
use mouthpiece_domain::gpu_memory::{GpuNeed, GpuShortage};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_engine::{DeviceMemory, Engine, EngineDesks, EngineNews, EngineThread};
use mouthpiece_media::encode::FilePreset;
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_ports::bus::BusError;
use mouthpiece_ports::farm_ports::WorkerPorts;
use mouthpiece_ports::lines::{IncomingLines, LineError};
use mouthpiece_ports::questions::QuestionInbox;
use mouthpiece_transport::{Transport, TransportError, TransportSettings};
use mouthpiece_worker_settings::{RtcSettings, SettingsError, WorkerSettings};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;
use tracing::{error, info, warn};

/// For how long the work at the start is measured.
const MEASURE_FOR: Duration = Duration::from_secs(1);

/// Why a worker does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A setting is out of its range.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It was started outside an actix system.
    #[error("a worker runs inside an actor system: start one first")]
    NoSystem,
    /// Its folder cannot be made.
    #[error("the scratch folder '{folder}' cannot be used: {source}")]
    Scratch {
        /// The configured folder.
        folder: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Its engine's device has too little memory.
    #[error(transparent)]
    Memory(#[from] GpuShortage),
    /// It cannot do its work, or not be measured at it.
    #[error(transparent)]
    Work(#[from] RenderError),
    /// Its command queue cannot be opened.
    #[error("the worker's command queue cannot be opened: {0}")]
    Bus(#[from] BusError),
    /// It takes no lines.
    #[error("the worker's lines cannot be opened: {0}")]
    Lines(#[from] LineError),
    /// Its UDP port cannot be opened.
    #[error("worker.rtc: {0}")]
    Transport(#[from] TransportError),
    /// The system gives no thread, or no randomness.
    #[error("the worker cannot be started: {0}")]
    System(String),
}

/// A running worker. Dropping it without [`RunningWorker::drain_and_stop`] ends it without a word, as a crash would.
pub struct RunningWorker {
    id: WorkerId,
    capability: Capability,
    actors: Actors,
    arbiter: Arbiter,
}

impl RunningWorker {
    /// Its id; another at each start.
    pub fn id(&self) -> WorkerId {
        self.id
    }

    /// What it offers.
    pub fn capability(&self) -> &Capability {
        &self.capability
    }

    /// Takes nothing new from now on, hands over what still runs after `within`, and ends. Said again, the earlier end counts.
    pub fn drain(&self, within: Duration) {
        self.actors.drain(within);
    }

    /// Takes nothing new, waits up to `grace` for what runs, hands over what is left, and says goodbye.
    ///
    /// # Errors
    /// [`WorkerFailure`] when it ended in another way.
    pub async fn drain_and_stop(&self, grace: Duration) -> Result<(), WorkerFailure> {
        self.actors.drain(grace);
        self.closed().await
    }

    /// Waits until it takes nothing new any more, whoever told it so; or until its end.
    pub async fn drains(&self) {
        let mut drains = self.actors.drains();
        // A sender that is gone means that it has ended.
        let _ = drains.wait_for(|drains| *drains).await;
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// [`WorkerFailure`] when it was not asked to end.
    pub async fn closed(&self) -> Result<(), WorkerFailure> {
        let mut closed = self.actors.closed();
        let outcome: AgentOutcome = closed.wait_for(Option::is_some).await.ok().and_then(|outcome| *outcome);
        outcome.unwrap_or(Err(WorkerFailure::Vanished))
    }
}

impl Drop for RunningWorker {
    fn drop(&mut self) {
        self.arbiter.stop();
    }
}

/// Starts a worker with the engine that its settings name, on an arbiter of its own; call it inside an actor system.
///
/// # Errors
/// [`StartError`].
pub async fn start(
    ports: WorkerPorts,
    settings: WorkerSettings,
    metrics: Arc<WorkerMetrics>,
) -> Result<RunningWorker, StartError> {
    settings.check()?;
    let (engine, neural) = (settings.engine.clone(), settings.neural.clone());
    with_engine(&engine, &neural, Start { ports, settings, metrics })?.await
}

/// A worker that waits for its engine.
struct Start {
    ports: WorkerPorts,
    settings: WorkerSettings,
    metrics: Arc<WorkerMetrics>,
}

impl ForEngine for Start {
    type Output = Pin<Box<dyn Future<Output = Result<RunningWorker, StartError>>>>;

    fn with<E: Engine>(self, engine: E) -> Self::Output {
        Box::pin(start_engine(engine, self.ports, self.settings, self.metrics))
    }
}

/// The same with an engine of the caller's own, whatever the settings name.
///
/// # Errors
/// [`StartError`].
pub async fn start_engine<E: Engine>(
    engine: E,
    ports: WorkerPorts,
    settings: WorkerSettings,
    metrics: Arc<WorkerMetrics>,
) -> Result<RunningWorker, StartError> {
    settings.check()?;
    let signing = Signing::open(&settings.provenance).map_err(RenderError::from)?;
    let clock = WorkerClock::started(settings.up_before);
    let id = new_id()?;
    let arbiter = arbiter()?;
    let runtime = runtime_of(&arbiter).await?;
    let folder = settings.scratch.clone();
    let opened = spawn_blocking(move || Scratch::open(&folder, id)).await.map_err(broke)?;
    let scratch =
        opened.map_err(|source| StartError::Scratch { folder: settings.scratch.display().to_string(), source })?;

    let switchboard = Arc::new(Switchboard::new(start_transport(&settings.rtc)?));
    let (end, ended) = oneshot::channel();
    let told = move |panicked| {
        let _ = end.send(panicked);
    };
    let (changed, condition) = watch::channel(EngineCondition::default());
    let news = news_of_engine(id, Arc::clone(&metrics), changed);
    let thread = EngineThread::start_watched(engine.clone(), news, told).map_err(broke)?;
    let desks = thread.desks();

    if let Some(about) = engine.about() {
        info!(worker_id = %id, engine = engine.id(), about, "the engine is loaded");
    }
    metrics.restorations(engine.restorations());
    let slots = fitting_slots(engine.device_memory(), &settings, &metrics)?;
    let (mut frames_per_second, mut slots) = (0, slots);
    let scratch = if settings.measure {
        let (engine, desks) = (engine.clone(), desks.clone());
        let measuring = spawn_blocking(move || measured(&engine, &desks, &scratch, slots).map(|fps| (fps, scratch)));
        let (fps, scratch) = measuring.await.map_err(broke)??;
        frames_per_second = fps;
        slots = measure::sustained(fps, slots);
        info!(worker_id = %id, frames_per_second, slots, "measured");
        scratch
    } else {
        scratch
    };

    let avatars = WorkerAvatars::new(engine.clone(), Arc::clone(&ports.blobs), (settings.cache_mib as usize) << 20);
    let blobs = Arc::clone(&ports.blobs);
    let callers =
        Callers { questions: ports.questions.questions(id).await?, calls: ports.lines.calls(id).await?, switchboard };
    let switchboard = Arc::clone(&callers.switchboard);
    let offer = Offer { engine: engine.id(), slots, frames_per_second };
    let pace = PaceKeeper::new(Arc::clone(&metrics));
    let work = Arc::new(Studio {
        desks,
        avatars,
        engine,
        switchboard,
        metrics,
        pace,
        blobs,
        scratch,
        signing,
        mark: settings.mark,
        runtime,
    });
    let keeper = Some(EngineKeeper::of(thread, ended));
    let crew = WorkerParts { work, offer, keeper, condition, callers: Some(callers) };
    launch(id, clock, arbiter, ports, settings, crew).await
}

/// Starts a worker that does `work` instead: it need not be an engine's. Nothing is measured; all slots are offered.
/// For tests of the farm, and to load it without rendering.
///
/// # Errors
/// [`StartError`].
pub async fn start_with(
    ports: WorkerPorts,
    settings: WorkerSettings,
    work: Arc<dyn SessionRunner>,
) -> Result<RunningWorker, StartError> {
    settings.check()?;
    let clock = WorkerClock::started(settings.up_before);
    let offer = Offer { engine: "none/1", slots: settings.slots, frames_per_second: 0 };
    let (_, condition) = watch::channel(EngineCondition::default());
    let crew = WorkerParts { work, offer, keeper: None, condition, callers: None };
    launch(new_id()?, clock, arbiter()?, ports, settings, crew).await
}

/// As many of the configured slots as the engine's device has memory for.
fn fitting_slots(
    taken: Option<DeviceMemory>,
    settings: &WorkerSettings,
    metrics: &WorkerMetrics,
) -> Result<u8, StartError> {
    let Some(DeviceMemory { weights, contexts, buffers_a_frame, batches }) = taken else { return Ok(settings.slots) };
    let (budget, need) = (settings.neural.memory.budget(), GpuNeed { weights, contexts, buffers_a_frame });
    let slots = budget.slots(&need, batches, settings.slots)?;
    if slots < settings.slots {
        warn!(slots, wanted = settings.slots, "the device has memory for fewer slots");
    }
    metrics.device_memory(&budget, &need, need.buffers(batches, slots));
    Ok(slots)
}

/// Logs, counts and passes on what becomes of an engine.
fn news_of_engine(
    id: WorkerId,
    metrics: Arc<WorkerMetrics>,
    condition: watch::Sender<EngineCondition>,
) -> impl FnMut(EngineNews<'_>) {
    move |news| {
        match &news {
            EngineNews::Failed(why) => warn!(worker_id = %id, %why, "the engine failed: it is started again"),
            EngineNews::Recovered(how) => warn!(worker_id = %id, %how, "the engine draws again"),
            EngineNews::Broken(why) => error!(worker_id = %id, %why, "the engine cannot be started again"),
        }
        metrics.engine_news(&news);
        condition.send_if_modified(|now| {
            let after = now.clone().after(&news);
            let changed = *now != after;
            *now = after;
            changed
        });
    }
}

/// What a worker offers.
struct Offer {
    engine: &'static str,
    slots: u8,
    frames_per_second: u32,
}

/// Who does the work.
struct WorkerParts {
    work: Arc<dyn SessionRunner>,
    offer: Offer,
    keeper: Option<EngineKeeper>,
    condition: watch::Receiver<EngineCondition>,
    callers: Option<Callers>,
}

/// Who speaks to live sessions.
struct Callers {
    questions: Box<dyn QuestionInbox>,
    calls: Box<dyn IncomingLines>,
    switchboard: Arc<Switchboard>,
}

async fn launch(
    id: WorkerId,
    clock: WorkerClock,
    arbiter: Arbiter,
    ports: WorkerPorts,
    settings: WorkerSettings,
    crew: WorkerParts,
) -> Result<RunningWorker, StartError> {
    let WorkerParts { work, offer: Offer { engine, slots, frames_per_second }, keeper, condition, callers } = crew;
    let WorkerSettings { name, instance_type, machine, lease, drain_timeout, .. } = settings;
    let engine_name = engine.to_owned();
    // What failed while it was measured is told with the first heartbeat.
    let impaired = condition.borrow().why().map(str::to_owned);
    let capability =
        Capability { name, engine: engine_name, instance_type, machine, slots, frames_per_second, impaired };
    // One more than there are slots, so that a stop or a drain is never stuck behind assignments.
    let inbox = ports.bus.commands(id, u16::from(slots) + 1).await?;
    let WorkerPorts { bus, pool, .. } = ports;
    let told = capability.clone();
    let address = callers.as_ref().and_then(|callers| callers.calls.address());
    let launch = ActorLaunch {
        id,
        capability: told,
        address,
        bus,
        pool,
        work,
        engine: keeper,
        condition,
        clock,
        lease,
        drain_timeout,
        inbox,
    };
    let actors = launch.start(&arbiter);
    if let Some(Callers { questions, calls, switchboard }) = callers {
        arbiter.spawn(Arc::clone(&switchboard).answer(questions));
        arbiter.spawn(switchboard.connect(calls));
    }
    info!(worker_id = %id, slots, engine, "worker started");
    Ok(RunningWorker { id, capability, actors, arbiter })
}

/// Frames a second that this machine makes of the sample with all slots at work.
fn measured<E: Engine>(engine: &E, desks: &EngineDesks<E>, scratch: &Scratch, slots: u8) -> Result<u32, StartError> {
    let folder = scratch.session().map_err(broke)?;
    let portrait = folder.path().join("sample.png");
    std::fs::write(&portrait, measure::PORTRAIT).map_err(broke)?;
    let mut finder = FaceFinder::new(&Runtime::get().map_err(RenderError::from)?).map_err(RenderError::from)?;
    let options = PortraitOptions {
        size: measure::SIZE,
        framing: Framing::default(),
        face: None,
        fps: measure::PER_SLOT,
        background: None,
    };
    let prepared = load_reference(&portrait, options, &mut finder)?;
    let size = prepared.report.frame.output;
    let references = prepared.reference.frames.len();
    let avatar = Arc::new(engine.prepare(prepared.reference).map_err(RenderError::from)?);
    let trial = EngineTrial { desks, engine, avatar: &avatar, size, references, preset: FilePreset::Balanced };
    Ok(trial.run(slots, MEASURE_FOR)? as u32)
}

/// Starts the transport from a thread whose priority its own inherits.
fn start_transport(rtc: &RtcSettings) -> Result<Transport, StartError> {
    let RtcSettings { bind, addresses, public, stun, max_viewers, max_viewers_per_session } = rtc.clone();
    let settings = TransportSettings {
        bind,
        addresses,
        public,
        stun,
        max_viewers,
        max_viewers_per_stream: max_viewers_per_session,
    };
    let started = std::thread::spawn(move || {
        nice::step_forward();
        Transport::start(settings)
    });
    Ok(started.join().map_err(|_| broke("the transport's start panicked"))??)
}

fn new_id() -> Result<WorkerId, StartError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(broke)?;
    Ok(WorkerId(u128::from_be_bytes(bytes)))
}

fn arbiter() -> Result<Arbiter, StartError> {
    System::try_current().map(|_| Arbiter::new()).ok_or(StartError::NoSystem)
}

/// The runtime of an arbiter's thread.
async fn runtime_of(arbiter: &Arbiter) -> Result<Handle, StartError> {
    let (tell, told) = oneshot::channel();
    arbiter.spawn(async move { drop(tell.send(Handle::current())) });
    told.await.map_err(broke)
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn broke(e: impl ToString) -> StartError {
    StartError::System(e.to_string())
}

#[cfg(test)]
#[path = "farm_tests.rs"]
mod tests;
