//! Sound that comes in at somebody else's pace and is taken at ours.
//!
//! Whoever sends live has a clock of its own, a little faster or slower than this machine's, and a network that holds some
//! of it back. What waits here absorbs both: sound that did not come in time makes the next wait longer by what was missing,
//! and what then waits needlessly is taken a little faster, by up to half a percent, which nobody hears.

use mouthpiece_media::audio::Steer;
use std::collections::VecDeque;
use std::time::Instant;

const RATE: f64 = super::RATE as f64;
/// Sound is first taken when it has waited for 4 ms, or when 40 ms of it wait: the next piece will not be exactly in time.
const FIRST: u64 = super::RATE / 250;
const ENOUGH: u64 = super::RATE / 25;
/// What should still wait at the worst moment: 5 ms.
const SPARE: f64 = 0.005;
/// More than this waits on purpose: somebody pushed faster than real time.
const AHEAD: u64 = super::RATE;
/// The worst moment is sought in windows of 2 s.
const WINDOW: u64 = 2 * super::RATE;
/// Speed by second of surplus, and its bound.
const GAIN: f64 = 0.05;
const MOST: f64 = 0.005;

/// Sound that came at one moment.
struct Piece {
    /// Samples of it that are still in `sound`.
    left: usize,
    came: Instant,
    /// None of it was taken yet.
    whole: bool,
}

/// Takes sound in and gives it out again. See the module's text.
pub(super) struct Intake {
    sound: VecDeque<f32>,
    /// What came when, oldest first.
    arrivals: VecDeque<Piece>,
    /// Has begun to give, and has not run dry since.
    flowing: bool,
    dried: bool,
    steer: Steer,
    speed: f64,
    /// The least that waited in this window, and how much of the window is over.
    least: u64,
    window: u64,
    piece: Vec<f32>,
    steered: VecDeque<f32>,
    out: Vec<f32>,
}

impl Intake {
    pub(super) fn new() -> Self {
        Self {
            sound: VecDeque::new(),
            arrivals: VecDeque::new(),
            flowing: false,
            dried: false,
            steer: Steer::new(),
            speed: 1.0,
            least: u64::MAX,
            window: 0,
            piece: Vec::new(),
            steered: VecDeque::new(),
            out: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, sound: &[f32], now: Instant) {
        if sound.is_empty() {
            return;
        }
        self.sound.extend(sound);
        self.arrivals.push_back(Piece { left: sound.len(), came: now, whole: true });
    }

    /// Samples that wait.
    pub(super) fn waiting(&self) -> u64 {
        (self.sound.len() + self.steered.len()) as u64
    }

    /// Appends up to `most` samples to `out`, for the timeline from `at` on; how many. `whole`: nothing more will come.
    /// `note` is told where each piece begins and when it came.
    pub(super) fn take(
        &mut self,
        at: u64,
        most: usize,
        whole: bool,
        now: Instant,
        out: &mut Vec<f32>,
        note: &mut dyn FnMut(u64, Instant),
    ) -> usize {
        if !self.flowing {
            let waited = self
                .arrivals
                .front()
                .is_some_and(|piece| super::samples(now.saturating_duration_since(piece.came)) >= FIRST);
            if self.waiting() == 0 || !(whole || waited || self.waiting() >= ENOUGH) {
                return 0;
            }
            self.flowing = true;
        }
        let mut taken = 0;
        while taken < most {
            if self.steered.is_empty() {
                if let Some(came) = self.begins() {
                    note(at + taken as u64, came);
                }
                if !self.refill(most - taken) {
                    break;
                }
            }
            let count = (most - taken).min(self.steered.len());
            out.extend(self.steered.drain(..count));
            taken += count;
        }
        self.watch(taken as u64);
        if taken == 0 {
            self.flowing = false;
            self.dried = !whole;
        }
        taken
    }

    /// True once after it ran dry in the middle of something.
    pub(super) fn ran_dry(&mut self) -> bool {
        std::mem::take(&mut self.dried)
    }

    /// Forgets the oldest `count` samples.
    pub(super) fn skip(&mut self, count: u64) {
        self.steered.clear();
        let count = (count as usize).min(self.sound.len());
        self.sound.drain(..count);
        self.account(count);
    }

    pub(super) fn clear(&mut self) {
        self.sound.clear();
        self.steered.clear();
        self.arrivals.clear();
        self.steer.reset();
        self.flowing = false;
        self.dried = false;
        (self.speed, self.least, self.window) = (1.0, u64::MAX, 0);
    }

    /// When the piece came that begins with the next sample; nothing within a piece.
    fn begins(&mut self) -> Option<Instant> {
        let piece = self.arrivals.front_mut().filter(|piece| piece.whole)?;
        piece.whole = false;
        Some(piece.came)
    }

    /// Steers about `wanted` samples, of one piece; false when there is nothing to steer.
    fn refill(&mut self, wanted: usize) -> bool {
        let count = wanted.min(self.arrivals.front().map_or(0, |piece| piece.left));
        if count == 0 {
            return false;
        }
        self.piece.clear();
        self.piece.extend(self.sound.drain(..count));
        self.account(count);
        self.out.clear();
        self.steer.push(&self.piece, self.speed, &mut self.out);
        self.steered.extend(&self.out);
        true
    }

    fn account(&mut self, mut count: usize) {
        while count > 0
            && let Some(piece) = self.arrivals.front_mut()
        {
            let of_this = count.min(piece.left);
            piece.left -= of_this;
            count -= of_this;
            if piece.left == 0 {
                self.arrivals.pop_front();
            } else {
                piece.whole = false;
            }
        }
    }

    /// Looks how little ever waits, and sets the speed by it.
    fn watch(&mut self, taken: u64) {
        self.least = self.least.min(self.waiting());
        self.window += taken;
        if self.window < WINDOW {
            return;
        }
        let surplus = self.least as f64 / RATE - SPARE;
        self.speed = if self.least > AHEAD { 1.0 } else { 1.0 + (surplus * GAIN).clamp(-MOST, MOST) };
        (self.least, self.window) = (u64::MAX, 0);
    }
}
