//! Pushed speech: PCM of a caller's rate becomes sound at 48 kHz.

use mouthpiece_media::audio::{AudioError, Converter};

/// Converts one caller's speech.
#[derive(Default)]
pub struct Pushed {
    converter: Option<(u32, Converter)>,
    samples: Vec<f32>,
    sound: Vec<f32>,
}

impl Pushed {
    /// The next samples of an utterance at 48 kHz.
    ///
    /// # Errors
    /// A rate that is not 16,000, 24,000 or 48,000.
    pub fn convert(&mut self, rate: u32, samples: &[i16]) -> Result<&[f32], AudioError> {
        self.samples.clear();
        self.samples.extend(samples.iter().map(|s| f32::from(*s) / 32_768.0));
        if self.converter.as_ref().is_none_or(|(of, _)| *of != rate) {
            self.converter = Some((rate, Converter::new(rate, 48_000)?));
        }
        self.sound.clear();
        if let Some((_, converter)) = &mut self.converter {
            converter.push(&self.samples, &mut self.sound);
        }
        Ok(&self.sound)
    }

    /// The utterance is over: what the converter still holds of it. What comes next belongs to another one.
    pub fn finish(&mut self) -> &[f32] {
        self.sound.clear();
        if let Some((_, converter)) = &mut self.converter {
            converter.finish(&mut self.sound);
        }
        &self.sound
    }
}
