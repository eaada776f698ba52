//! A session in virtual time: a clock that is set, an ear that counts, a transport that sends everything when it is due.

use crate::live::inbox::{LiveInbox, LiveInput};
use crate::live::listener::Hears;
use crate::live::session::{
    CallerChoice, FrameWork, HeardVoice, LiveEnd, LiveOutput, LiveSession, LiveSetup, LiveTask,
};
use crate::live::voice::RATE;
use crate::metrics::WorkerMetrics;
use crate::stop::SessionDuty;
use bytes::Bytes;
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::live::{EventPosition, FaceMood, LineInput, LineOutput, LiveTerms};
use mouthpiece_domain::session::Fence;
use mouthpiece_transport::{LeftWhy, StreamEvent};
use prometheus::Registry;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const MS: Duration = Duration::from_millis(1);
pub const S: Duration = Duration::from_secs(1);
/// The line of the caller who speaks.
pub const LINE: u64 = 1;
/// How much later than it took it a codec gives sound out, samples.
const LEAD: usize = 312;

/// Counts what it hears, and finds voice where anything sounds.
#[derive(Default)]
pub struct CountingEar {
    heard: Vec<f32>,
}

impl Hears for CountingEar {
    fn hear(&mut self, sound: &[f32]) {
        self.heard.extend(sound);
    }

    fn need(&self) -> f64 {
        0.05
    }
}

impl CountingEar {
    /// What it says of the sound at a media time; nothing when it has not heard so far.
    fn at(&self, seconds: f64) -> Option<HeardVoice> {
        let place = (seconds * RATE as f64) as usize;
        let known = self.heard.len() >= place + (self.need() * RATE as f64) as usize;
        let sounds = self.heard.get(place).is_some_and(|sample| *sample != 0.0);
        known.then_some(HeardVoice { voice: f32::from(u8::from(sounds)), is_calm: !sounds })
    }
}

/// A frame as the transport got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentFrame {
    pub pts: Duration,
    pub key: bool,
    pub is_calm: bool,
    /// It was handed over so long before its time.
    pub early: Duration,
}

/// The placement.
pub const FENCE: Fence = Fence(3);

pub struct World {
    pub session: LiveSession,
    pub ear: CountingEar,
    pub start: Instant,
    pub now: Instant,
    /// Drawing a frame takes so long.
    pub drawing: Duration,
    /// The ear answers nothing.
    pub is_deaf: bool,
    /// The transport takes no frame.
    pub is_clogged: bool,
    pub frames: Vec<SentFrame>,
    /// Packets of sound: media time, and the loudest sample.
    pub sound: Vec<(Duration, f32)>,
    pub told: Vec<(CallerChoice, LineOutput)>,
    /// Up to where callers were told everything.
    pub positions: Vec<(CallerChoice, EventPosition)>,
    pub bitrates: Vec<u32>,
    /// Frames that will be seen leaving.
    leaving: VecDeque<(Duration, Instant)>,
    registry: Registry,
}

impl World {
    pub fn new() -> Self {
        Self::on(LiveTerms::default())
    }

    pub fn on(terms: LiveTerms) -> Self {
        Self::with_duty(terms, SessionDuty::Serves)
    }

    pub fn with_duty(terms: LiveTerms, duty: SessionDuty) -> Self {
        let (registry, start) = (Registry::new(), Instant::now());
        let metrics = Arc::new(WorkerMetrics::new(&registry).unwrap());
        let setting =
            LiveSetup { session: SessionId(1), fence: FENCE, size: [64, 64], fps: 25, terms, duty, phase: 0.0 };
        let mut ear = CountingEar::default();
        let session = LiveSession::new(setting, LEAD, metrics, &mut ear, start);
        session.opened();
        Self {
            session,
            ear,
            start,
            now: start,
            drawing: 4 * MS,
            is_deaf: false,
            is_clogged: false,
            frames: Vec::new(),
            sound: Vec::new(),
            told: Vec::new(),
            positions: Vec::new(),
            bitrates: Vec::new(),
            leaving: VecDeque::new(),
            registry,
        }
    }

