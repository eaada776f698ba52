//! One live session on its thread: clock, inbox, engine, encoders and stream around [`LiveSession`].
//!
//! The loop wakes for whatever is due first: a packet of sound, a frame to begin, a message. It never waits for anything
//! else, but for the engine while a frame is drawn.

use super::callers::Callers;
use super::inbox::{LiveInbox, LiveInput};
use super::listener::Listener;
use super::pace::{PaceKeeper, PaceReport};
use super::session::{
    FrameTurn, FrameWork, HeardVoice, LiveEnd, LiveOutput, LiveSession, LiveSetup, LiveTask, SoundDue,
};
use crate::board::{ProgressBoard, WorkState};
use crate::error::RenderError;
use crate::film::FramePath;
use crate::mark::FrameMarker;
use crate::metrics::WorkerMetrics;
use crate::stop::Stop;
use bytes::Bytes;
use mouthpiece_engine::{Artist, Cue, DrawnTicks, Ear, EngineError};
use mouthpiece_media::audio::OpusEncoder;
use mouthpiece_media::encode::{self, EncoderChoice, EncoderQuality, EncoderSettings, VideoEncoder};
use mouthpiece_transport::{AudioPacket, OutgoingStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{debug, info};

/// Voice, bits a second: enough for transparent speech.
const VOICE_BITS: u32 = 48_000;
/// Most seconds from one key frame to the next; viewers ask for one when they need it.
const KEY_FRAME_SECONDS: u32 = 60;

/// Who draws and who listens.
pub struct LiveFace<A: Artist> {
    /// Draws frames.
    pub path: FramePath<A>,
    /// Listens for it.
    pub ear: Box<dyn Ear<Cue = A::Cue>>,
    /// Marks what was drawn.
    pub marker: FrameMarker,
}

/// A live session that is run.
pub struct LiveThread<'a, A: Artist> {
    session: LiveSession,
    path: FramePath<A>,
    marker: FrameMarker,
    listener: Listener<A::Cue>,
    /// Time that the ear took since the last frame.
    listening: Duration,
    encoder: Box<dyn VideoEncoder>,
    opus: OpusEncoder,
    stream: OutgoingStream,
    callers: Callers,
    inbox: LiveInbox,
    board: &'a ProgressBoard,
    fps: u32,
    paced: PacedByEngine<'a>,
}

/// Who decides how many frames a second a live session has.
pub struct PacedByEngine<'a> {
    /// What it shares with the other sessions of the worker.
    pub keeper: &'a PaceKeeper,
    /// What the engine drew so far, all sessions together.
    pub drawn: Box<dyn Fn() -> DrawnTicks + 'a>,
}

impl<'a, A: Artist> LiveThread<'a, A> {
    /// Opens encoders; media time begins now.
    ///
    /// # Errors
    /// [`RenderError`] when no encoder opens.
    pub fn new(
        setting: LiveSetup,
        face: LiveFace<A>,
        stream: OutgoingStream,
        inbox: LiveInbox,
        board: &'a ProgressBoard,
        metrics: Arc<WorkerMetrics>,
        paced: PacedByEngine<'a>,
    ) -> Result<Self, RenderError> {
        let LiveSetup { size: [width, height], fps, terms, .. } = setting;
        let quality = EncoderQuality::Realtime { bitrate_bps: terms.bitrate[1] };
        let settings = EncoderSettings { width, height, fps: (fps, 1), quality, gop_frames: fps * KEY_FRAME_SECONDS };
        let encoder = encode::open(EncoderChoice::Auto, &settings)?;
        info!(session_id = %setting.session, encoder = encoder.name(), width, height, fps, "live");
        let now = Instant::now();
        let (mut listener, opus) = (Listener::new(face.ear)?, OpusEncoder::new(VOICE_BITS)?);
        let session = LiveSession::new(setting, opus.delay_samples(), metrics, &mut listener, now);
        Ok(Self {
            session,
            path: face.path,
            marker: face.marker,
            listener,
            listening: Duration::ZERO,
            encoder,
            opus,
            stream,
            callers: Callers::default(),
            inbox,
            board,
            fps,
            paced,
        })
    }

    /// Runs until it is stopped, ends by itself or breaks.
    pub fn run(mut self, stop: &Stop) -> LiveEnd {
        self.board.enter(WorkState::Running);
        self.session.opened();
        let end = self.until_over(stop).unwrap_or_else(LiveEnd::Failed);
        self.session.closed();
        self.board.sent(self.stream.sent_bytes());
        end
    }

