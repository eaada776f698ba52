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
    /// The rate that was asked for: frames are numbered by it.
    fps: u32,
    /// The rate that is shown just now, at most that.
    pace: u32,
    /// The media time from which on it is shown, and the frames that were begun since then.
    paced_from: Duration,
    frame: u64,
    /// The number of the frame that was begun last, and one more.
    next_number: u64,
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
        /// Counts the session's frames from 0, at the rate that was asked for.
        number: u64,
        /// The media time at which it is shown.
        shown: Duration,
        /// Frames whose turn was over.
        skipped: u64,
    },
    /// None is due.
    NotYet,
}

impl FrameBeat {
    /// Media time begins at `start`.
    pub fn new(start: Instant, fps: u32) -> Self {
        let fps = fps.max(1);
        Self {
            start,
            fps,
            pace: fps,
            paced_from: Duration::ZERO,
            frame: 0,
            next_number: 0,
            head_start: HEAD_START[0],
            took: [Duration::ZERO; REMEMBERED],
            at: 0,
        }
    }

    /// Shows so many frames a second from the next one on, at most as many as were asked for; true when that is another rate.
    pub fn set_pace(&mut self, pace: u32) -> bool {
        let pace = pace.clamp(1, self.fps);
        let changes = pace != self.pace;
        if changes {
            (self.paced_from, self.frame, self.pace) = (self.next_shown(), 0, pace);
        }
        changes
    }

    /// How long a frame is shown.
    pub fn lasts(&self) -> Duration {
        Duration::from_secs(1) / self.pace
    }

    /// The media time at which the next frame is shown.
    fn next_shown(&self) -> Duration {
        self.paced_from + Duration::from_nanos(self.frame * 1_000_000_000 / u64::from(self.pace))
    }

    /// When a media time leaves.
    pub fn leaves(&self, media: Duration) -> Instant {
        self.start + media
    }

    /// When the frame that is shown then must be drawn: what is left to do then is to encode it, which takes less than the least head
    /// start.
    pub fn drawn_by(&self, shown: Duration) -> Instant {
        let leaves = self.leaves(shown);
        leaves.checked_sub(HEAD_START[1]).unwrap_or(leaves)
    }

    /// The media time that leaves at `now`; zero before the start.
    pub fn media(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    /// When the next frame must be begun.
    pub fn frame_due(&self) -> Instant {
        let leaves = self.leaves(self.next_shown());
        leaves.checked_sub(self.head_start).unwrap_or(leaves)
    }

    /// Takes the frame that is due. One that could only be begun when the next one leaves is skipped.
    pub fn turn(&mut self, now: Instant) -> TickOutcome {
        if now < self.frame_due() {
            return TickOutcome::NotYet;
        }
        let since = self.media(now).saturating_sub(self.paced_from);
        let late = (since.as_nanos() * u128::from(self.pace) / 1_000_000_000) as u64;
        // Frame `late` leaves now or left a moment ago: it is the last that still makes sense.
        let skipped = late.saturating_sub(self.frame);
        self.frame += skipped;
        let shown = self.next_shown();
        self.frame += 1;
        // A nanosecond that rounding cost must not cost a number.
        let asked = u128::from(self.fps);
        let number = ((shown.as_nanos() * asked + asked) / 1_000_000_000) as u64;
        let number = number.max(self.next_number);
        self.next_number = number + 1;
        TickOutcome::Frame { number, shown, skipped }
    }

    /// Up to where sound must have its place for a frame to be drawn that is shown then, in samples: the frame's middle, and
    /// what the ear `needs` past it, seconds.
    pub fn heard_for(&self, shown: Duration, need: f64) -> u64 {
        samples(shown + self.lasts() / 2 + Duration::from_secs_f64(need.max(0.0))) + SPARE
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
        assert_eq!(beat.turn(start - 5 * MS), TickOutcome::Frame { number: 0, shown: Duration::ZERO, skipped: 0 });
        assert_eq!(beat.turn(start), TickOutcome::NotYet);
        assert_eq!(
            beat.turn(start + 45 * MS),
            TickOutcome::Frame { number: 1, shown: 40 * MS, skipped: 0 },
            "late, but still its turn"
        );
        assert_eq!(beat.turn(start + 205 * MS), TickOutcome::Frame { number: 5, shown: 200 * MS, skipped: 3 });
        assert_eq!(beat.leaves(200 * MS), start + 200 * MS);
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
    fn a_frame_is_drawn_in_time_to_be_encoded() {
        let start = Instant::now() + 100 * MS;
        assert_eq!(FrameBeat::new(start, 25).drawn_by(80 * MS), start + 77 * MS);
    }

    #[test]
    fn a_frame_hears_past_its_middle() {
        let beat = FrameBeat::new(Instant::now(), 25);
        assert_eq!(beat.heard_for(80 * MS, 0.05), samples(150 * MS) + SPARE);
    }

    /// Begins frames as they come due until a media time: their numbers and when they are shown.
    fn begun(beat: &mut FrameBeat, until: Duration) -> Vec<(u64, Duration)> {
        let mut frames = Vec::new();
        while beat.media(beat.frame_due()) < until {
            let TickOutcome::Frame { number, shown, skipped: 0 } = beat.turn(beat.frame_due()) else {
                panic!("a frame was due")
            };
            frames.push((number, shown));
        }
        frames
    }

    #[test]
    fn thirty_frames_a_second_do_not_drift() {
        let mut beat = FrameBeat::new(Instant::now(), 30);
        let frames = begun(&mut beat, Duration::from_secs(3600));
        assert!(frames.iter().enumerate().all(|(n, (number, _))| *number == n as u64));
        assert_eq!(frames[30 * 3600], (30 * 3600, Duration::from_secs(3600)));
    }

    #[test]
    fn a_slower_pace_is_even_and_frames_keep_their_numbers_in_time() {
        let mut beat = FrameBeat::new(Instant::now(), 30);
        let mut last = begun(&mut beat, Duration::from_secs(1)).pop().unwrap();
        for (pace, seconds) in [(25, 3), (20, 5), (30, 7), (25, 8)] {
            assert!(beat.set_pace(pace) && !beat.set_pace(pace));
            let frames = begun(&mut beat, Duration::from_secs(seconds));
            let apart = frames.windows(2).map(|pair| (pair[1].1 - pair[0].1).as_micros());
            assert!(apart.clone().all(|us| us.abs_diff(1_000_000 / u128::from(pace)) <= 1), "{pace} a second");
            for (number, shown) in frames {
                assert!(number > last.0 && shown > last.1, "{number} after {last:?}");
                let should = shown.as_secs_f64() * 30.0;
                assert!((number as f64 - should).abs() <= 1.01, "{number} is shown at {shown:?}");
                last = (number, shown);
            }
        }
        assert!(beat.set_pace(99) && beat.lasts() == Duration::from_secs(1) / 30, "never more than was asked for");
    }
}
