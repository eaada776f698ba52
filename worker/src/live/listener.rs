//! What the ear hears of the voice: the same sound at 16 kHz, at the same time.

use mouthpiece_engine::{Cue, Ear, HeardCue};
use mouthpiece_media::audio::{AudioError, Converter, SPEECH_RATE};

/// What the voice is heard by on its way.
pub trait Hears {
    /// Hears the next samples at 48 kHz.
    fn hear(&mut self, sound: &[f32]);

    /// Seconds of sound past a frame's middle that must have come here for the frame to be drawn.
    fn need(&self) -> f64;
}

/// An ear behind a converter.
pub struct Listener<C> {
    converter: Converter,
    ear: Box<dyn Ear<Cue = C>>,
    sound: Vec<f32>,
}

impl<C: Cue> Listener<C> {
    /// Listens with `ear`.
    ///
    /// # Errors
    /// The converter cannot be made.
    pub fn new(ear: Box<dyn Ear<Cue = C>>) -> Result<Self, AudioError> {
        Ok(Self { converter: Converter::new(48_000, SPEECH_RATE)?, ear, sound: Vec::new() })
    }

    /// The cue for media time `seconds`; `None` when too little was heard.
    pub fn cue(&mut self, seconds: f64) -> Option<HeardCue<C>> {
        self.ear.cue(seconds)
    }
}

impl<C: Cue> Hears for Listener<C> {
    fn hear(&mut self, sound: &[f32]) {
        self.sound.clear();
        self.converter.push(sound, &mut self.sound);
        self.ear.hear(&self.sound);
    }

    /// What the ear needs, and what the converter holds.
    fn need(&self) -> f64 {
        self.ear.need() + self.converter.latency_samples() as f64 / 48_000.0
    }
}
