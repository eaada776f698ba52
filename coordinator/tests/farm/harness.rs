//! A farm on a SQLite file, a bus and a pool in memory, and a fleet that notes what it is asked.

use crate::worker::{Conduct, Worker};
use async_trait::async_trait;
use mouthpiece_coordinator::actors::{self, FarmHandle};
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_coordinator::metrics::Metrics;
use mouthpiece_domain::control::{ControlSettings, SubmitAnswer};
use mouthpiece_domain::cost::Price;
use mouthpiece_domain::fleet::DepartedWorker;
use mouthpiece_domain::frame::{FrameRate, FrameSize, Framing};
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::manner::Manner;
use mouthpiece_domain::session::{
    BlobKey, Fence, FrameProgress, Phase, RenderPreset, Session, SessionKind, SessionSpec,
};
use mouthpiece_domain::time::Wall;
use mouthpiece_embedded::{MemoryBus, MemoryPool, Sqlite};
use mouthpiece_ports::farm_ports::ActorPorts;
use mouthpiece_ports::fleet::{Fleet, FleetError, MachineUse};
use mouthpiece_ports::records::UsageBooks;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const SECOND: Duration = Duration::from_secs(1);
/// The longest that anything is waited for.
const BOUND: Duration = Duration::from_secs(30);

/// Waits until `look` sees something.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(started.elapsed() < BOUND, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What the fleet was asked for.
#[derive(Default)]
pub struct FleetNotes {
    pub desired: Mutex<Vec<u32>>,
    pub retired: Mutex<Vec<DepartedWorker>>,
}

#[async_trait]
impl Fleet for FleetNotes {
    async fn desire(&self, workers: u32) -> Result<(), FleetError> {
        self.desired.lock().unwrap().push(workers);
        Ok(())
    }

    async fn retire(&self, left: &DepartedWorker) -> Result<(), FleetError> {
        self.retired.lock().unwrap().push(left.clone());
        Ok(())
    }

    async fn protect(&self, _: &[MachineUse]) -> Result<(), FleetError> {
        Ok(())
    }

    async fn prices(&self, _: &[String], _: Wall) -> Result<Vec<Price>, FleetError> {
        Ok(Vec::new())
    }
}

/// Leases that are lost after a second.
pub fn short_leases() -> ControlSettings {
    let ms = Duration::from_millis;
    ControlSettings { lease: LeaseTerms::new(ms(100), ms(500), ms(800), SECOND).unwrap(), ..quick() }
}

/// The defaults, but the records are swept every half second.
pub fn quick() -> ControlSettings {
    let ms = Duration::from_millis;
    ControlSettings { sweep_every: ms(500), adopt_after: ms(500), book_every: ms(500), ..ControlSettings::default() }
}

/// One coordinator and its ports.
pub struct Rig {
    pub ports: ActorPorts,
    pub books: Arc<dyn UsageBooks>,
    pub farm: FarmHandle,
    pub metrics: Arc<Metrics>,
    pub fleet: Arc<FleetNotes>,
    pub settings: ControlSettings,
    _folder: TempDir,
}

impl Rig {
    pub async fn start(settings: ControlSettings) -> Self {
        Self::start_with(settings, |ports| ports).await
    }

    /// With other ports than the embedded ones.
    pub async fn start_with(settings: ControlSettings, change: impl FnOnce(ActorPorts) -> ActorPorts) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fleet = Arc::new(FleetNotes::default());
        let store = Arc::new(Sqlite::open(&folder.path().join("farm.db")).await.unwrap());
        let ports = change(ActorPorts {
            ledger: Arc::clone(&store) as _,
            bus: Arc::new(MemoryBus::new()),
            pool: Arc::new(MemoryPool::new()),
            fleet: Arc::clone(&fleet) as _,
            books: Arc::clone(&store) as _,
        });
        let metrics = Arc::new(Metrics::new().unwrap());
        let farm = actors::start(ports.clone(), settings.clone(), Arc::clone(&metrics));
        Self { ports, books: store, farm, metrics, fleet, settings, _folder: folder }
    }

    /// A further coordinator over the same ports.
    pub fn another(&self) -> FarmHandle {
        actors::start(self.ports.clone(), self.settings.clone(), Arc::new(Metrics::new().unwrap()))
    }

    pub async fn worker(&self, slots: u8, conduct: Conduct) -> Worker {
        Worker::start(&self.ports, slots, self.settings.lease, conduct).await
    }

    /// A session that is accepted.
    pub async fn submit(&self) -> SessionId {
        accepted(&self.farm, session()).await
    }

    pub async fn record(&self, id: SessionId) -> Session {
        self.ports.ledger.session(id).await.unwrap().unwrap()
    }

    /// Waits for a session's phase, or a later one, in the records.
    pub async fn reaches(&self, id: SessionId, phase: Phase) -> Session {
        eventually(&format!("{id} is {}", phase.name()), async || {
            let session = self.record(id).await;
            (session.phase >= phase).then_some(session)
        })
        .await
    }

    /// Waits until the brain sees so many slots taken.
    pub async fn slots_taken(&self, taken: usize) {
        eventually(&format!("{taken} slots are taken"), async || {
            let view = self.farm.view().await.unwrap();
            let slots = view.workers.iter().flat_map(|worker| &worker.slots);
            (slots.filter(|slot| slot.session.is_some()).count() == taken).then_some(())
        })
        .await;
    }

    /// Waits until the metrics show a line.
    pub async fn shows(&self, line: &str) {
        eventually(line, async || self.metrics.render().lines().any(|shown| shown == line).then_some(())).await;
    }
}

pub async fn accepted(farm: &FarmHandle, session: Session) -> SessionId {
    let id = session.id;
    match farm.submit(session, None, u32::MAX).await.unwrap() {
        SubmitAnswer::Accepted(session) => assert_eq!(session.id, id),
        other => panic!("not accepted: {other:?}"),
    }
    id
}

/// A session as it is asked for.
pub fn session() -> Session {
    let now = Wall(1_800_000_000_000);
    Session {
        id: SessionId(uuid::Uuid::now_v7().as_u128()),
        kind: SessionKind::Render,
        key: KeyId(1),
        avatar: AvatarId(1),
        spec: Arc::new(SessionSpec {
            portrait: BlobKey::new("uploads/portrait.png").unwrap(),
            content: "ab".repeat(32),
            face: None,
            speech: Some(BlobKey::new("uploads/speech.wav").unwrap()),
            size: FrameSize::USUAL,
            fps: FrameRate::Fps25,
            preset: RenderPreset::Balanced,
            seed: 1,
            head: true,
            blinks: true,
            manner: Manner::default(),
            framing: Framing::default(),
            background: None,
            live: None,
        }),
        metadata: BTreeMap::new(),
        queue_timeout: Duration::from_secs(600),
        max_duration: Duration::from_secs(600),
        fence: Fence::FIRST,
        phase: Phase::Requested,
        place: None,
        moved_from: None,
        moves: 0,
        losses: 0,
        delivered_before: Duration::ZERO,
        progress: FrameProgress::default(),
        end: None,
        created: now,
        updated: now,
    }
}
