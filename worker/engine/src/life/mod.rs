//! What a person does all the time: breathe, blink, look about, hold the head this way and that, stress what is said.
//!
//! Nothing here is a wave: heads are held, and move between postures; eyes rest, and jump. When and where to is drawn from a
//! seed, how is a spring's way there ([`spring`](self)). What is said sets the pace: postures change and brows rise more
//! often while somebody speaks, and a stressed word is a beat that the head nods to. The same seed and the same voice give
//! the same life, frame for frame.

mod beat;
mod blinks;
mod eyes;
mod posture;
mod random;
mod spring;

use crate::{Expression, HeadPose};
use beat::{Beats, VoiceFollower};
use blinks::Blinks;
use eyes::Eyes;
use posture::Posture;
use random::SplitMix64;
use spring::Spring;
use std::f64::consts::TAU;

/// The air that somebody speaks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Demeanour {
    /// As in the picture.
    #[default]
    Neutral,
    /// A slight smile, lively brows, a head that nods and tilts.
    Friendly,
    /// Corners and brows a little down, a calm head.
    Serious,
}

/// What a demeanour makes of the face, and of how it moves.
struct Temper {
    smile: f32,
    brow: f32,
    /// Size of the postures and beats.
    head: f32,
    /// How far brows go at a beat.
    brows: f32,
}

impl Demeanour {
    const fn temper(self) -> Temper {
        match self {
            Self::Neutral => Temper { smile: 0.0, brow: 0.0, head: 1.0, brows: 0.85 },
            Self::Friendly => Temper { smile: 0.65, brow: 0.12, head: 1.12, brows: 1.0 },
            Self::Serious => Temper { smile: -0.65, brow: -0.55, head: 0.72, brows: 0.55 },
        }
    }
}

/// How much of life shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Liveliness {
    /// Eyes blink, 10 to 20 times a minute.
    pub blinks: bool,
    /// How much head, gaze, brows and shoulders move, 0 (not at all) to 1.
    pub motion: f32,
    /// The air that they have.
    pub demeanour: Demeanour,
}

impl Liveliness {
    /// Blinks, and nothing else.
    pub const STILL: Self = Self { blinks: true, motion: 0.0, demeanour: Demeanour::Neutral };
}

impl Default for Liveliness {
    fn default() -> Self {
        Self { blinks: true, motion: 1.0, demeanour: Demeanour::Neutral }
    }
}

/// Seconds of a breath in, and of a whole one.
const BREATH: (f64, f64) = (1.5, 3.9);
/// Radians a second of a spring that takes about a third of a second, as brows do.
const BROW_PACE: f32 = 13.0;

/// A person's small movements over time.
#[derive(Debug)]
pub struct Life {
    liveliness: Liveliness,
    last: f64,
    voice: VoiceFollower,
    beats: Beats,
    blinks: Blinks,
    eyes: Eyes,
    posture: Posture,
    brow: Spring,
    nod: Spring,
    breath_phase: f64,
}

impl Life {
    /// A life determined by `seed`.
    pub fn new(seed: u64, liveliness: Liveliness) -> Self {
        let mut random = SplitMix64(seed);
        let breath_phase = random.between(0.0, BREATH.1);
        Self {
            liveliness,
            last: 0.0,
            voice: VoiceFollower::default(),
            beats: Beats::new(random.fork()),
            blinks: Blinks::new(random.fork()),
            eyes: Eyes::new(random.fork()),
            posture: Posture::new(random.fork()),
            brow: Spring::default(),
            nod: Spring::default(),
            breath_phase,
        }
    }

    /// The expression at media time `seconds` (not decreasing), with so much `voice` (0..=1) heard.
    pub fn at(&mut self, seconds: f64, voice: f32) -> Expression {
        let dt = (seconds - self.last).clamp(0.0, 1.0) as f32;
        self.last = seconds;
        let Liveliness { blinks, motion, demeanour } = self.liveliness;
        let temper = demeanour.temper();
        let voice = self.voice.follow(voice, dt);
        let beat = self.beats.at(seconds, &voice);
        let moved = self.posture.at(seconds, dt, &voice);
        self.nod.approach(beat.nod, 15.0, dt);
        self.brow.approach(beat.brow * temper.brows, BROW_PACE, dt);
        let eyes = self.eyes.at(seconds, &voice);
        let blink = if blinks { self.blinks.at(seconds, moved || eyes.jumps_far) } else { 0.0 };
        let still = Expression { blink, brow: temper.brow, smile: temper.smile, ..Expression::default() };
        if motion <= 0.0 {
            return still;
        }
        let (much, swing) = (motion.min(1.0), motion.min(1.0) * temper.head);
        let p = self.posture.pose();
        let breath = self.breath(seconds, voice.speaking);
        let head = HeadPose {
            dx: swing * p.dx,
            dy: swing * (p.dy + 0.10 * self.nod.value) - much * 0.003 * breath,
            roll: swing * (p.roll + 0.25 * beat.tilt * self.nod.value),
            yaw: swing * p.yaw,
            pitch: swing * (p.pitch + self.nod.value) - much * 0.004 * breath,
        };
        Expression {
            brow: still.brow + much * (self.brow.value + 0.5 * (p.brow - 0.1)).clamp(-0.2, 1.0),
            smile: still.smile + much * 0.12 * p.smile * temper.head,
            breath: much * breath,
            gaze: eyes.looking_from(head, much),
            head,
            ..still
        }
    }

    /// How full the chest is, 0..=1: drawn in faster than let go, and flatter in speech.
    fn breath(&self, seconds: f64, speaking: f32) -> f32 {
        let (drawn, whole) = BREATH;
        let t = (seconds + self.breath_phase).rem_euclid(whole);
        let share = if t < drawn { t / drawn } else { 1.0 - (t - drawn) / (whole - drawn) };
        (0.5 - 0.5 * (0.5 * TAU * share).cos()) as f32 * (1.0 - 0.35 * speaking)
    }
}

#[cfg(test)]
mod tests;
