//! What the network bears, as a rate of video.

/// A connection's share that is not video, bits a second: Opus at 32 kbit/s in 50 packets, and reports.
const SOUND: u64 = 64_000;
/// Of the rest, what is H.264; the headers of RTP, UDP and IP take the others.
const PAYLOAD: (u64, u64) = (19, 20);
/// So much video the first viewer of a stream is assumed to bear; those who join it get what it has. Probing finds what is true within the first seconds.
const START: u32 = 1_000_000;
/// A change by less than this share of the rate is not worth telling, in percent.
const WORTH: u64 = 5;

/// What a connection bears when it bears that much video.
pub(super) fn whole(video: u32) -> u64 {
    u64::from(video) * PAYLOAD.1 / PAYLOAD.0 + SOUND
}

/// What is known of one viewer's path.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    /// From the arrival times that it reports, bits a second.
    measured: Option<u64>,
    /// From what it says itself, bits a second.
    said: Option<u64>,
}

impl Estimate {
    /// The bandwidth estimator's result. Before it has learned anything it repeats what it was told at the `start`: a newcomer
    /// must not slow the others down by that.
    pub fn measured(&mut self, bits: u64, start: u64) {
        if self.measured.is_some() || bits != start {
            self.measured = Some(bits);
        }
    }

    /// A receiver's own estimate (REMB).
    pub fn said(&mut self, bits: u64) {
        self.said = Some(bits);
    }

    /// Video that it bears, bits a second, once anything is known.
    pub fn video(&self) -> Option<u64> {
        let known = self.measured.into_iter().chain(self.said).min()?;
        Some(known.saturating_sub(SOUND) * PAYLOAD.0 / PAYLOAD.1)
    }
}

/// What a stream was told last.
#[derive(Debug)]
pub(super) struct Told {
    bounds: [u32; 2],
    last: Option<u32>,
}

impl Told {
    /// Nothing yet.
    pub fn new(bounds: [u32; 2]) -> Self {
        Self { bounds, last: None }
    }

    /// The rate that a new viewer gets, as it joins others or is the first.
    pub fn start(&self, joins: bool) -> u32 {
        let [low, high] = self.bounds;
        self.last.filter(|_| joins).unwrap_or(START.clamp(low, high))
    }

    /// The rate to tell, if it is news.
    pub fn news(&mut self, least: u64) -> Option<u32> {
        let [low, high] = self.bounds;
        let rate = u32::try_from(least).unwrap_or(u32::MAX).clamp(low, high);
        let is_news = self.last.is_none_or(|last| {
            let at_a_bound = rate != last && (rate == low || rate == high);
            at_a_bound || u64::from(rate.abs_diff(last)) * 100 > u64::from(last) * WORTH
        });
        is_news.then(|| {
            self.last = Some(rate);
            rate
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_newcomer_says_nothing_before_it_knows() {
        let mut estimate = Estimate::default();
        estimate.measured(whole(START), whole(START));
        assert_eq!(estimate.video(), None);
        estimate.measured(2_000_000, whole(START));
        assert!(estimate.video().unwrap() > 1_800_000);
        estimate.measured(whole(START), whole(START));
        assert!(estimate.video().unwrap().abs_diff(u64::from(START)) < 2, "the same value, measured");
        estimate.said(300_000);
        assert!(estimate.video().unwrap() < 250_000, "the lesser counts");
    }

    #[test]
    fn small_changes_are_not_told() {
        let mut told = Told::new([200_000, 1_500_000]);
        assert_eq!(told.news(1_000_000), Some(1_000_000));
        assert_eq!(told.news(1_050_000), None);
        assert_eq!(told.news(1_050_001), Some(1_050_001));
        assert_eq!(told.news(9_000_000), Some(1_500_000));
        assert_eq!(told.news(1_460_000), None);
        assert_eq!(told.news(1), Some(200_000));
        assert_eq!(told.news(0), None);
        assert_eq!(told.news(205_000), None);
        assert_eq!(told.news(215_000), Some(215_000));
        assert_eq!(told.news(100), Some(200_000), "the bound itself is always reached");
    }

    proptest! {
        #[test]
        fn whatever_is_told_is_within_bounds(low in 1u32..2_000_000, more in 0u32..8_000_000, estimates: Vec<u64>) {
            let mut told = Told::new([low, low + more]);
            prop_assert!((low..=low + more).contains(&told.start(true)));
            for estimate in estimates {
                if let Some(rate) = told.news(estimate) {
                    prop_assert!((low..=low + more).contains(&rate));
                }
            }
            prop_assert!((low..=low + more).contains(&told.start(true)) && (low..=low + more).contains(&told.start(false)));
        }

        #[test]
        fn rate_and_whole_agree(video in 1_000u32..8_000_000) {
            let mut estimate = Estimate::default();
            estimate.said(whole(video));
            prop_assert!(estimate.video().unwrap().abs_diff(u64::from(video)) <= 1);
        }
    }
}
