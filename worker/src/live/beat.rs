//! When frames are due. Pure.
//!
//! A session's media time runs beside the monotonic clock: media time t leaves at `start + t`. A frame is begun so long
//! before that it is drawn and encoded in time; how long that is, is measured. A frame whose turn is over before it could be
//! begun is skipped and counted.

use super::voice::{RATE, samples};
use std::time::{Duration, Instant};

/// Time to draw and encode that is allowed at first, at least and at most.
const HEAD_START: [Duration; 3] = [Duration::from_millis(5), Duration::from_millis(3), Duration::from_millis(20)];
/// Rounding must not cost a frame.
const SPARE: u64 = RATE / 4000;
/// Frames whose work is remembered.
const REMEMBERED: usize = 64;

/// The media clock of one session, its frame rate, and how long a frame takes.
#[derive(Debug)]
pub struct FrameBeat {
    start: Instant,
    fps: u32,
    frame: u64,
    head_start: Duration,
    /// The last frames' work.
    took: [Duration; REMEMBERED],
    at: usize,
}

/// What became of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TickOutcome {
    /// Make this frame; so many before it were skipped.
    Frame {
        /// Counts the session's frames from 0.
        number: u64,
        /// Frames whose turn was over.
        skipped: u64,
    },
    /// None is due.
    NotYet,
}

impl FrameBeat {
    /// Media time begins at `start`.
    pub fn new(start: Instant, fps: u32) -> Self {
        let head_start = HEAD_START[0];
        Self { start, fps: fps.max(1), frame: 0, head_start, took: [Duration::ZERO; REMEMBERED], at: 0 }
    }

    /// The media time at which a frame is shown.
    pub fn shown(&self, frame: u64) -> Duration {
        Duration::from_nanos(frame * 1_000_000_000 / u64::from(self.fps))
    }

    /// When a media time leaves.
    pub fn leaves(&self, media: Duration) -> Instant {
        self.start + media
    }

    /// The media time that leaves at `now`; zero before the start.
    pub fn media(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    /// When the next frame must be begun.
    pub fn frame_due(&self) -> Instant {
        let leaves = self.leaves(self.shown(self.frame));
        leaves.checked_sub(self.head_start).unwrap_or(leaves)
    }

    /// Takes the frame that is due. One that could only be begun when the next one leaves is skipped.
    pub fn turn(&mut self, now: Instant) -> TickOutcome {
        if now < self.frame_due() {
            return TickOutcome::NotYet;
        }
        let late = (self.media(now).as_nanos() * u128::from(self.fps) / 1_000_000_000) as u64;
        // Frame `late` leaves now or left a moment ago: it is the last that still makes sense.
        let skipped = late.saturating_sub(self.frame);
        let number = self.frame + skipped;
        self.frame = number + 1;
        TickOutcome::Frame { number, skipped }
    }

    /// Up to where sound must have its place for a frame to be drawn, in samples: the frame's middle, and what the ear
    /// `needs` past it, seconds.
    pub fn heard_for(&self, frame: u64, need: f64) -> u64 {
        let half = Duration::from_secs(1) / (2 * self.fps);
        samples(self.shown(frame) + half + Duration::from_secs_f64(need.max(0.0))) + SPARE
    }

    /// A frame was drawn and encoded in so long. The next are begun early enough for the slowest of the last ones; `calm`:
    /// nothing is being said, so that this may also be shortened.
    pub fn took(&mut self, work: Duration, calm: bool) {
        self.took[self.at % REMEMBERED] = work;
        self.at += 1;
        let slowest = self.took.iter().copied().max().unwrap_or_default();
        let wanted = (slowest + slowest / 4).clamp(HEAD_START[1], HEAD_START[2]);
        if wanted > self.head_start || (calm && self.at > REMEMBERED) {
            self.head_start = wanted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn frames_are_begun_before_they_leave() {
        let start = Instant::now() + 100 * MS;
        let mut beat = FrameBeat::new(start, 25);
        assert_eq!(beat.turn(start - 6 * MS), TickOutcome::NotYet);
        assert_eq!(beat.turn(start - 5 * MS), TickOutcome::Frame { number: 0, skipped: 0 });
        assert_eq!(beat.turn(start), TickOutcome::NotYet);
        assert_eq!(
            beat.turn(start + 45 * MS),
            TickOutcome::Frame { number: 1, skipped: 0 },
            "late, but still its turn"
        );
        assert_eq!(beat.turn(start + 205 * MS), TickOutcome::Frame { number: 5, skipped: 3 });
        assert_eq!(beat.leaves(beat.shown(5)), start + 200 * MS);
    }

    #[test]
    fn slow_frames_are_begun_earlier_and_fast_ones_later_only_in_silence() {
        let mut beat = FrameBeat::new(Instant::now(), 25);
        let usual = beat.frame_due();
        beat.took(10 * MS, false);
        assert_eq!(beat.frame_due() + MS * 15 / 2, usual, "12.5 ms instead of 5");
        for _ in 0..200 {
            beat.took(2 * MS, false);
        }
        assert!(beat.frame_due() < usual, "not while something is being said");
        beat.took(2 * MS, true);
        assert!(beat.frame_due() > usual);
        beat.took(500 * MS, false);
        assert_eq!(beat.head_start, HEAD_START[2], "bounded");
    }

    #[test]
    fn a_frame_hears_past_its_middle() {
        let beat = FrameBeat::new(Instant::now(), 25);
        assert_eq!(beat.heard_for(2, 0.05), samples(150 * MS) + SPARE);
    }

    #[test]
    fn thirty_frames_a_second_do_not_drift() {
        let beat = FrameBeat::new(Instant::now(), 30);
        assert_eq!(beat.shown(30 * 3600), Duration::from_secs(3600));
    }
}