    fn until_over(&mut self, stop: &Stop) -> Result<LiveEnd, RenderError> {
        loop {
            if stop.is_set() {
                self.session.stop();
            }
            let now = Instant::now();
            if self.session.turn_to(stop.duty(), now) {
                self.inbox.move_away();
            }
            if self.session.lets_callers_go(now) {
                // Lines end without a last word: whoever speaks looks for the session, and finds it where it was moved to.
                self.carry_out();
                self.inbox.let_callers_go();
                self.callers = Callers::default();
            }
            let task = self.session.next(now, &mut self.listener);
            self.carry_out();
            match task {
                LiveTask::Sound(due) => {
                    self.listening += now.elapsed();
                    self.send_sound(&due)?;
                }
                LiveTask::Frame(turn) => self.make_frame(&turn)?,
                LiveTask::Wait(until) => self.read_inbox(until),
                LiveTask::Over(end) => return Ok(end),
            }
        }
    }

    /// Tells callers, and sets the encoder.
    fn carry_out(&mut self) {
        let mut taken = None;
        for output in self.session.outputs() {
            match output {
                LiveOutput::Tell(whom, event) => self.callers.tell(whom, &event),
                LiveOutput::Bitrate(bits) => match self.encoder.set_bitrate(bits) {
                    Ok(()) => taken = Some(bits),
                    Err(e) => debug!(error = %e, bits, "the encoder keeps its rate"),
                },
            }
        }
        if let Some(bits) = taken {
            self.session.encodes_at(bits);
        }
    }

    /// Reads what was left in the inbox, waiting for it until `until`.
    fn read_inbox(&mut self, until: Instant) {
        let mut input = self.inbox.wait(until.saturating_duration_since(Instant::now()));
        while let Some(read) = input {
            self.input(read);
            self.carry_out();
            input = self.inbox.next();
        }
        self.board.made(self.session.frames_sent(), self.fps);
        self.board.sent(self.stream.sent_bytes());
    }

    fn input(&mut self, input: LiveInput) {
        let (session, now) = (&mut self.session, Instant::now());
        match input {
            LiveInput::Stream(event) => session.stream_event(event, now),
            LiveInput::Line { line, down } => {
                self.callers.add(line, down);
                session.line_opened(line);
            }
            LiveInput::Up { line, up } => session.up(line, up, now),
            LiveInput::LineGone { line } => {
                self.callers.remove(line);
                session.line_closed(line);
            }
            LiveInput::Interrupt => {
                session.interrupt(now); // whoever asked has its answer
            }
            LiveInput::KeepAlive => session.keep_alive(now),
            LiveInput::Status(asked) => drop(asked.send(session.status())), // whoever asked may wait no longer
        }
    }

    /// Encodes and sends 20 ms of sound.
    fn send_sound(&mut self, due: &SoundDue) -> Result<(), RenderError> {
        let data = Bytes::copy_from_slice(self.opus.encode(self.session.sound())?);
        self.session.sound_sent(due, Instant::now());
        self.stream.audio(AudioPacket { data, pts: due.pts, captured: due.captured });
        Ok(())
    }

    /// Draws and encodes the frame whose turn it is, if anybody sees it.
    fn make_frame(&mut self, turn: &FrameTurn) -> Result<(), RenderError> {
        self.path.skip_to(turn.number);
        let heard = self.listener.cue(turn.middle);
        let listened = std::mem::take(&mut self.listening) + turn.begun.elapsed();
        let voice = heard.as_ref().map(|heard| HeardVoice { voice: heard.voice, is_calm: heard.cue.is_rest() });
        let order = self.session.heard(turn, voice, listened);
        let (Some(order), Some(heard)) = (order, heard) else { return Ok(()) };
        let drawing = Instant::now();
        let mut by_engine = !order.is_calm;
        let picture = if order.is_calm {
            self.path.rest()?
        } else {
            self.path.wanted_by(order.due);
            match self.path.draw(heard) {
                // The voice goes on, and the face stays, until the engine is back or the session was moved.
                Err(RenderError::Engine(EngineError::Recovering | EngineError::Broken)) => {
                    self.session.undrawn();
                    by_engine = false;
                    self.path.rest()?
                }
                drawn => drawn?,
            }
        };
        let picture = self.marker.shown(picture);
        let drawn = Instant::now();
        let (mut data, mut key) = (Bytes::new(), false);
        self.encoder.encode(picture, order.number as i64, order.key, &mut |packet| {
            data = Bytes::copy_from_slice(packet.data);
            key = packet.key;
        })?;
        let work = FrameWork { drawing, drawn, encoded: Instant::now() };
        // It leaves when its time comes: the transport holds it until then.
        if !self.stream.video(self.session.made(&order, work, data, key)) {
            self.session.refused();
        }
        if by_engine {
            let report = PaceReport { late: turn.skipped as u32, ..self.session.drew_one() };
            self.session.set_pace(self.paced.keeper.report(report, (self.paced.drawn)(), work.encoded));
        }
        Ok(())
    }
}
