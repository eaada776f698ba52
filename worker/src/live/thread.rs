//! One live session on its thread: clock, inbox, engine, encoders and stream around [`LiveSession`].
//!
//! The loop wakes for whatever is due first: a packet of sound, a frame to begin, a message. It never waits for anything
//! else, but for the engine while a frame is drawn.

use super::callers::Callers;
use super::inbox::{Inbox, Input};
use super::listener::Listener;
use super::session::{FrameTurn, FrameWork, HeardVoice, LiveEnd, LiveSession, Output, Setting, SoundDue, Task};
use crate::board::{Board, WorkState};
use crate::error::RenderError;
use crate::film::FramePath;
use crate::metrics::WorkerMetrics;
use crate::stop::Stop;
use bytes::Bytes;
use mouthpiece_engine::{Artist, Cue, Ear};
use mouthpiece_media::audio::OpusEncoder;
use mouthpiece_media::encode::{self, Choice, Quality, Settings, VideoEncoder};
use mouthpiece_transport::{AudioPacket, Stream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{debug, info};

/// Voice, bits a second: enough for transparent speech.
const VOICE_BITS: u32 = 48_000;
/// Most seconds from one key frame to the next; viewers ask for one when they need it.
const KEY_FRAME_SECONDS: u32 = 60;

/// Who draws and who listens.
pub struct Face<A: Artist> {
    /// Draws frames.
    pub path: FramePath<A>,
    /// Listens for it.
    pub ear: Box<dyn Ear<Cue = A::Cue>>,
}

/// A live session that is run.
pub struct LiveThread<'a, A: Artist> {
    session: LiveSession,
    path: FramePath<A>,
    listener: Listener<A::Cue>,
    /// Time that the ear took since the last frame.
    listening: Duration,
    encoder: Box<dyn VideoEncoder>,
    opus: OpusEncoder,
    stream: Stream,
    callers: Callers,
    inbox: Inbox,
    board: &'a Board,
    fps: u32,
}

impl<'a, A: Artist> LiveThread<'a, A> {
    /// Opens encoders; media time begins now.
    ///
    /// # Errors
    /// [`RenderError`] when no encoder opens.
    pub fn new(
        setting: Setting,
        face: Face<A>,
        stream: Stream,
        inbox: Inbox,
        board: &'a Board,
        metrics: Arc<WorkerMetrics>,
    ) -> Result<Self, RenderError> {
        let Setting { size: [width, height], fps, terms, .. } = setting;
        let quality = Quality::Realtime { bitrate_bps: terms.bitrate[1] };
        let settings = Settings { width, height, fps: (fps, 1), quality, gop_frames: fps * KEY_FRAME_SECONDS };
        let encoder = encode::open(Choice::Auto, &settings)?;
        info!(session_id = %setting.session, encoder = encoder.name(), width, height, fps, "live");
        let now = Instant::now();
        let (mut listener, opus) = (Listener::new(face.ear)?, OpusEncoder::new(VOICE_BITS)?);
        let session = LiveSession::new(setting, opus.delay_samples(), metrics, &mut listener, now);
        Ok(Self {
            session,
            path: face.path,
            listener,
            listening: Duration::ZERO,
            encoder,
            opus,
            stream,
            callers: Callers::default(),
            inbox,
            board,
            fps,
        })
    }

    /// Runs until it is stopped, ends by itself or breaks.
    pub fn run(mut self, stop: &Stop) -> LiveEnd {
        self.board.enter(WorkState::Running);
        self.session.opened();
        let end = self.until_over(stop).unwrap_or_else(LiveEnd::Failed);
        self.session.closed();
        end
    }

    fn until_over(&mut self, stop: &Stop) -> Result<LiveEnd, RenderError> {
        loop {
            if stop.is_set() {
                self.session.stop();
            }
            let now = Instant::now();
            let task = self.session.next(now, &mut self.listener);
            self.carry_out();
            match task {
                Task::Sound(due) => {
                    self.listening += now.elapsed();
                    self.send_sound(&due)?;
                }
                Task::Frame(turn) => self.make_frame(&turn)?,
                Task::Wait(until) => self.read_inbox(until),
                Task::Over(end) => return Ok(end),
            }
        }
    }

    /// Tells callers, and sets the encoder.
    fn carry_out(&mut self) {
        let mut taken = None;
        for output in self.session.outputs() {
            match output {
                Output::Tell(whom, event) => self.callers.tell(whom, &event),
                Output::Bitrate(bits) => match self.encoder.set_bitrate(bits) {
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
    }

    fn input(&mut self, input: Input) {
        let (session, now) = (&mut self.session, Instant::now());
        match input {
            Input::Stream(event) => session.stream_event(event, now),
            Input::Line { line, down } => {
                self.callers.add(line, down);
                session.line_opened(line);
            }
            Input::Up { line, up } => session.up(line, up, now),
            Input::LineGone { line } => self.callers.remove(line),
            Input::Interrupt => {
                session.interrupt(now); // whoever asked has its answer
            }
            Input::KeepAlive => session.keep_alive(now),
            Input::Status(asked) => drop(asked.send(session.status())), // whoever asked may wait no longer
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
        let picture = if order.is_calm { self.path.rest()? } else { self.path.draw(heard)? };
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
        Ok(())
    }
}
