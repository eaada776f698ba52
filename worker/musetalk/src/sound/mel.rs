//! Whisper's log-mel spectrum.
//!
//! Frame t covers 400 samples (25 ms) around sample 160 t, mirrored at both ends of the sound; a periodic Hann window; the power of
//! the 400-point Fourier transform through 80 Slaney mel filters from 0 to 8,000 Hz; log10, no less than 1e-10; no more than 8 below
//! the loudest value; (x + 4) / 4. `models/export/mel.py` is the same in NumPy; both agree with Whisper's own extractor to 1e-4.
//!
//! Computed in 64 bits: bands 80 dB under the loudest come from powers of 1e-8 of it, where 32 bits of a transform are noise.

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlannerScalar};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Mel bands of a frame.
pub const BANDS: usize = 80;
/// Samples between two frames.
pub const HOP: usize = 160;
const WINDOW: usize = 400;
const BINS: usize = WINDOW / 2 + 1;
const RATE: f64 = 16_000.0;

/// Analyses pieces of 16 kHz sound. Keeps nothing of them.
pub struct WhisperMel {
    fft: Arc<dyn Fft<f64>>,
    hann: Vec<f64>,
    /// For each band: its first bin, then its weights.
    filters: Vec<(usize, Vec<f64>)>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
    power: Vec<f64>,
}

impl Default for WhisperMel {
    fn default() -> Self {
        let fft = FftPlannerScalar::new().plan_fft_forward(WINDOW);
        Self {
            hann: (0..WINDOW).map(|n| 0.5 - 0.5 * (TAU * n as f64 / WINDOW as f64).cos()).collect(),
            filters: filterbank(),
            spectrum: vec![Complex::default(); WINDOW],
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            power: vec![0.0; BINS],
            fft,
        }
    }
}

impl WhisperMel {
    /// Writes the log-mel of `samples` (-1..=1; more than 200) to `out`: 80 rows of `samples / 160` frames. Values are clipped 8
    /// under the loudest of them or, if that is louder, under `loudest`; returns the loudest of them, as log10 of a power.
    ///
    /// # Panics
    /// When `out` has another size, or there are too few samples to mirror.
    pub fn log_mel(&mut self, samples: &[f32], loudest: f64, out: &mut [f32]) -> f64 {
        let frames = samples.len() / HOP;
        assert!(samples.len() > WINDOW / 2 && out.len() == BANDS * frames, "80 rows of a frame for each 160 samples");
        let mut peak = f64::MIN;
        for t in 0..frames {
            self.transform(samples, t);
            for (band, (first, weights)) in self.filters.iter().enumerate() {
                let power: f64 = weights.iter().zip(&self.power[*first..]).map(|(w, p)| w * p).sum();
                let log = power.max(1e-10).log10();
                peak = peak.max(log);
                out[band * frames + t] = log as f32;
            }
        }
        let least = (peak.max(loudest) - 8.0) as f32;
        out.iter_mut().for_each(|x| *x = (x.max(least) + 4.0) / 4.0);
        peak
    }

    /// The power of frame `t`.
    fn transform(&mut self, samples: &[f32], t: usize) {
        let start = (t * HOP) as isize - (WINDOW / 2) as isize;
        let last = samples.len() as isize - 1;
        for (n, (to, hann)) in self.spectrum.iter_mut().zip(&self.hann).enumerate() {
            let at = (start + n as isize).abs();
            let at = if at > last { 2 * last - at } else { at };
            *to = Complex::new(f64::from(samples[at as usize]) * hann, 0.0);
        }
        self.fft.process_with_scratch(&mut self.spectrum, &mut self.scratch);
        for (power, value) in self.power.iter_mut().zip(&self.spectrum) {
            *power = value.norm_sqr();
        }
    }
}

/// Slaney's filters: even steps up to 1,000 Hz, then even ratios; triangles of equal area.
fn filterbank() -> Vec<(usize, Vec<f64>)> {
    let step = 6.4_f64.ln() / 27.0;
    let hertz = |mel: f64| if mel < 15.0 { mel * 200.0 / 3.0 } else { 1000.0 * ((mel - 15.0) * step).exp() };
    let highest = 15.0 + 8.0_f64.ln() / step;
    let edge = |i: usize| hertz(highest * i as f64 / (BANDS + 1) as f64);
    let filter = |band: usize| {
        let (low, middle, high) = (edge(band), edge(band + 1), edge(band + 2));
        let weight = |bin: usize| {
            let f = bin as f64 * RATE / WINDOW as f64;
            let triangle = ((f - low) / (middle - low)).min((high - f) / (high - middle));
            triangle.max(0.0) * 2.0 / (high - low)
        };
        let all: Vec<f64> = (0..BINS).map(weight).collect();
        let first = all.iter().position(|w| *w > 0.0).unwrap_or(0);
        let last = all.iter().rposition(|w| *w > 0.0).unwrap_or(0);
        (first, all[first..=last].to_vec())
    };
    (0..BANDS).map(filter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_as_low_as_it_gets_and_follows_what_was_loud() {
        let mut mel = WhisperMel::default();
        let mut out = vec![0.0; BANDS * 10];
        assert_eq!(mel.log_mel(&[0.0; 1600], f64::MIN, &mut out), -10.0);
        assert!(out.iter().all(|x| *x == -1.5), "log10 of 1e-10 is -10, a quarter of -10 + 4");
        mel.log_mel(&[0.0; 1600], 2.0, &mut out);
        assert!(out.iter().all(|x| *x == -0.5), "no less than 8 under what was loud before");
    }

    #[test]
    fn a_tone_lies_in_its_band() {
        let samples: Vec<f32> = (0..1600).map(|n| (TAU * 1000.0 * n as f64 / RATE).sin() as f32).collect();
        let mut out = vec![0.0; BANDS * 10];
        WhisperMel::default().log_mel(&samples, f64::MIN, &mut out);
        let loudest = (0..BANDS).max_by(|a, b| out[a * 10 + 5].total_cmp(&out[b * 10 + 5]));
        // 1,000 Hz is mel 15 of 45.2, and 81 steps lead there: the filter whose middle is the 27th edge.
        assert_eq!(loudest, Some(26));
    }
}
