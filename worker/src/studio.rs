//! The sessions that a worker runs for the farm: renders and preparations, from the store and back to it, and live ones.

use crate::avatars::{ReadyAvatar, WorkerAvatars, patiently};
use crate::board::{ProgressBoard, WorkState};
use crate::film::FramePath;
use crate::live::pace::PaceKeeper;
use crate::live::switchboard::Switchboard;
use crate::live::{Letterbox, LiveEnd, LiveFace, LiveInput, LiveSetup, LiveThread, PacedByEngine};
use crate::mark::FrameMarker;
use crate::metrics::WorkerMetrics;
use crate::nice;
use crate::pipeline::{self, Film, FilmSetup};
use crate::scratch::Scratch;
use crate::signing::Signing;
use crate::stop::Stop;
use crate::work::{SessionRunner, WorkError};
use mouthpiece_domain::fleet::{Assignment, Hold};
use mouthpiece_domain::manner::Demeanour;
use mouthpiece_domain::names;
use mouthpiece_domain::session::{RenderPreset, SessionEnd, SessionKind, SessionOutput, SessionSpec};
use mouthpiece_engine::life::{Demeanour as DrawnDemeanour, Liveliness};
use mouthpiece_engine::{Engine, EngineDesks};
use mouthpiece_media::encode::{EncoderChoice, FilePreset};
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_transport::StreamParams;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tracing::info;

/// Everything that the sessions of one worker share.
pub struct Studio<E: Engine> {
    /// In front of the engine's thread.
    pub desks: EngineDesks<E>,
    /// Prepared faces.
    pub avatars: WorkerAvatars<E>,
    /// Makes ears; what draws is on the engine's thread.
    pub engine: E,
    /// Finds live sessions, and has their transport.
    pub switchboard: Arc<Switchboard>,
    /// Of live sessions.
    pub metrics: Arc<WorkerMetrics>,
    /// The frame rate that live sessions share.
    pub pace: PaceKeeper,
    /// Inputs and results.
    pub blobs: Arc<dyn Blobs>,
    /// Where files are made.
    pub scratch: Scratch,
    /// Signs films.
    pub signing: Signing,
    /// The visible mark is put on every frame.
    pub mark: bool,
    /// Drives the store's calls, which sessions wait for on their own threads.
    pub runtime: Handle,
}

impl<E: Engine> SessionRunner for Studio<E> {
    fn run(&self, assignment: &Assignment, board: &ProgressBoard, stop: &Stop) -> Result<SessionEnd, WorkError> {
        let folder = self.scratch.session().map_err(|e| WorkError::broke("making a scratch folder", &e))?;
        let spec = &assignment.spec;
        let avatar = |stop| {
            let got = self.runtime.block_on(self.avatars.get(spec, folder.path(), stop));
            got.map_err(|e| e.under(assignment.hold.fence, self.engine.id()))
        };
        match assignment.kind {
            SessionKind::Live => nice::step_forward(),
            SessionKind::Render | SessionKind::Prepare => nice::step_back(),
        }
        match assignment.kind {
            SessionKind::Prepare => self.prepared(&*avatar(stop)?, stop).map(SessionEnd::completed),
            SessionKind::Live => {
                let ready = avatar(stop)?;
                drop(folder);
                self.live(assignment.hold, spec, board, stop, &ready)
            }
            SessionKind::Render => {
                self.render(assignment.hold, spec, &folder, board, stop, avatar).map(SessionEnd::completed)
            }
        }
    }

    fn resident(&self) -> Vec<String> {
        self.avatars.resident()
    }
}

impl<E: Engine> Studio<E> {
    /// A prepared avatar as a result.
    fn prepared(&self, ready: &ReadyAvatar<E>, stop: &Stop) -> Result<SessionOutput, WorkError> {
        let facts = ready.facts.clone();
        let size = self.wait(stop, patiently(|| self.blobs.size(&facts.preview)))?;
        let bytes = size.map_err(|e| WorkError::blob(&e, "the avatar"))?.unwrap_or(0);
        Ok(SessionOutput {
            blob: Some(facts.preview),
            removed: None,
            bytes,
            frames: facts.frames as u64,
            length: facts.length,
            size: facts.size,
            framing: facts.framing,
            warnings: facts.warnings,
        })
    }

