//! Listening on a sliding window.
//!
//! Whisper was made for 30 s at a time. A frame's features are computed on a window that ends a little after them; how long it must be,
//! and how far it must look ahead, was measured on real weights: `docs/neural-engine.md`. What a frame gets depends on its time alone,
//! never on the pieces in which the sound came.

use super::clip::{CLIP, FEATURE, FEATURE_SAMPLES, cut, first_feature};
use super::encoder::SoundEncoder;
use super::silence::SilenceGate;
use crate::graph::GraphError;
use mouthpiece_engine::{Cue, Ear, HeardCue, SpeechLevel};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How long the loudest sound is remembered for the clipping of quiet bands, in features: Whisper's 30 s.
const MEMORY: i64 = 1500;

/// How sound is listened to, in features of 20 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListeningWindow {
    /// What is encoded at once.
    pub length: usize,
    /// What is heard of the future beyond a frame's last feature.
    pub ahead: usize,
    /// Encoding waits for so much more, and serves several frames.
    pub stride: usize,
}

impl ListeningWindow {
    /// For somebody who speaks just now: 2 s, 40 ms of the future, encoded for each frame.
    pub const LIVE: Self = Self { length: 100, ahead: 2, stride: 0 };
    /// For a recording, where waiting costs nothing: 5 s, 400 ms of the future, encoded once a second.
    pub const RECORDING: Self = Self { length: 250, ahead: 20, stride: 50 };

    /// Seconds past a frame's middle that must have been heard.
    pub fn need(self) -> f64 {
        (CLIP / 2 + self.ahead + self.stride + 1) as f64 * FEATURE_SAMPLES as f64 / 16_000.0
    }
}

/// Why an engine cannot hear any more; the first failure stays.
pub type HearingFault = Arc<Mutex<Option<GraphError>>>;

/// The features around one frame's middle.
#[derive(Debug)]
pub struct SoundClip {
    /// [`CLIP`] x [`FEATURE`] values; none in silence, or when they could not be computed.
    values: Option<Box<[f32]>>,
    silent: bool,
    spare: GivenBackTo,
}

type Spare = Arc<Mutex<Vec<Box<[f32]>>>>;

/// Gives a clip's memory back to its ear.
#[derive(Debug, Default)]
struct GivenBackTo(Option<Spare>);

impl SoundClip {
    /// The features; `None` when there is nothing to be drawn from.
    pub fn values(&self) -> Option<&[f32]> {
        self.values.as_deref()
    }

    /// With these features, for whoever has them from elsewhere.
    ///
    /// # Panics
    /// When there are not [`CLIP`] x [`FEATURE`] of them.
    pub fn new(values: Box<[f32]>) -> Self {
        assert_eq!(values.len(), CLIP * FEATURE, "a clip");
        Self { values: Some(values), silent: false, spare: GivenBackTo::default() }
    }

    /// Of silence.
    pub fn silence() -> Self {
        Self { values: None, silent: true, spare: GivenBackTo::default() }
    }
}

impl Cue for SoundClip {
    /// A clip that could not be computed is none: it must reach the engine, which then fails aloud.
    fn is_rest(&self) -> bool {
        self.silent
    }
}

impl Drop for SoundClip {
    fn drop(&mut self) {
        if let (Some(values), Some(spare)) = (self.values.take(), &self.spare.0) {
            spare.lock().unwrap_or_else(PoisonError::into_inner).push(values);
        }
    }
}

/// Listens for one session.
pub struct MuseTalkEar {
    encoder: Box<dyn SoundEncoder>,
    window: ListeningWindow,
    gate: SilenceGate,
    fault: HearingFault,
    /// The sound from sample `start` on.
    sound: Vec<f32>,
    start: i64,
    finished: bool,
    /// Features from `begin` on, those before `valid` with enough of the future.
    features: Vec<f32>,
    begin: i64,
    valid: i64,
    /// The loudest of each window and the feature where it ended.
    peaks: VecDeque<(i64, f64)>,
    piece: Vec<f32>,
    spare: Spare,
}

