//! Sound that comes in at somebody else's pace and is taken at ours.
//!
//! Whoever sends live has a clock of its own, a little faster or slower than this machine's, and a network that holds some
//! of it back. What waits here absorbs both. Sound is taken a frame's worth at a time, whenever a frame is begun; a piece
//! that has come must have come a little earlier than that to be relied on, since the next one will not be as punctual.
//! The first sound is laid so that what can be relied on just lasts until the next pieces, wherever they fall between frames;
//! sound that did not come in time makes the next wait longer by what was missing; and what then waits needlessly is taken a little faster, by up to
//! three quarters of a percent, an eighth of a semitone, which nobody hears.

use mouthpiece_media::audio::Steer;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const RATE: f64 = super::RATE as f64;
/// A piece is relied on when it came so long before it is needed.
const EARLY: Duration = Duration::from_millis(4);
/// What of those should wait besides: 1 ms, for clocks that differ and the steering's errors.
const SPARE: u64 = super::RATE / 1000;
/// Pieces have lengths of whole 5 ms; a first one is shorter by what a converter holds back ...
const GRAIN: u64 = super::RATE / 200;
/// ... and of a rate such as 11,025 Hz they are a few samples longer and shorter by turns.
const UNEVEN: u64 = super::RATE / 2000;
/// After so many frames, at most, pieces fall between frames as they did.
const FRAMES: u64 = 64;
/// More than this waits on purpose: somebody pushed faster than real time.
const AHEAD: i64 = super::RATE as i64;
/// The worst moment is sought in windows of a second.
const WINDOW: u64 = super::RATE;
/// Speed by second of surplus, and its bound.
const GAIN: f64 = 0.3;
const MOST: f64 = 0.0075;

/// Sound that came at one moment.
struct Piece {
    /// Samples of it that are still in `sound`.
    left: usize,
    length: usize,
    came: Instant,
    /// None of it was taken yet.
    whole: bool,
}

/// Takes sound in and gives it out again. See the module's text.
pub(super) struct Intake {
    /// Samples of a frame: so much is taken at a time.
    frame: u64,
    sound: VecDeque<f32>,
    /// What came when, oldest first.
    arrivals: VecDeque<Piece>,
    /// Has begun to give, and has not run dry since.
    flowing: bool,
    dried: bool,
    steer: Steer,
    /// Samples that the steering holds back until more come, or nothing more will.
    inside: u64,
    speed: f64,
    /// What was taken since the last look, and how much of that could not be relied on.
    taken: u64,
    unsure: i64,
    /// The least that waited and could be relied on in this window, and how much of the window is over.
    least: i64,
    window: u64,
    piece: Vec<f32>,
    steered: VecDeque<f32>,
    out: Vec<f32>,
}

