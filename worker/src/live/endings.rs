//! When a live session ends by itself. Pure.

use mouthpiece_domain::live::LiveTerms;
use mouthpiece_domain::session::{EndReason, SessionEnd};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Viewers of a session that was moved have so long to come to it.
const REJOIN: Duration = Duration::from_secs(15);

/// Who is there, and since when nothing happened.
#[derive(Debug)]
pub struct Endings {
    terms: LiveTerms,
    viewers: BTreeSet<u128>,
    came: bool,
    /// Since nobody watches.
    alone_since: Instant,
    /// When something was said last, or somebody asked to keep it.
    active: Instant,
}

impl Endings {
    /// A session that begins now, without viewers.
    pub fn new(terms: LiveTerms, now: Instant) -> Self {
        Self { terms, viewers: BTreeSet::new(), came: false, alone_since: now, active: now }
    }

    /// A session that waited to be moved here is here from now on: its viewers come from elsewhere, however little time others
    /// have to come.
    pub fn begin(&mut self, now: Instant) {
        self.terms.absent_timeout = self.terms.absent_timeout.max(REJOIN);
        (self.alone_since, self.active) = (now, now);
    }

    /// A viewer is connected.
    pub fn joined(&mut self, viewer: u128, now: Instant) {
        self.viewers.insert(viewer);
        if !self.came {
            self.came = true;
            self.active = now; // waiting for the first viewer is not idleness
        }
    }

    /// A viewer is gone; true when it was the last.
    pub fn left(&mut self, viewer: u128, now: Instant) -> bool {
        let last = self.viewers.remove(&viewer) && self.viewers.is_empty();
        if last {
            self.alone_since = now;
        }
        last
    }

    /// True for a viewer that is connected.
    pub fn is_here(&self, viewer: u128) -> bool {
        self.viewers.contains(&viewer)
    }

    /// Viewers that are connected.
    pub fn viewers(&self) -> u32 {
        u32::try_from(self.viewers.len()).unwrap_or(u32::MAX)
    }

    /// Something was said, or somebody needs it.
    pub fn active(&mut self, now: Instant) {
        self.active = now;
    }

    /// Why it is over, if it is.
    pub fn due(&self, now: Instant) -> Option<SessionEnd> {
        let LiveTerms { idle_timeout, absent_timeout, left_timeout, .. } = self.terms;
        let since = |then: Instant| now.saturating_duration_since(then);
        if self.viewers.is_empty() {
            let alone = since(self.alone_since);
            if !self.came && alone >= absent_timeout {
                let said = format!("nobody came to watch within {}", seconds(absent_timeout));
                return Some(SessionEnd::new(EndReason::ParticipantAbsent, said));
            }
            if self.came && alone >= left_timeout {
                let said = format!("the last viewer had been gone for {}", seconds(left_timeout));
                return Some(SessionEnd::new(EndReason::ParticipantLeft, said));
            }
        }
        (self.came && since(self.active) >= idle_timeout)
            .then(|| SessionEnd::new(EndReason::IdleTimeout, format!("nothing was said for {}", seconds(idle_timeout))))
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn reason(endings: &Endings, at: Instant) -> Option<EndReason> {
        endings.due(at).map(|end| end.reason)
    }

    #[test]
    fn nobody_comes() {
        let start = Instant::now();
        let endings = Endings::new(LiveTerms::default(), start);
        assert_eq!(reason(&endings, start + 59 * S), None);
        assert_eq!(reason(&endings, start + 60 * S), Some(EndReason::ParticipantAbsent));
        assert_eq!(endings.due(start + 60 * S).unwrap().detail.unwrap(), "nobody came to watch within 60 s");
    }

    #[test]
    fn the_last_viewer_leaves_and_may_come_back() {
        let start = Instant::now();
        let mut endings = Endings::new(LiveTerms::default(), start);
        endings.joined(1, start + S);
        endings.joined(2, start + S);
        assert!(!endings.left(1, start + 2 * S));
        assert!(!endings.left(1, start + 2 * S), "gone already");
        assert!(endings.left(2, start + 100 * S));
        endings.active(start + 100 * S);
        assert_eq!(reason(&endings, start + 129 * S), None);
        endings.joined(3, start + 129 * S);
        assert_eq!(reason(&endings, start + 140 * S), None);
        assert!(endings.left(3, start + 140 * S));
        assert_eq!(reason(&endings, start + 170 * S), Some(EndReason::ParticipantLeft));
    }

    #[test]
    fn silence_ends_it_however_long_the_first_viewer_took() {
        let start = Instant::now();
        let mut endings = Endings::new(LiveTerms { absent_timeout: 3600 * S, ..LiveTerms::default() }, start);
        assert_eq!(reason(&endings, start + 500 * S), None);
        endings.joined(1, start + 500 * S);
        assert_eq!(reason(&endings, start + 799 * S), None);
        endings.active(start + 799 * S);
        assert_eq!(reason(&endings, start + 1098 * S), None);
        assert_eq!(reason(&endings, start + 1099 * S), Some(EndReason::IdleTimeout));
    }
}
