use super::*;
use crate::board::{ProgressBoard, WorkState};
use crate::stop::Stop;
use crate::work::WorkError;
use mouthpiece_domain::fleet::{Assignment, Hold, WorkerCommand, WorkerEvent};
use mouthpiece_domain::frame::{FrameRate, FrameSize, Framing};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::manner::Manner;
use mouthpiece_domain::session::{
    BlobKey, Fence, RenderPreset, SessionEnd, SessionKind, SessionOutput, SessionSpec, SlotIndex as Place,
};
use mouthpiece_embedded::{Directory, MemoryBus, MemoryLines, MemoryPool};
use mouthpiece_engine::{Artist, Cue, Ear, EngineError, EngineTick, Expression, HeardCue, SpeechLevel};
use mouthpiece_media::image::I420;
use mouthpiece_media::reference::Reference;

const SOON: Duration = Duration::from_secs(60);

/// Dies of the first frame.
#[derive(Clone)]
struct Mortal;

struct NoCue;

impl Cue for NoCue {
    fn is_rest(&self) -> bool {
        false
    }
}

struct Deaf;

impl Ear for Deaf {
    type Cue = NoCue;

    fn hear(&mut self, _: &[f32]) {}

    fn finish(&mut self) {}

    fn cue(&mut self, _: f64) -> Option<HeardCue<NoCue>> {
        None
    }

    fn need(&self) -> f64 {
        0.0
    }
}

impl Engine for Mortal {
    type Avatar = ();
    type Cue = NoCue;
    type Seat = I420;
    type Ear = Deaf;

    fn id(&self) -> &'static str {
        "mortal/1"
    }

    fn prepare(&self, _: Reference) -> Result<(), EngineError> {
        Ok(())
    }

    fn bytes((): &()) -> usize {
        0
    }

    fn seat((): &()) -> I420 {
        I420::new(2, 2).unwrap()
    }

    fn ear(&self, _: SpeechLevel) -> Deaf {
        Deaf
    }

    fn live_ear(&self) -> Deaf {
        Deaf
    }

    fn draw(&mut self, _: &mut [EngineTick<'_, Self>]) -> Result<(), EngineError> {
        panic!("as the test wants")
    }

    fn rest((): &(), _: &mut I420, _: usize, _: Expression) -> Result<(), EngineError> {
        Ok(())
    }

    fn picture(seat: &I420) -> &I420 {
        seat
    }
}

struct Drawing(EngineDesks<Mortal>);

impl SessionRunner for Drawing {
    fn run(&self, _: &Assignment, board: &ProgressBoard, _: &Stop) -> Result<SessionEnd, WorkError> {
        board.enter(WorkState::Running);
        let mut desk = self.0.desk(Arc::new(()));
        let drawn = desk.draw(0, NoCue, Expression::default()).map(|_| SessionEnd::completed(SessionOutput::default()));
        drawn.map_err(|e| WorkError::render(e.into()))
    }
}

fn assignment(hold: Hold) -> Assignment {
    let spec = SessionSpec {
        portrait: BlobKey::new("uploads/a").unwrap(),
        content: "0".repeat(64),
        face: None,
        speech: None,
        size: FrameSize::new(128).unwrap(),
        fps: FrameRate::Fps25,
        preset: RenderPreset::Fast,
        seed: 1,
        head: true,
        blinks: true,
        manner: Manner::default(),
        framing: Framing::default(),
        background: None,
        live: None,
    };
    let s = Duration::from_secs;
    let lease = LeaseTerms::new(s(1), s(20), s(25), s(30)).unwrap();
    Assignment { hold, kind: SessionKind::Render, spec: Arc::new(spec), lease }
}

#[actix_rt::test]
async fn a_worker_whose_engine_dies_says_goodbye_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Arc::new(Directory::open(folder.path()).unwrap());
    let bus = Arc::new(MemoryBus::new());
    let ports = WorkerPorts {
        bus: Arc::clone(&bus) as _,
        questions: bus,
        pool: Arc::new(MemoryPool::new()),
        blobs,
        lines: Arc::new(MemoryLines::new()),
    };
    let mut events = ports.bus.events().await.unwrap();

    let (end, ended) = oneshot::channel();
    let thread = EngineThread::start(Mortal, move |panicked| end.send(panicked).unwrap()).unwrap();
    let work = Arc::new(Drawing(thread.desks()));
    let offer = Offer { engine: "mortal/1", slots: 1, frames_per_second: 0 };
    let (_, condition) = watch::channel(EngineCondition::default());
    let crew = WorkerParts { work, offer, keeper: Some(EngineKeeper::of(thread, ended)), condition, callers: None };
    let (id, clock, settings) = (new_id().unwrap(), WorkerClock::started(Duration::ZERO), WorkerSettings::default());
    let worker = launch(id, clock, arbiter().unwrap(), ports.clone(), settings, crew).await.unwrap();

    let hold = Hold { session: SessionId(1), fence: Fence::FIRST, worker: id, slot: Place(0) };
    let assignment = assignment(hold);
    assert!(ports.pool.claim(&hold, assignment.lease.expiry()).await.unwrap());
    ports.bus.send(id, &WorkerCommand::Assign(Box::new(assignment))).await.unwrap();
    let closed = tokio::time::timeout(SOON, worker.closed()).await.expect("the worker never ended");
    assert_eq!(closed, Err(WorkerFailure::EngineGone));
    assert_eq!(ports.pool.remaining(&hold).await.unwrap(), None);
    loop {
        let event = tokio::time::timeout(SOON, events.next()).await.expect("goodbye was never said").unwrap();
        match &event.body {
            WorkerEvent::Goodbye { worker, .. } => break assert_eq!(*worker, id),
            WorkerEvent::Report(report) => assert!(report.end.is_none(), "{report:?}"),
            WorkerEvent::Refused { .. } | WorkerEvent::HandedOver { .. } => {
                panic!("its sessions are lost, not handed over")
            }
            WorkerEvent::Heartbeat(_) => {}
        }
        event.ack().await.unwrap();
    }
}

#[test]
fn outside_an_actix_system_no_worker_starts() {
    assert!(matches!(arbiter(), Err(StartError::NoSystem)));
}