impl MuseTalkEar {
    /// Listens through `encoder`; of a recording the level is known.
    pub fn new(
        encoder: Box<dyn SoundEncoder>,
        window: ListeningWindow,
        level: Option<SpeechLevel>,
        fault: HearingFault,
    ) -> Self {
        Self {
            encoder,
            window,
            gate: SilenceGate::new(level),
            fault,
            sound: Vec::new(),
            start: 0,
            finished: false,
            features: Vec::new(),
            begin: 0,
            valid: i64::MIN,
            peaks: VecDeque::new(),
            piece: Vec::new(),
            spare: Spare::default(),
        }
    }

    fn heard(&self) -> i64 {
        self.start + self.sound.len() as i64
    }

    /// Encodes the window that ends at feature `end`; what was not heard, or not yet, is silence.
    fn encode(&mut self, end: i64) -> Result<(), GraphError> {
        let begin = end - self.window.length as i64;
        self.piece.clear();
        self.piece.resize(self.window.length * FEATURE_SAMPLES, 0.0);
        let first = begin * FEATURE_SAMPLES as i64;
        let from = first.max(self.start);
        let to = (end * FEATURE_SAMPLES as i64).min(self.heard());
        if from < to {
            let heard = &self.sound[(from - self.start) as usize..(to - self.start) as usize];
            self.piece[(from - first) as usize..(to - first) as usize].copy_from_slice(heard);
        }
        while self.peaks.front().is_some_and(|(at, _)| at + MEMORY < end) {
            self.peaks.pop_front();
        }
        let loudest = self.peaks.iter().map(|(_, peak)| *peak).fold(f64::MIN, f64::max);
        self.valid = i64::MIN;
        let peak = self.encoder.encode(&self.piece, loudest, &mut self.features)?;
        // One a second is enough to remember.
        match self.peaks.back_mut().filter(|(at, _)| at + 50 > end) {
            Some((_, last)) => *last = last.max(peak),
            None => self.peaks.push_back((end, peak)),
        }
        (self.begin, self.valid) = (begin, end - self.window.ahead as i64);
        Ok(())
    }

    fn clip(&mut self, first: i64) -> SoundClip {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = spare.pop().unwrap_or_else(|| vec![0.0; CLIP * FEATURE].into());
        drop(spare);
        cut(&self.features, self.begin, first, &mut values);
        SoundClip { values: Some(values), silent: false, spare: GivenBackTo(Some(Arc::clone(&self.spare))) }
    }

    /// Forgets sound that no window will reach back to.
    fn forget(&mut self, first: i64) {
        let oldest = (first - self.window.length as i64) * FEATURE_SAMPLES as i64;
        let past = oldest - self.start;
        // In large steps, for what stays is moved.
        if past > (self.window.length * FEATURE_SAMPLES) as i64 {
            let past = (past as usize).min(self.sound.len());
            self.sound.drain(..past);
            self.start += past as i64;
        }
    }
}

impl Ear for MuseTalkEar {
    type Cue = SoundClip;

    fn hear(&mut self, samples: &[f32]) {
        self.sound.extend_from_slice(samples);
        self.gate.hear(samples);
    }

    fn finish(&mut self) {
        self.finished = true;
    }

    fn cue(&mut self, seconds: f64) -> Option<HeardCue<SoundClip>> {
        let first = first_feature(seconds);
        let last = first + CLIP as i64;
        let covered = self.begin <= first.max(0) && last <= self.valid;
        let end = last + (self.window.ahead + self.window.stride) as i64;
        if !covered && !self.finished && self.heard() < end * FEATURE_SAMPLES as i64 {
            return None;
        }
        let voice = self.gate.at(seconds);
        if voice.silent {
            self.forget(first);
            return Some(HeardCue { cue: SoundClip::silence(), voice: 0.0 });
        }
        if !covered && let Err(error) = self.encode(end) {
            self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            let cue = SoundClip { values: None, silent: false, spare: GivenBackTo::default() };
            return Some(HeardCue { cue, voice: voice.strength });
        }
        self.forget(first);
        Some(HeardCue { cue: self.clip(first), voice: voice.strength })
    }

    fn need(&self) -> f64 {
        self.window.need()
    }
}

#[cfg(test)]
#[path = "ear_tests.rs"]
mod tests;
