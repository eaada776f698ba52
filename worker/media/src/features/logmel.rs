//! Log-mel spectra of 16 kHz speech, 100 a second, streaming.
//!
//! Frame t covers the samples 160 t .. 160 (t + 1); its window is the 400 samples (25 ms) that END where the frame ends,
//! with zeros before the start of the sound, times a symmetric Hann window. The power spectrum of a 512-point FFT
//! goes through 40 triangular filters (60 to 7,600 Hz, shipped with the network), then log(x + 1e-6). The contract is
//! written out in `models/viseme/features.py`.

// One algorithm by name: a planner would compile all of them, for a transform of a few microseconds.
use rustfft::algorithm::Radix4;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};

/// Mel bands of a frame.
pub const BANDS: usize = 40;
/// Frames a second.
pub const FRAME_RATE: usize = 100;

const WINDOW: usize = 400;
const HOP: usize = 160;
const FFT: usize = 512;
const BINS: usize = FFT / 2 + 1;
const FLOOR: f32 = 1e-6;

/// A streaming log-mel analyser. Allocates nothing after its construction.
pub struct LogMel {
    fft: Radix4<f32>,
    hann: Vec<f32>,
    /// For each band: its first bin, then its weights.
    filters: Vec<(usize, Vec<f32>)>,
    /// The last `WINDOW` samples, oldest first.
    recent: Vec<f32>,
    /// Samples of the current hop so far.
    waiting: usize,
    /// How many samples in a row have been exactly 0.
    silent: usize,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl LogMel {
    /// `filterbank`: `BANDS` rows of 257 weights, row after row.
    ///
    /// # Panics
    /// When the filterbank has another size.
    pub fn new(filterbank: &[f32]) -> Self {
        assert_eq!(filterbank.len(), BANDS * BINS, "a filterbank is {BANDS} x {BINS}");
        let fft = Radix4::new(FFT, FftDirection::Forward);
        let filters = filterbank
            .chunks_exact(BINS)
            .map(|row| {
                let first = row.iter().position(|&w| w != 0.0).unwrap_or(0);
                let last = row.iter().rposition(|&w| w != 0.0).unwrap_or(0);
                (first, row[first..=last].to_vec())
            })
            .collect();
        let turn = |n: usize| 2.0 * std::f64::consts::PI * n as f64 / (WINDOW - 1) as f64;
        Self {
            spectrum: vec![Complex::default(); FFT],
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            fft,
            hann: (0..WINDOW).map(|n| (0.5 - 0.5 * turn(n).cos()) as f32).collect(),
            filters,
            recent: vec![0.0; WINDOW],
            waiting: 0,
            silent: WINDOW,
        }
    }

    /// Takes samples (16 kHz mono, -1..=1) and gives each frame that they complete to `sink`.
    pub fn push(&mut self, mut samples: &[f32], mut sink: impl FnMut(&[f32; BANDS])) {
        while !samples.is_empty() {
            let take = (HOP - self.waiting).min(samples.len());
            self.recent.copy_within(take.., 0);
            self.recent[WINDOW - take..].copy_from_slice(&samples[..take]);
            let sound = samples[..take].iter().rposition(|s| *s != 0.0);
            self.silent = sound.map_or(self.silent + take, |last| take - 1 - last);
            samples = &samples[take..];
            self.waiting += take;
            if self.waiting == HOP {
                self.waiting = 0;
                sink(&self.frame());
            }
        }
    }

    fn frame(&mut self) -> [f32; BANDS] {
        if self.silent >= WINDOW {
            return [FLOOR.ln(); BANDS];
        }
        for ((to, s), w) in self.spectrum.iter_mut().zip(&self.recent).zip(&self.hann) {
            *to = Complex::new(s * w, 0.0);
        }
        self.spectrum[WINDOW..].fill(Complex::default());
        self.fft.process_with_scratch(&mut self.spectrum, &mut self.scratch);
        let mut out = [0.0; BANDS];
        for (to, (first, weights)) in out.iter_mut().zip(&self.filters) {
            let bins = &self.spectrum[*first..first + weights.len()];
            let power: f32 = weights.iter().zip(bins).map(|(w, c)| w * c.norm_sqr()).sum();
            *to = (power + FLOOR).ln();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat() -> LogMel {
        LogMel::new(&vec![1.0; BANDS * BINS])
    }

    #[test]
    fn frames_do_not_depend_on_how_the_samples_arrive() {
        let samples: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin() * 0.3).collect();
        let collect = |piece: usize| {
            let mut mel = flat();
            let mut frames = Vec::new();
            for p in samples.chunks(piece) {
                mel.push(p, |f| frames.push(*f));
            }
            frames
        };
        let whole = collect(1000);
        assert_eq!(whole.len(), 6);
        assert_eq!(whole, collect(1));
        assert_eq!(whole, collect(161));
    }

    #[test]
    fn silence_is_the_floor() {
        let mut frames = Vec::new();
        flat().push(&[0.0; 320], |f| frames.push(*f));
        assert!(frames.iter().flatten().all(|&v| v == FLOOR.ln()));
    }

    #[test]
    fn a_single_sample_is_heard_as_long_as_the_window_holds_it() {
        let (mut mel, mut frames) = (flat(), Vec::new());
        mel.push(&[0.0; 2_000], |_| {});
        mel.push(&[0.5], |f| frames.push(*f));
        mel.push(&[0.0; 1_599], |f| frames.push(*f));
        let heard = frames.iter().filter(|f| f.iter().any(|v| *v != FLOOR.ln())).count();
        assert_eq!((frames.len(), heard), (10, 2), "in its own hop and the next");
    }
}