impl Intake {
    pub(super) fn new(frame: u64) -> Self {
        Self {
            frame,
            sound: VecDeque::new(),
            arrivals: VecDeque::new(),
            flowing: false,
            dried: false,
            steer: Steer::new(),
            inside: 0,
            speed: 1.0,
            taken: 0,
            unsure: 0,
            least: i64::MAX,
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
        self.arrivals.push_back(Piece { left: sound.len(), length: sound.len(), came: now, whole: true });
    }

    /// Samples that wait.
    pub(super) fn waiting(&self) -> u64 {
        (self.sound.len() + self.steered.len()) as u64
    }

    /// Samples that are still to be given when nothing more comes.
    pub(super) fn rest(&self) -> u64 {
        self.waiting() + self.inside
    }

    /// How much of the next `left` samples of the timeline lies before its first sound: 0 when it goes on or can begin at
    /// once, `left` when nothing of it can be relied on yet. `whole`: nothing more will come.
    pub(super) fn pause(&self, left: u64, whole: bool, now: Instant) -> u64 {
        if self.flowing || whole {
            return 0;
        }
        left.saturating_sub(self.relied_on(now).saturating_sub(self.reserve(now)))
    }

    /// What must be left after the first frame, so that each later one finds enough, should pieces go on coming as the newest
    /// did that can be relied on: one of its length whenever so much time is over. Where a frame lasts as long as some pieces,
    /// they always fall alike and nothing is needed; else some frame will be begun when the next piece is just due.
    fn reserve(&self, now: Instant) -> u64 {
        let Some(newest) = self.arrivals.iter().rev().find(|piece| is_early(piece.came, now)) else { return SPARE };
        let length = (newest.length as u64).saturating_sub(UNEVEN).max(1).next_multiple_of(GRAIN);
        let since = super::samples(now.saturating_duration_since(newest.came).saturating_sub(EARLY)) % length;
        let missing = |frame: u64| ((frame * self.frame + since) % length).saturating_sub(since);
        (1..=FRAMES).map(missing).max().unwrap_or_default() + SPARE
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
        let mut taken = 0;
        while taken < most {
            if self.steered.is_empty() {
                if let Some(came) = self.begins() {
                    note(at + taken as u64, came);
                }
                // What has run dry goes on after a pause: what is held back belongs before it.
                let ends = whole || (taken == 0 && self.flowing);
                if !(self.refill(most - taken, now) || ends && self.flush()) {
                    break;
                }
            }
            let count = (most - taken).min(self.steered.len());
            out.extend(self.steered.drain(..count));
            taken += count;
        }
        self.taken += taken as u64;
        if taken > 0 {
            self.flowing = true;
        } else if self.flowing {
            self.flowing = false;
            self.dried = !whole;
            self.begin_anew();
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
        self.inside = 0;
        self.flowing = false;
        self.dried = false;
        self.begin_anew();
    }

    fn begin_anew(&mut self) {
        (self.speed, self.taken, self.unsure) = (1.0, 0, 0);
        (self.least, self.window) = (i64::MAX, 0);
    }

    /// Samples of what came early enough, but for those that the steering holds back.
    fn relied_on(&self, now: Instant) -> u64 {
        let early = self.arrivals.iter().take_while(|piece| is_early(piece.came, now));
        let all = early.map(|piece| piece.left as u64).sum::<u64>() + self.steered.len() as u64;
        all.saturating_sub(Steer::HELD)
    }

    /// When the piece came that begins with the next sample; nothing within a piece.
    fn begins(&mut self) -> Option<Instant> {
        let piece = self.arrivals.front_mut().filter(|piece| piece.whole)?;
        piece.whole = false;
        Some(piece.came)
    }

    /// Steers about `wanted` samples, of one piece; false when there is nothing to steer.
    fn refill(&mut self, wanted: usize, now: Instant) -> bool {
        let Some(piece) = self.arrivals.front() else { return false };
        let count = wanted.min(piece.left);
        if !is_early(piece.came, now) {
            self.unsure += count as i64;
        }
        self.piece.clear();
        self.piece.extend(self.sound.drain(..count));
        self.account(count);
        self.out.clear();
        self.steer.push(&self.piece, self.speed, &mut self.out);
        self.inside = (self.inside + count as u64).min(Steer::HELD);
        self.steered.extend(&self.out);
        true
    }

    /// Nothing more will come for now: takes what the steering holds back; false when that is nothing.
    fn flush(&mut self) -> bool {
        if self.inside == 0 {
            return false;
        }
        // As if it stayed where it ends: silence would make it ring.
        let last = self.piece.last().copied().unwrap_or_default();
        self.out.clear();
        self.steer.push(&[last; Steer::HELD as usize], 1.0, &mut self.out);
        self.out.truncate(self.inside as usize);
        self.inside = 0;
        self.steer.reset();
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

    /// A frame's worth was taken: looks how little ever waits, and sets the speed by it.
    pub(super) fn look(&mut self, now: Instant) {
        if self.taken == 0 {
            return;
        }
        self.least = self.least.min(self.relied_on(now) as i64 - self.unsure);
        self.window += self.taken;
        (self.taken, self.unsure) = (0, 0);
        if self.window < WINDOW {
            return;
        }
        let surplus = (self.least - SPARE as i64) as f64 / RATE;
        self.speed = if self.least > AHEAD { 1.0 } else { 1.0 + (surplus * GAIN).clamp(-MOST, MOST) };
        (self.least, self.window) = (i64::MAX, 0);
    }
}

fn is_early(came: Instant, now: Instant) -> bool {
    now.saturating_duration_since(came) >= EARLY
}