    /// Runs a live session until somebody or something ends it.
    fn live(
        &self,
        hold: Hold,
        spec: &SessionSpec,
        board: &ProgressBoard,
        stop: &Stop,
        ready: &ReadyAvatar<E>,
    ) -> Result<SessionEnd, WorkError> {
        let (terms, duty) = (spec.live.unwrap_or_default(), stop.duty());
        let (letterbox, inbox) = Letterbox::new();
        let post = letterbox.clone();
        let params = StreamParams { fps: spec.fps.per_second(), bitrate: terms.bitrate };
        // The transport waits for nobody: a packet that finds the inbox full is lost, a viewer who comes or goes is not.
        let sink = Box::new(move |event| drop(post.leave(LiveInput::Stream(event))));
        let opened = self.switchboard.transport().open(params, sink);
        let stream = opened.map_err(|e| WorkError::broke("opening a stream", &e))?;
        let path = FramePath::new(
            self.desks.live_desk(Arc::clone(&ready.avatar)),
            ready.facts.frames,
            spec.fps.per_second(),
            spec.seed,
            liveliness(spec),
        );
        let (ear, marker) = (Box::new(self.engine.live_ear()), FrameMarker::new(self.mark));
        let face = LiveFace { path, ear, marker };
        let setting = LiveSetup {
            session: hold.session,
            fence: hold.fence,
            size: ready.facts.size,
            fps: spec.fps.per_second(),
            terms,
            duty,
            phase: van_der_corput(hold.slot.0),
        };
        let id = stream.id();
        let paced = PacedByEngine { keeper: &self.pace, drawn: Box::new(|| self.desks.drawn()) };
        let live = LiveThread::new(setting, face, stream, inbox, board, Arc::clone(&self.metrics), paced);
        let live = live.map_err(WorkError::render)?;
        let _entry = self.switchboard.enter(hold, id, letterbox);
        match live.run(stop) {
            LiveEnd::Ended(end) => Ok(end),
            LiveEnd::Stopped | LiveEnd::Moved => Err(WorkError::Stopped),
            LiveEnd::Failed(e) => Err(WorkError::render(e)),
        }
    }

    fn render<'a>(
        &self,
        hold: Hold,
        spec: &SessionSpec,
        folder: &TempDir,
        board: &ProgressBoard,
        stop: &'a Stop,
        avatar: impl FnOnce(&'a Stop) -> Result<Arc<ReadyAvatar<E>>, WorkError>,
    ) -> Result<SessionOutput, WorkError> {
        let lost = || WorkError::Failed("the render came without speech".to_owned());
        let key = spec.speech.as_ref().ok_or_else(lost)?;
        let speech = self.wait(stop, patiently(|| self.blobs.local(key, folder.path())))?;
        let speech = speech.map_err(|e| WorkError::blob(&e, "the speech"))?;
        let result = folder.path().join("result.mp4");
        let survey = pipeline::survey(&speech, &mut |_| !stop.is_set()).map_err(WorkError::render)?;
        let ready = avatar(stop)?;
        let making = making(spec, ready.facts.size, self.mark);
        let encoder = pipeline::open_encoder(&making).map_err(WorkError::render)?;
        info!(session_id = %hold.session, encoder = encoder.name(), seconds = survey.seconds, "making a film");
        let film = Film::open(&speech, &survey, &result, making, encoder).map_err(WorkError::render)?;
        board.expect(Film::frames(&survey, spec.fps.per_second()));
        board.enter(WorkState::Running);
        let desk = self.desks.desk(Arc::clone(&ready.avatar));
        let mut ear = self.engine.ear(pipeline::level(&survey));
        let mut each = |frames| {
            board.made(frames, spec.fps.per_second());
            !stop.is_set()
        };
        let made = film.make(desk, ready.facts.frames, &mut ear, &mut each).map_err(WorkError::render)?;
        let signed = self.signing.sign(&result).map_err(|e| WorkError::render(e.into()))?;

        board.enter(WorkState::Draining);
        let key = names::result(hold.session, hold.fence).map_err(|e| WorkError::broke("naming the result", &e))?;
        let put = self.wait(stop, patiently(|| self.blobs.put_file(&key, &result)))?;
        put.map_err(|e| WorkError::blob(&e, "the result"))?;
        let mut warnings = ready.facts.warnings.clone();
        warnings.extend(pipeline::speech_warnings(&survey));
        Ok(SessionOutput {
            blob: Some(key),
            removed: None,
            bytes: signed.unwrap_or(made.bytes),
            frames: made.frames,
            length: Duration::from_secs_f64(made.video_seconds),
            size: ready.facts.size,
            framing: ready.facts.framing.clone(),
            warnings,
        })
    }

    /// Waits for the store, or until the session is stopped.
    fn wait<T>(&self, stop: &Stop, work: impl Future<Output = T>) -> Result<T, WorkError> {
        Ok(self.runtime.block_on(stop.or(work))?)
    }
}

/// Numbers in 0..1 of which any first few lie far apart (van der Corput, 1935): by which part of a frame's time a slot's
/// frames come later than slot 0's.
fn van_der_corput(slot: u8) -> f64 {
    f64::from(slot.reverse_bits()) / 256.0
}

/// How much of life a session shows.
fn liveliness(spec: &SessionSpec) -> Liveliness {
    Liveliness {
        blinks: spec.blinks,
        motion: if spec.head { f32::from(spec.manner.motion.hundredths()) / 100.0 } else { 0.0 },
        demeanour: match spec.manner.demeanour {
            Demeanour::Neutral => DrawnDemeanour::Neutral,
            Demeanour::Friendly => DrawnDemeanour::Friendly,
            Demeanour::Serious => DrawnDemeanour::Serious,
        },
    }
}

fn making(spec: &SessionSpec, size: [u32; 2], mark: bool) -> FilmSetup {
    FilmSetup {
        mark,
        size,
        fps: spec.fps.per_second(),
        seed: spec.seed,
        liveliness: liveliness(spec),
        encoder: EncoderChoice::Auto,
        preset: match spec.preset {
            RenderPreset::Fast => FilePreset::Fast,
            RenderPreset::Balanced => FilePreset::Balanced,
        },
    }
}
