//! What is said in a fault run: a buzz that swells and falls four times a second, as syllables do.

/// Samples a second.
pub(super) const RATE: u32 = 16_000;

/// So many seconds of it.
pub(super) fn sound(seconds: u16) -> Vec<i16> {
    let samples = u32::from(seconds) * RATE;
    let sample = |n: u32| {
        let t = f64::from(n) / f64::from(RATE);
        let buzz: f64 = (1..=8).map(|k| (t * 140.0 * f64::from(k) * std::f64::consts::TAU).sin() / f64::from(k)).sum();
        let swell = 0.5 - 0.5 * (t * 4.0 * std::f64::consts::TAU).cos();
        (buzz * swell * 8000.0) as i16
    };
    // One second again and again: 140 and 4 are whole numbers.
    let second: Vec<i16> = (0..RATE.min(samples)).map(sample).collect();
    second.repeat(seconds.into())
}

/// The same as a WAV file.
pub(super) fn wav(seconds: u16) -> Vec<u8> {
    let data: Vec<u8> = sound(seconds).iter().flat_map(|s| s.to_le_bytes()).collect();
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(data.len() + 44);
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1_u16, 1].iter().flat_map(|field| field.to_le_bytes()));
    file.extend([RATE, RATE * 2].iter().flat_map(|field| field.to_le_bytes()));
    file.extend([2_u16, 16].iter().flat_map(|field| field.to_le_bytes()));
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_has_its_length() {
        assert_eq!(sound(3).len(), 3 * RATE as usize);
        assert!(sound(1).iter().any(|s| s.abs() > 8000));
        assert_eq!(wav(2).len(), 44 + 2 * 2 * RATE as usize);
    }
}
