//! How the head is held: postures that last for seconds, the way between them, and the small drift of a head on a neck.

use super::beat::VoiceFollower;
use super::random::SplitMix64;
use super::spring::Spring;
use std::f64::consts::TAU;

/// How far postures go, to either side: dx, dy (eye spans), roll, yaw, pitch (radians), brow, smile.
const REACH: [f32; 7] = [0.030, 0.014, 0.068, 0.115, 0.040, 0.35, 1.0];
/// How far the drift goes.
const DRIFT: [f32; 7] = [0.005, 0.003, 0.009, 0.018, 0.009, 0.0, 0.2];
/// Seconds between two turns of the drift.
const DRIFT_PACE: f64 = 1.3;
/// Seconds for which a posture is held: in speech, in silence.
const HELD: [(f64, f64); 2] = [(0.9, 2.6), (2.4, 5.2)];
/// Somebody who listens holds still: the share of a speaker's reach.
const SILENT: f32 = 0.62;

/// A posture.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pose {
    pub(super) dx: f32,
    pub(super) dy: f32,
    pub(super) roll: f32,
    pub(super) yaw: f32,
    pub(super) pitch: f32,
    /// Lift of the brows, about -0.35..=0.35.
    pub(super) brow: f32,
    /// Of the corners of the mouth, about -1..=1.
    pub(super) smile: f32,
}

/// The head over time.
#[derive(Debug)]
pub(super) struct Posture {
    random: SplitMix64,
    /// The drift's own numbers: it is the same whatever is said.
    drift: u64,
    target: [f32; 7],
    springs: [Spring; 7],
    pace: f32,
    until: f64,
    seconds: f64,
}

impl Posture {
    pub(super) fn new(mut random: SplitMix64) -> Self {
        let drift = random.fork().0;
        // The first posture is the picture's own, soon left.
        let until = random.between(0.3, 1.0);
        Self { random, drift, target: [0.0; 7], springs: [Spring::default(); 7], pace: 4.0, until, seconds: 0.0 }
    }

    /// Goes on to `seconds`; true when a large turn begins.
    pub(super) fn at(&mut self, seconds: f64, dt: f32, voice: &VoiceFollower) -> bool {
        self.seconds = seconds;
        let ends = seconds >= self.until || (voice.begins && self.until - seconds > 0.3);
        let turns = ends && self.change(seconds, voice);
        for (spring, target) in self.springs.iter_mut().zip(self.target) {
            spring.approach(target, self.pace, dt);
        }
        turns
    }

    fn change(&mut self, seconds: f64, voice: &VoiceFollower) -> bool {
        let speaks = voice.speaking > 0.4;
        let (shortest, longest) = HELD[usize::from(!speaks)];
        self.until = seconds + self.random.between(shortest, longest);
        self.pace = self.random.between(3.8, 6.0) as f32;
        let share = if speaks { 1.0 } else { SILENT };
        let before = self.target;
        for (target, reach) in self.target.iter_mut().zip(REACH) {
            *target = 1.5 * self.random.around().clamp(-0.667, 0.667) * reach * share;
        }
        // Nobody who speaks holds the head quite straight for long.
        let leans = self.target[2] / (REACH[2] * share);
        self.target[2] = (0.35 + 0.65 * leans.abs()).copysign(leans) * REACH[2] * share;
        // A head that turns leans as it does so more often than not.
        if self.random.chance(0.6) {
            self.target[2] = self.target[2].abs() * -self.target[3].signum();
        }
        // And it does not stay where it is.
        if (self.target[2] - before[2]).abs() < 0.3 * REACH[2] * share {
            self.target[2] = -0.6 * before[2] + 0.3 * self.target[2];
        }
        (self.target[3] - before[3]).abs() > 0.9 * REACH[3]
    }

    /// The posture as it is now.
    pub(super) fn pose(&self) -> Pose {
        let v: [f32; 7] = std::array::from_fn(|i| self.springs[i].value + DRIFT[i] * self.drifting(i));
        let [dx, dy, roll, yaw, pitch, brow, smile] = v;
        Pose { dx, dy, roll, yaw, pitch, brow, smile }
    }

    /// Smooth noise of time, -1..=1: eased between random numbers, each part with a pace of its own.
    fn drifting(&self, part: usize) -> f32 {
        let pace = DRIFT_PACE * (1.0 + 0.17 * part as f64);
        let at = self.seconds / pace;
        let (k, t) = (at.floor(), at - at.floor());
        let number = |k: f64| SplitMix64(self.drift ^ (k as u64).wrapping_mul(8) ^ part as u64).between(-1.0, 1.0);
        let eased = 0.5 - 0.5 * (0.5 * TAU * t).cos();
        // Before the first turn the head stands as in the picture.
        (eased * number(k + 1.0) + if k > 0.0 { (1.0 - eased) * number(k) } else { 0.0 }) as f32
    }
}
