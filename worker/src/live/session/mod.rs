//! One live session on its thread.
//!
//! The loop wakes for whatever is due first: a packet of sound, a frame to begin, a message. It never waits for anything
//! else, but for the engine while a frame is drawn.

mod frames;
mod inputs;
mod lines;

use super::beat::Beat;
use super::endings::Endings;
use super::inbox::Inbox;
use super::listener::Listener;
use super::microphone::Microphone;
use super::mood::MoodFollower;
use super::pushed::Pushed;
use super::stages::{StageName, Stages};
use super::voice::{self, PACKET, Voice};
use crate::board::{Board, Stage};
use crate::error::RenderError;
use crate::film::FramePath;
use crate::metrics::WorkerMetrics;
use crate::stop::Stop;
use crate::work::WorkError;
use bytes::Bytes;
use lines::Callers;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::live::{LiveTerms, Mood};
use mouthpiece_engine::{Artist, Ear};
use mouthpiece_media::audio::OpusEncoder;
use mouthpiece_media::encode::{self, Choice, Quality, Settings, VideoEncoder};
use mouthpiece_transport::{AudioPacket, Stream};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::info;

/// Speech that may wait.
const BUFFER: Duration = Duration::from_secs(120);
/// Voice, bits a second: enough for transparent speech.
const VOICE_BITS: u32 = 48_000;
/// Most seconds from one key frame to the next; viewers ask for one when they need it.
const KEY_FRAME_SECONDS: u32 = 60;
/// Frames that were handed over and not yet seen leaving.
const UNDERWAY: usize = 64;

/// How a session is run.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Which, for the log.
    pub session: SessionId,
    /// Frame size, `[width, height]`.
    pub size: [u32; 2],
    /// Frames a second.
    pub fps: u32,
    /// Bounds.
    pub terms: LiveTerms,
    /// Where in a frame's time its frames lie, 0..1: sessions that beat at different times do not wait for each other.
    pub phase: f64,
}

/// Who draws and who listens.
pub struct Face<A: Artist> {
    /// Draws frames.
    pub path: FramePath<A>,
    /// Listens for it.
    pub ear: Box<dyn Ear<Cue = A::Cue>>,
}

/// A frame on its way.
struct Made {
    pts: Duration,
    key: bool,
    /// When it was encoded.
    at: Instant,
}

/// A running live session.
pub struct Live<'a, A: Artist> {
    setting: Setting,
    path: FramePath<A>,
    listener: Listener<A::Cue>,
    encoder: Box<dyn VideoEncoder>,
    opus: OpusEncoder,
    voice: Voice,
    beat: Beat,
    endings: Endings,
    callers: Callers,
    microphone: Option<Microphone>,
    pushed: Pushed,
    stream: Stream,
    inbox: Inbox,
    board: &'a Board,
    metrics: Arc<WorkerMetrics>,
    stages: Stages,
    /// Time that the ear took since the last frame.
    listening: Duration,
    underway: VecDeque<Made>,
    key_wanted: bool,
    bitrate: u32,
    mood: Mood,
    /// A caller said that somebody speaks to the face.
    listened_to: bool,
    follower: MoodFollower,
    /// How late the last packet of sound was handed over.
    sound_late: Duration,
    sent: u64,
    missed: u64,
    /// When each second's frames were sent, for the rate.
    recent: VecDeque<Instant>,
    /// When somebody joined who has not got a frame yet.
    joined: Option<Instant>,
}

