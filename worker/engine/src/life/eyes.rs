//! Where the eyes look: at whoever is spoken to, and now and then elsewhere.

use super::beat::VoiceFollower;
use super::random::SplitMix64;
use crate::{Gaze, HeadPose};

/// Seconds of a jump of the eyes.
const JUMP: f64 = 0.055;
/// Furthest that eyes turn from where the picture has them, radians: across, down.
const FURTHEST: (f32, f32) = (0.21, 0.09);

/// Where eyes go, and whether they go far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    at: Gaze,
    pub(super) jumps_far: bool,
}

/// The eyes over time.
#[derive(Debug)]
pub(super) struct Eyes {
    random: SplitMix64,
    from: Gaze,
    to: Gaze,
    began: f64,
    until: f64,
    away: bool,
}

impl Eyes {
    pub(super) fn new(mut random: SplitMix64) -> Self {
        let until = random.between(0.8, 2.0);
        Self { random, from: Gaze::default(), to: Gaze::default(), began: -1.0, until, away: false }
    }

    pub(super) fn at(&mut self, seconds: f64, voice: &VoiceFollower) -> Look {
        let mut jumps_far = false;
        // Who begins to speak thinks first: the eyes leave, and come back.
        if seconds >= self.until || (voice.begins && !self.away && self.random.chance(0.3)) {
            self.from = self.now(seconds);
            self.began = seconds;
            jumps_far = self.choose(seconds, voice);
        }
        Look { at: self.now(seconds), jumps_far }
    }

    fn choose(&mut self, seconds: f64, voice: &VoiceFollower) -> bool {
        let listens = voice.speaking < 0.4;
        let was_away = self.away;
        self.away = !was_away && self.random.chance(if listens { 0.20 } else { 0.30 });
        let r = &mut self.random;
        if self.away {
            let side = if r.chance(0.5) { 1.0 } else { -1.0 };
            self.to = Gaze { x: side * r.between(0.09, 0.19) as f32, y: r.between(-0.07, 0.06) as f32 };
            self.until = seconds + r.between(0.35, 1.1);
            return true;
        }
        // From one eye to the other, to the mouth, back: as people look at a face before them.
        self.to = Gaze { x: 0.028 * r.around(), y: 0.022 * r.around() };
        self.until = seconds + r.between(0.5, 2.4);
        was_away
    }

    fn now(&self, seconds: f64) -> Gaze {
        let t = ((seconds - self.began) / JUMP).clamp(0.0, 1.0) as f32;
        let t = t * t * (3.0 - 2.0 * t);
        Gaze { x: self.from.x + (self.to.x - self.from.x) * t, y: self.from.y + (self.to.y - self.from.y) * t }
    }
}

impl Look {
    /// The eyes of a head that is held so: they stay on what they look at while it turns. `much`: share of it, 0..=1.
    pub(super) fn looking_from(&self, head: HeadPose, much: f32) -> Gaze {
        let bounded = |v: f32, most: f32| v.clamp(-most, most);
        Gaze {
            x: bounded(much * self.at.x - 0.9 * head.yaw, FURTHEST.0),
            y: bounded(much * self.at.y - 0.7 * head.pitch, FURTHEST.1),
        }
    }
}
