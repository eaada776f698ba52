//! Numbers from a seed.

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Debug, Clone)]
pub(super) struct SplitMix64(pub(super) u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Another sequence, whatever is drawn from this one later.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// Evenly from `low..high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From -1..1, the middle likelier than the ends.
    pub(super) fn around(&mut self) -> f32 {
        (self.between(-0.5, 0.5) + self.between(-0.5, 0.5)) as f32
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, of: f64) -> bool {
        self.between(0.0, 1.0) < of
    }
}