impl<'a, A: Artist> Live<'a, A>
where
    A::Cue: Default + PartialEq,
{
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
        let Setting { size: [width, height], fps, terms, phase, .. } = setting;
        let bitrate = terms.bitrate[1];
        let quality = Quality::Realtime { bitrate_bps: bitrate };
        let settings = Settings { width, height, fps: (fps, 1), quality, gop_frames: fps * KEY_FRAME_SECONDS };
        let encoder = encode::open(Choice::Auto, &settings)?;
        info!(session_id = %setting.session, encoder = encoder.name(), width, height, fps, "live");
        let now = Instant::now();
        let (mut listener, opus) = (Listener::new(face.ear)?, OpusEncoder::new(VOICE_BITS)?);
        let mut voice = Voice::new(BUFFER, Duration::from_secs(1) / fps.max(1));
        // The codec gives sound out later than it took it: it is given it so much earlier.
        let lead = opus.delay_samples() as u64;
        voice.advance(lead, now, &mut |sound| listener.hear(sound));
        voice.begin_at(lead);
        Ok(Self {
            setting,
            path: face.path,
            listener,
            encoder,
            opus,
            voice,
            beat: Beat::new(now + Duration::from_secs_f64(phase.clamp(0.0, 1.0) / f64::from(fps)), fps),
            endings: Endings::new(terms, now),
            callers: Callers::default(),
            microphone: None,
            pushed: Pushed::default(),
            stream,
            inbox,
            board,
            metrics,
            stages: Stages::default(),
            listening: Duration::ZERO,
            underway: VecDeque::new(),
            key_wanted: true,
            bitrate,
            mood: Mood::default(),
            listened_to: false,
            follower: MoodFollower::default(),
            sound_late: Duration::ZERO,
            sent: 0,
            missed: 0,
            recent: VecDeque::new(),
            joined: None,
        })
    }

    /// Runs until it is stopped or ends by itself; that is never success in a render's sense.
    pub fn run(mut self, stop: &Stop) -> WorkError {
        self.board.enter(Stage::Running);
        self.metrics.sessions(1);
        let end = self.until_over(stop);
        self.metrics.sessions(-1);
        self.metrics.viewers(-i64::from(self.endings.viewers()));
        end
    }

    fn until_over(&mut self, stop: &Stop) -> WorkError {
        loop {
            if stop.is_set() {
                return WorkError::Stopped;
            }
            let now = Instant::now();
            if let Some(end) = self.endings.due(now) {
                self.callers.over(end.reason.name());
                return WorkError::Ended(Box::new(end));
            }
            let mut input = self.inbox.wait(self.due().saturating_duration_since(now));
            while let Some(read) = input {
                self.input(read);
                input = self.inbox.next();
            }
            if let Err(e) = self.work() {
                return WorkError::render(e);
            }
        }
    }

    /// When something must be done next.
    fn due(&self) -> Instant {
        self.sound_due().min(self.beat.frame_due())
    }

    /// When the next packet of sound leaves: whatever happened before, at its own media time.
    fn sound_due(&self) -> Instant {
        self.beat.leaves(self.heard_at(self.voice.next()))
    }

    /// The media time at which a decoder gives out what begins a packet that begins there on the timeline.
    fn heard_at(&self, place: u64) -> Duration {
        voice::duration(place.saturating_sub(self.opus.delay_samples() as u64))
    }

    /// Does what is due.
    fn work(&mut self) -> Result<(), RenderError> {
        while self.sound_due() <= Instant::now() {
            self.send_sound()?;
        }
        self.frame()?;
        self.tell();
        Ok(())
    }

    /// Gives sound its place, and lets the ear hear it.
    fn place(&mut self, to: u64, now: Instant) {
        let Self { voice, listener, .. } = self;
        let started = Instant::now();
        voice.advance(to, now, &mut |sound| listener.hear(sound));
        self.listening += started.elapsed();
        self.metrics.underruns(self.voice.underruns());
        if let Some(waited) = self.voice.waited() {
            self.took(StageName::Chunk, waited);
        }
    }

    /// Sends 20 ms of sound.
    fn send_sound(&mut self) -> Result<(), RenderError> {
        let due = self.sound_due();
        // Frames see to this, but for few frames a second, and after a pause of this thread.
        self.place(self.voice.packet_end(), Instant::now());
        let mut sound = [0.0; PACKET];
        let Some(at) = self.voice.play(&mut sound) else { return Ok(()) };
        if self.endings.viewers() > 0 {
            let data = Bytes::copy_from_slice(self.opus.encode(&sound)?);
            let pts = self.heard_at(at);
            self.sound_late = due.elapsed();
            self.stream.audio(AudioPacket { data, pts, captured: self.beat.leaves(pts) });
        }
        Ok(())
    }

    fn took(&mut self, stage: StageName, time: Duration) {
        self.stages.took(stage, time);
        self.metrics.took(stage, time);
    }
}
