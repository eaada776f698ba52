//! Cepstral coefficients as SyncNet was trained with: those of the Python library python_speech_features 0.6 with its defaults.
//!
//! 16 kHz, as 16-bit integers; pre-emphasis 0.97; frames of 25 ms each 10 ms, not windowed, the last one filled up with silence;
//! a power spectrum of 512 points through 26 triangles on the mel scale from 0 to 8 kHz; logarithm; DCT-II, of which 13 are kept;
//! lifter 22; the first is replaced by the logarithm of the frame's energy. Davis and Mermelstein, 1980.

// One algorithm by name: a planner would compile all of them.
use rustfft::algorithm::Radix4;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};
use std::f64::consts::PI;

/// Coefficients of a frame.
pub const COEFFICIENTS: usize = 13;
/// Samples between two frames.
pub const HOP: usize = 160;

const RATE: f64 = 16_000.0;
const WINDOW: usize = 400;
const FFT: usize = 512;
const BINS: usize = FFT / 2 + 1;
const FILTERS: usize = 26;
const EMPHASIS: f64 = 0.97;
const LIFTER: f64 = 22.0;

/// The coefficients of `samples` (16 kHz, -1..=1), a hundred frames a second; none of no sound. The last frame may reach beyond the end.
pub fn mfcc(samples: &[f32]) -> Vec<[f32; COEFFICIENTS]> {
    if samples.is_empty() {
        return Vec::new();
    }
    let whole: Vec<f64> =
        samples.iter().map(|s| (f64::from(*s) * 32_768.0).round().clamp(-32_768.0, 32_767.0)).collect();
    let before = std::iter::once(0.0).chain(whole.iter().copied());
    let emphasised: Vec<f64> = whole.iter().zip(before).map(|(now, before)| now - EMPHASIS * before).collect();
    let frames = 1 + whole.len().saturating_sub(WINDOW).div_ceil(HOP);
    let (fft, filters) = (Radix4::new(FFT, FftDirection::Forward), filters());
    let mut spectrum = vec![Complex::default(); FFT];
    let mut scratch = vec![Complex::default(); fft.get_inplace_scratch_len()];
    (0..frames)
        .map(|frame| {
            let from = (frame * HOP).min(emphasised.len());
            let heard = &emphasised[from..(from + WINDOW).min(emphasised.len())];
            spectrum.fill(Complex::default());
            spectrum.iter_mut().zip(heard).for_each(|(bin, sample)| bin.re = *sample);
            fft.process_with_scratch(&mut spectrum, &mut scratch);
            let power: Vec<f64> = spectrum[..BINS].iter().map(|bin| bin.norm_sqr() / FFT as f64).collect();
            coefficients(&power, &filters)
        })
        .collect()
}

/// Of one frame's power spectrum.
fn coefficients(power: &[f64], filters: &[Vec<f64>]) -> [f32; COEFFICIENTS] {
    let no_zero = |value: f64| if value == 0.0 { f64::EPSILON } else { value };
    let energy = no_zero(power.iter().sum());
    let weighed = |filter: &Vec<f64>| filter.iter().zip(power).map(|(w, p)| w * p).sum::<f64>();
    let bands: Vec<f64> = filters.iter().map(|filter| no_zero(weighed(filter)).ln()).collect();
    let n = FILTERS as f64;
    let mut made = [0.0; COEFFICIENTS];
    for (k, value) in made.iter_mut().enumerate() {
        let turn = |i: usize| (PI * k as f64 * (2 * i + 1) as f64 / (2.0 * n)).cos();
        let sum: f64 = bands.iter().enumerate().map(|(i, band)| band * turn(i)).sum();
        let lift = 1.0 + LIFTER / 2.0 * (PI * k as f64 / LIFTER).sin();
        *value = (sum * (2.0 / n).sqrt() * lift) as f32;
    }
    // Of the zeroth there is nothing left: its own scale and lift do not matter.
    made[0] = energy.ln() as f32;
    made
}

/// For each triangle its weight of each bin.
fn filters() -> Vec<Vec<f64>> {
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let highest = mel(RATE / 2.0);
    let corner = |i: usize| {
        let hz = 700.0 * (10_f64.powf(highest * i as f64 / (FILTERS + 1) as f64 / 2595.0) - 1.0);
        ((FFT + 1) as f64 * hz / RATE).floor()
    };
    let triangle = |j: usize| {
        let [from, top, to] = [corner(j), corner(j + 1), corner(j + 2)];
        let weight = |bin: usize| {
            let at = bin as f64;
            if (from..top).contains(&at) {
                (at - from) / (top - from)
            } else if (top..to).contains(&at) {
                (to - at) / (to - top)
            } else {
                0.0
            }
        };
        (0..BINS).map(weight).collect()
    };
    (0..FILTERS).map(triangle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::SafeTensors;

    #[test]
    fn coefficients_are_those_of_the_published_procedures_library() {
        let bytes = include_bytes!("../../../tests/syncnet.safetensors");
        let reference = SafeTensors::deserialize(bytes).unwrap();
        let floats = |name: &str| -> Vec<f32> {
            let data = reference.tensor(name).unwrap().data().to_vec();
            data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        };
        let samples: Vec<f32> = reference
            .tensor("samples")
            .unwrap()
            .data()
            .chunks_exact(2)
            .map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0)
            .collect();
        let found = mfcc(&samples);
        let wanted = floats("mfcc");
        assert_eq!(found.len() * COEFFICIENTS, wanted.len());
        let apart = found.iter().flatten().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-3, "{apart} of values up to 40");
        // The library's zeros, too: it begins with digital silence.
        assert!((found[0][0] - f64::EPSILON.ln() as f32).abs() < 1e-4, "{}", found[0][0]);
    }

    #[test]
    fn there_is_a_frame_each_10_ms_and_the_last_is_filled_up() {
        let frames = |samples: usize| mfcc(&vec![0.1; samples]).len();
        assert_eq!([0, 1, 400, 401, 560, 561].map(frames), [0, 1, 1, 2, 2, 3]);
    }
}
