//! Stores, a worker, and who drives it.

use mouthpiece_domain::fleet::{Assignment, Heartbeat, Hold, SessionReport, WorkerCommand, WorkerEvent, WorkerRefusal};
use mouthpiece_domain::frame::{FrameRate, FrameSize};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::session::{
    BlobKey, Fence, Phase, RenderPreset, SessionEnd, SessionKind, SessionSpec, SlotIndex,
};
use mouthpiece_ports::farm_ports::WorkerPorts;
use mouthpiece_worker::farm::{RunningWorker, start, start_with};
use mouthpiece_worker::{SessionRunner, WorkerSettings};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Notify;

/// Nothing here takes so long, however busy the machine is.
pub const SOON: Duration = Duration::from_secs(60);

/// Stores and what the coordinators heard.
pub struct Farm {
    pub ports: WorkerPorts,
    pub folder: TempDir,
    heard: Arc<(Mutex<Vec<WorkerEvent>>, Notify)>,
}

impl Farm {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = crate::media::ports(folder.path()).await;
        Self::of(ports, folder).await
    }

    /// With ports of the caller's own.
    pub async fn of(ports: WorkerPorts, folder: TempDir) -> Self {
        let heard = Arc::new((Mutex::new(Vec::new()), Notify::new()));
        let (mut events, of_task) = (ports.bus.events().await.unwrap(), Arc::clone(&heard));
        actix_rt::spawn(async move {
            while let Some(event) = events.next().await {
                of_task.0.lock().unwrap().push(event.body.clone());
                event.ack().await.unwrap();
                of_task.1.notify_waiters();
            }
        });
        Self { ports, folder, heard }
    }

    pub fn settings(&self) -> WorkerSettings {
        WorkerSettings {
            name: "test".to_owned(),
            scratch: self.folder.path().join("scratch"),
            measure: false,
            ..WorkerSettings::default()
        }
    }

    /// A worker that renders.
    pub async fn worker(&self) -> RunningWorker {
        start(self.ports.clone(), self.settings(), crate::media::metrics()).await.unwrap()
    }

    /// A worker that does `work`.
    pub async fn worker_with(&self, work: Arc<dyn SessionRunner>) -> RunningWorker {
        start_with(self.ports.clone(), self.settings(), work).await.unwrap()
    }

    /// Waits for something that the coordinators hear.
    pub async fn hears<T>(&self, what: &str, find: impl Fn(&WorkerEvent) -> Option<T>) -> T {
        let found = self.until(|events| events.iter().find_map(&find));
        match tokio::time::timeout(SOON, found).await {
            Ok(found) => found,
            Err(_) => panic!("{what} was never heard: {:#?}", self.heard.0.lock().unwrap()),
        }
    }

    async fn until<T>(&self, find: impl Fn(&[WorkerEvent]) -> Option<T>) -> T {
        loop {
            let news = self.heard.1.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if let Some(found) = find(&self.heard.0.lock().unwrap()) {
                return found;
            }
            news.await;
        }
    }

    /// All that was heard so far.
    pub fn heard(&self) -> Vec<WorkerEvent> {
        self.heard.0.lock().unwrap().clone()
    }

    /// Forgets what was heard.
    pub fn forget(&self) {
        self.heard.0.lock().unwrap().clear();
    }

    pub async fn hears_end(&self, hold: Hold) -> (SessionEnd, SessionReport) {
        self.hears("the end", |event| match event {
            WorkerEvent::Report(r) if r.hold == hold && r.phase == Phase::Ended => {
                Some((r.end.clone()?, (**r).clone()))
            }
            _ => None,
        })
        .await
    }

    pub async fn hears_phase(&self, hold: Hold, phase: Phase) -> SessionReport {
        self.hears(phase.name(), |event| match event {
            WorkerEvent::Report(r) if r.hold == hold && r.phase == phase => Some((**r).clone()),
            _ => None,
        })
        .await
    }

    pub async fn hears_refusal(&self, hold: Hold) -> WorkerRefusal {
        self.hears("a refusal", |event| match event {
            WorkerEvent::Refused { hold: refused, why } if *refused == hold => Some(*why),
            _ => None,
        })
        .await
    }

    pub async fn hears_beat(&self, what: &str, fits: impl Fn(&Heartbeat) -> bool) -> Heartbeat {
        self.hears(what, |event| match event {
            WorkerEvent::Heartbeat(beat) if fits(beat) => Some((**beat).clone()),
            _ => None,
        })
        .await
    }

    /// The ends that its goodbye repeats.
    pub async fn hears_goodbye(&self, worker: WorkerId) -> Vec<SessionReport> {
        self.hears("goodbye", |event| match event {
            WorkerEvent::Goodbye { worker: gone, ended } if *gone == worker => Some(ended.clone()),
            _ => None,
        })
        .await
    }

    /// Claims the slot and sends the assignment, as a coordinator does.
    pub async fn assign(&self, assignment: &Assignment) -> Hold {
        assert!(self.ports.pool.claim(&assignment.hold, assignment.lease.expiry()).await.unwrap());
        self.send(assignment).await
    }

    /// Sends an assignment without a claim.
    pub async fn send(&self, assignment: &Assignment) -> Hold {
        let command = WorkerCommand::Assign(Box::new(assignment.clone()));
        self.ports.bus.send(assignment.hold.worker, &command).await.unwrap();
        assignment.hold
    }

    pub async fn tell(&self, worker: WorkerId, command: WorkerCommand) {
        self.ports.bus.send(worker, &command).await.unwrap();
    }

    /// Waits until nobody holds what `hold` held.
    pub async fn is_given_back(&self, hold: Hold) {
        let given_back = async {
            while self.ports.pool.remaining(&hold).await.unwrap().is_some() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(SOON, given_back).await.expect("the hold was never given back");
    }
}

pub fn hold(worker: &RunningWorker, session: u128, fence: u32, slot: u8) -> Hold {
    Hold { session: SessionId(session), fence: Fence(fence), worker: worker.id(), slot: SlotIndex(slot) }
}

/// Leases that outlast a busy machine's hiccups.
pub fn calm() -> LeaseTerms {
    let s = Duration::from_secs;
    LeaseTerms::new(Duration::from_millis(200), s(20), s(25), s(30)).unwrap()
}

/// Work for a scripted worker.
pub fn any(hold: Hold) -> Assignment {
    let spec = SessionSpec {
        portrait: BlobKey::new("uploads/portrait").unwrap(),
        content: "0".repeat(64),
        face: None,
        speech: Some(BlobKey::new("uploads/speech").unwrap()),
        size: FrameSize::new(128).unwrap(),
        fps: FrameRate::Fps25,
        preset: RenderPreset::Fast,
        seed: 1,
        head: true,
        blinks: true,
        background: None,
        framing: mouthpiece_domain::frame::Framing::default(),
        manner: mouthpiece_domain::manner::Manner::default(),
        live: None,
    };
    Assignment { hold, kind: SessionKind::Render, spec: Arc::new(spec), lease: calm() }
}
