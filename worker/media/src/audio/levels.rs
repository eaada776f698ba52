//! How loud the frames of a recording are, in one pass and constant memory.

/// Bins of one decibel, from [`FLOOR_DB`] up to full scale.
const BINS: usize = 121;

/// The level of digital silence here, in dB of full scale.
pub(super) const FLOOR_DB: f64 = -120.0;

/// A histogram of frame levels in bins of one decibel, with the energy in each.
pub(super) struct Levels {
    frame: usize,
    count: [u64; BINS],
    decibels: [f64; BINS],
    energy: [f64; BINS],
    samples: [u64; BINS],
    sum: f64,
    filled: usize,
}

impl Levels {
    /// For frames of `frame` samples.
    pub(super) fn new(frame: usize) -> Self {
        let zeros = [0.0; BINS];
        Self { frame, count: [0; BINS], decibels: zeros, energy: zeros, samples: [0; BINS], sum: 0.0, filled: 0 }
    }

    /// Takes the next samples.
    pub(super) fn push(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.frame - self.filled));
            self.sum += now.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
            self.filled += now.len();
            if self.filled == self.frame {
                self.close();
            }
            samples = later;
        }
    }

    /// Counts a last frame that is at least half full, or the only one.
    pub(super) fn finish(&mut self) {
        if self.filled * 2 >= self.frame || (self.filled > 0 && self.frames() == 0) {
            self.close();
        }
    }

    fn close(&mut self) {
        let mean = self.sum / self.filled as f64;
        let level = if mean > 0.0 { (10.0 * mean.log10()).max(FLOOR_DB) } else { FLOOR_DB };
        let bin = ((level - FLOOR_DB).round() as usize).min(BINS - 1);
        self.count[bin] += 1;
        self.decibels[bin] += level;
        self.energy[bin] += self.sum;
        self.samples[bin] += self.filled as u64;
        (self.sum, self.filled) = (0.0, 0);
    }

    fn frames(&self) -> u64 {
        self.count.iter().sum()
    }

    /// The level in dB that `share` (0..=1) of the frames do not exceed: the mean of the bin it falls into.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let wanted = ((self.frames() as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for bin in 0..BINS {
            seen += self.count[bin];
            if seen >= wanted {
                return self.decibels[bin] / self.count[bin] as f64;
            }
        }
        FLOOR_DB
    }

    /// Root mean square over the frames of at least `level` dB, to the nearest bin.
    pub(super) fn rms_above(&self, level: f64) -> f64 {
        let from = ((level - FLOOR_DB).round().max(0.0) as usize).min(BINS);
        let (energy, samples) = (from..BINS)
            .fold((0.0, 0), |(energy, samples), bin| (energy + self.energy[bin], samples + self.samples[bin]));
        if samples == 0 { 0.0 } else { (energy / samples as f64).sqrt() }
    }

    /// Level in dB of the loudest frame, to a decibel.
    pub(super) fn loudest(&self) -> f64 {
        (0..BINS)
            .rev()
            .find(|&bin| self.count[bin] > 0)
            .map_or(FLOOR_DB, |bin| self.decibels[bin] / self.count[bin] as f64)
    }
}