    /// Runs until so long after the start, or until the session is over.
    pub fn until(&mut self, after: Duration) -> Option<LiveEnd> {
        let until = self.start + after;
        while self.now < until {
            let task = self.session.next(self.now, &mut self.ear);
            self.carry_out();
            match task {
                LiveTask::Sound(due) => {
                    let loudest = self.session.sound().iter().fold(0.0_f32, |most, s| most.max(s.abs()));
                    self.sound.push((due.pts, loudest));
                    self.session.sound_sent(&due, self.now);
                }
                LiveTask::Frame(turn) => {
                    let heard = if self.is_deaf { None } else { self.ear.at(turn.middle) };
                    if let Some(order) = self.session.heard(&turn, heard, MS) {
                        let drawing = self.now;
                        self.now += self.drawing;
                        let work = FrameWork { drawing, drawn: self.now, encoded: self.now };
                        let frame = self.session.made(&order, work, Bytes::new(), order.key);
                        if self.is_clogged {
                            self.session.refused();
                            continue;
                        }
                        let early = frame.captured.saturating_duration_since(self.now);
                        let (pts, key, is_calm) = (frame.pts, frame.key, order.is_calm);
                        self.frames.push(SentFrame { pts, key, is_calm, early });
                        self.leaving.push_back((pts, frame.captured.max(self.now)));
                    }
                }
                LiveTask::Wait(wake) => {
                    let next = self.leaving.front().map_or(wake, |(_, at)| wake.min(*at));
                    self.now = next.clamp(self.now, until);
                    while let Some((pts, at)) = self.leaving.pop_front_if(|(_, at)| *at <= self.now) {
                        self.session.stream_event(StreamEvent::Sent { pts, at }, self.now);
                    }
                }
                LiveTask::Over(end) => return Some(end),
            }
        }
        None
    }

    /// Reads what was left in an inbox, as a session's thread does.
    pub fn read(&mut self, inbox: &LiveInbox) {
        while let Some(input) = inbox.next() {
            match input {
                LiveInput::Stream(event) => self.session.stream_event(event, self.now),
                LiveInput::Up { line, up } => self.session.up(line, up, self.now),
                LiveInput::KeepAlive => self.session.keep_alive(self.now),
                _ => {}
            }
        }
    }

    pub fn joins(&mut self, viewer: u128) {
        self.session.stream_event(StreamEvent::Joined { viewer, after: 150 * MS }, self.now);
    }

    pub fn leaves(&mut self, viewer: u128) {
        self.session.stream_event(StreamEvent::Left { viewer, why: LeftWhy::HungUp }, self.now);
    }

    /// A caller pushes a tone of so many milliseconds, and says that it is all.
    pub fn says(&mut self, event: &str, ms: usize) {
        let event = Some(event.to_owned());
        let samples = (0..ms * 16).map(|n| if n % 32 < 16 { 9_000 } else { -9_000 }).collect();
        self.up(LineInput::Speak { event: event.clone(), rate: 16_000, samples });
        self.up(LineInput::SpeakEnd { event });
    }

    pub fn up(&mut self, up: LineInput) {
        self.session.up(LINE, up, self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        let outputs: Vec<_> = self.session.outputs().collect();
        for output in outputs {
            match output {
                LiveOutput::Tell(whom, LineOutput::Position { position }) => self.positions.push((whom, position)),
                LiveOutput::Tell(whom, event) => self.told.push((whom, event)),
                LiveOutput::Bitrate(bits) => {
                    self.bitrates.push(bits);
                    self.session.encodes_at(bits);
                }
            }
        }
    }

    /// The changes of mood that everybody was told.
    pub fn moods(&self) -> Vec<FaceMood> {
        let moods = self.told.iter().filter_map(|(_, event)| match event {
            LineOutput::Mood { mood, event: None } => Some(*mood),
            _ => None,
        });
        moods.collect()
    }

    /// A number of the worker's: a counter, a gauge, or how often a histogram was fed.
    pub fn number(&self, name: &str, label: Option<&str>) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).expect("there is such a number");
        let of_label = |metric: &&prometheus::proto::Metric| {
            label.is_none_or(|label| metric.get_label().iter().any(|pair| pair.value() == label))
        };
        let metric = family.get_metric().iter().find(of_label).expect("there is such a label");
        match family.get_field_type() {
            prometheus::proto::MetricType::COUNTER => metric.get_counter().get_value(),
            prometheus::proto::MetricType::GAUGE => metric.get_gauge().get_value(),
            _ => metric.get_histogram().get_sample_count() as f64,
        }
    }
}
