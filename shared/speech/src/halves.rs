//! Samples out of bytes that were cut anywhere.

use mouthpiece_domain::live::UTTERANCE_PAUSE;
use tokio::time::Instant;

/// The first byte of a sample whose second byte is still to come.
#[derive(Debug, Clone, Copy)]
struct Half {
    byte: u8,
    rate: u32,
    came: Instant,
}

/// Puts 16-bit samples together, little endian, across the messages of one utterance.
#[derive(Debug, Default)]
pub struct SampleHalves(Option<Half>);

impl SampleHalves {
    /// The samples that `bytes` complete. A half that is left waits for the next bytes of this rate; it is dropped when they
    /// do not come before an utterance counts as over.
    pub fn join(&mut self, rate: u32, bytes: &[u8], now: Instant) -> Vec<i16> {
        let Some((first, rest)) = bytes.split_first() else { return Vec::new() };
        let half = self.0.take().filter(|half| half.rate == rate && now - half.came < UTTERANCE_PAUSE);
        let mut samples = Vec::with_capacity(bytes.len().div_ceil(2));
        let whole = match half {
            Some(half) => {
                samples.push(i16::from_le_bytes([half.byte, *first]));
                rest
            }
            None => bytes,
        };
        let (pairs, odd) = whole.as_chunks::<2>();
        samples.extend(pairs.iter().map(|pair| i16::from_le_bytes(*pair)));
        self.0 = odd.first().map(|byte| Half { byte: *byte, rate, came: now });
        samples
    }

    /// The utterance is over: what comes next begins with a whole sample.
    pub fn drop_half(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn a_half_is_dropped_with_its_utterance() {
        let now = Instant::now();
        let join = |halves: &mut SampleHalves, rate, bytes: &[u8], after| {
            halves.join(rate, bytes, now + Duration::from_millis(after))
        };
        let mut halves = SampleHalves::default();
        assert_eq!(join(&mut halves, 24_000, &[1], 0), [0; 0]);
        assert_eq!(join(&mut halves, 24_000, &[], 4999), [0; 0], "nothing changes nothing");
        assert_eq!(join(&mut halves, 24_000, &[0, 2], 4999), [1], "in time");
        assert_eq!(join(&mut halves, 24_000, &[3, 0, 4], 9999), [3], "too late: a new utterance");
        assert_eq!(join(&mut halves, 16_000, &[5, 0, 6], 9999), [5], "another rate");
        halves.drop_half();
        assert_eq!(join(&mut halves, 16_000, &[7, 0], 9999), [7]);
    }

    proptest! {
        #[test]
        fn any_cutting_of_a_stream_gives_the_same_samples(
            samples in proptest::collection::vec(any::<i16>(), 0..300),
            pieces in proptest::collection::vec(0_usize..20, 1..50),
        ) {
            let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
            let (mut halves, mut joined, mut left) = (SampleHalves::default(), Vec::new(), &bytes[..]);
            for piece in pieces.iter().cycle().take(bytes.len() * 50 + 1) {
                let (now, later) = left.split_at((*piece).min(left.len()));
                joined.extend(halves.join(8_000, now, Instant::now()));
                left = later;
            }
            joined.extend(halves.join(8_000, left, Instant::now()));
            prop_assert_eq!(joined, samples);
        }
    }
}
