//! How often key frames are asked for: they are large, and every viewer in trouble asks for one.

use std::time::{Duration, Instant};

/// At most one request in so long.
const EVERY: Duration = Duration::from_millis(500);
/// A request without a key frame in so long is made again, as long as somebody waits.
const AGAIN: Duration = Duration::from_secs(1);

/// The requests of one stream.
#[derive(Debug, Default)]
pub(super) struct KeyFrames {
    asked: Option<Instant>,
    pending: bool,
}

impl KeyFrames {
    /// Somebody needs one; true when it is to be asked for now. Inside the window it is remembered to its end.
    pub fn want(&mut self, now: Instant) -> bool {
        let now_is_right = self.asked.is_none_or(|asked| now >= asked + EVERY);
        self.pending = !now_is_right;
        if now_is_right {
            self.asked = Some(now);
        }
        now_is_right
    }

    /// One went out: whoever waited has it.
    pub fn came(&mut self) {
        self.pending = false;
    }

    /// Somebody still waits, although it was asked for.
    pub fn overdue(&self, now: Instant) -> bool {
        self.asked.is_none_or(|asked| now >= asked + AGAIN)
    }

    /// When a remembered request is to be made.
    pub fn due(&self) -> Option<Instant> {
        self.asked.filter(|_| self.pending).map(|asked| asked + EVERY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_window_and_none_is_lost() {
        let mut frames = KeyFrames::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert!(frames.want(at(0)));
        assert_eq!(frames.due(), None);
        assert!(!frames.want(at(100)) && !frames.want(at(200)));
        assert_eq!(frames.due(), Some(at(500)));
        assert!(frames.want(at(500)), "at its end the remembered one is made");
        assert_eq!(frames.due(), None);
    }

    #[test]
    fn a_key_frame_answers_those_who_waited() {
        let mut frames = KeyFrames::default();
        let start = Instant::now();
        frames.want(start);
        frames.want(start + Duration::from_millis(1));
        frames.came();
        assert_eq!(frames.due(), None);
        assert!(!frames.overdue(start + Duration::from_millis(999)));
        assert!(frames.overdue(start + Duration::from_secs(1)));
    }
}
