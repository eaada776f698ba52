//! Encoded media on its way to viewers, and its time on the wire.

use bytes::Bytes;
use std::time::{Duration, Instant};

/// One encoded video frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoFrame {
    /// H.264, Annex B; parameter sets in band before each key frame.
    pub data: Bytes,
    /// Decoding can start here.
    pub key: bool,
    /// Media time, since the session's start.
    pub pts: Duration,
    /// When that media time was due on the wall clock. A frame handed in earlier is held until then.
    pub captured: Instant,
}

/// One encoded packet of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioPacket {
    /// Opus, 20 ms.
    pub data: Bytes,
    /// Media time of its first sample, since the session's start.
    pub pts: Duration,
    /// When that media time was due on the wall clock. A packet handed in earlier is held until then.
    pub captured: Instant,
}

/// A time as ticks of an RTP clock, rounded to the nearest.
pub(crate) fn ticks(time: Duration, rate: u32) -> u64 {
    const SECOND: u128 = 1_000_000_000;
    let exact = time.as_nanos() * u128::from(rate) + SECOND / 2;
    u64::try_from(exact / SECOND).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_the_nearest() {
        assert_eq!(ticks(Duration::ZERO, 90_000), 0);
        assert_eq!(ticks(Duration::from_millis(40), 90_000), 3600);
        assert_eq!(ticks(Duration::from_millis(20), 48_000), 960);
        // 1/30 s as a Duration is short of a third of a nanosecond: still exactly 3000 ticks.
        assert_eq!(ticks(Duration::from_secs(1) / 30, 90_000), 3000);
        assert_eq!(ticks(Duration::from_secs(1000) / 30, 90_000), 3_000_000);
        // A year.
        assert_eq!(ticks(Duration::from_secs(31_536_000), 90_000), 2_838_240_000_000);
    }
}
