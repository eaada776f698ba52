//! What the ear hears of the voice: the same sound at 16 kHz, at the same time.

use mouthpiece_engine::{Cue, Ear, Heard};
use mouthpiece_media::audio::{AudioError, Converter, SPEECH_RATE};

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

    /// Hears the next samples at 48 kHz.
    pub fn hear(&mut self, sound: &[f32]) {
        self.sound.clear();
        self.converter.push(sound, &mut self.sound);
        self.ear.hear(&self.sound);
    }

    /// Seconds of sound past a cue's time that must have come here: what the ear needs, and what the converter holds.
    pub fn need(&self) -> f64 {
        self.ear.need() + self.converter.latency_samples() as f64 / 48_000.0
    }

    /// The cue for media time `seconds`; `None` when too little was heard.
    pub fn cue(&mut self, seconds: f64) -> Option<Heard<C>> {
        self.ear.cue(seconds)
    }
}
