//! Pushed speech: PCM of a caller's rate becomes sound at 48 kHz.

use mouthpiece_media::audio::{AudioError, Converter};

/// Converts one session's pushed speech.
#[derive(Default)]
pub struct Pushed {
    converter: Option<(u32, Converter)>,
    samples: Vec<f32>,
    sound: Vec<f32>,
}

impl Pushed {
    /// The next samples of an utterance at 48 kHz; `begins`: its first ones. At another rate than the samples before, the
    /// end of those comes first.
    ///
    /// # Errors
    /// A rate that is not from 8,000 to 48,000.
    pub fn convert(&mut self, rate: u32, samples: &[i16], begins: bool) -> Result<&[f32], AudioError> {
        self.samples.clear();
        self.samples.extend(samples.iter().map(|s| f32::from(*s) / 32_768.0));
        self.sound.clear();
        if let Some((_, converter)) = self.converter.as_mut().filter(|_| begins) {
            converter.reset(); // whoever spoke before never ended it
        }
        let converter = match &mut self.converter {
            Some((of, converter)) if *of == rate => converter,
            other => {
                let new = Converter::new(rate, 48_000)?;
                if let Some((_, before)) = other {
                    before.finish(&mut self.sound);
                }
                &mut other.insert((rate, new)).1
            }
        };
        converter.push(&self.samples, &mut self.sound);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_utterance_is_as_long_as_its_samples_however_it_is_cut_and_at_whatever_rates() {
        let mut pushed = Pushed::default();
        for pieces in [vec![(8_000, 1)], vec![(11_025, 441), (11_025, 220), (22_050, 441)], vec![(44_100, 4_410)]] {
            let mut length = 0;
            for (n, (rate, count)) in pieces.iter().enumerate() {
                length += pushed.convert(*rate, &vec![9; *count], n == 0).unwrap().len();
            }
            length += pushed.finish().len();
            let due: f64 = pieces.iter().map(|(rate, count)| *count as f64 * 48_000.0 / f64::from(*rate)).sum();
            assert!(length as f64 >= due && (length as f64) < due + pieces.len() as f64, "{pieces:?}: {length}");
        }
    }

    #[test]
    fn a_new_utterance_hears_nothing_of_one_that_nobody_ended() {
        let mut pushed = Pushed::default();
        pushed.convert(16_000, &[9_000; 100], true).unwrap();
        let sound = pushed.convert(16_000, &[0; 100], true).unwrap();
        assert!(!sound.is_empty() && sound.iter().all(|s| *s == 0.0));
        assert!(pushed.convert(7_999, &[1], true).is_err() && pushed.convert(48_001, &[1], true).is_err());
    }
}
