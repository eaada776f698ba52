//! Stress: which syllables are beats, and what head and brows do at them.

use super::random::SplitMix64;

/// Seconds that a beat's nod lasts.
const NOD: f64 = 0.20;
/// Seconds for which brows stay up.
const BROWS: (f64, f64) = (0.25, 0.7);
/// Beats are no closer than this, in seconds.
const APART: f64 = 0.42;
/// A voice that rises so far above its own mean is stressed.
const STRESSED: f32 = 0.12;

/// What the voice does, followed from below and above.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct VoiceFollower {
    quick: f32,
    slow: f32,
    /// How surely somebody speaks, 0..=1.
    pub(super) speaking: f32,
    /// How far the voice stands above its own mean: the stress of a syllable or a word.
    pub(super) stress: f32,
    /// Seconds of silence so far; 0 while somebody speaks.
    pub(super) silence: f32,
    /// Speech has just begun after a pause.
    pub(super) begins: bool,
}

impl VoiceFollower {
    /// After `dt` seconds more, at the end of which the voice is at `voice`.
    pub(super) fn follow(&mut self, voice: f32, dt: f32) -> Self {
        let towards = |from: &mut f32, to: f32, seconds: f32| *from += (to - *from) * (1.0 - (-dt / seconds).exp());
        towards(&mut self.quick, voice, 0.10);
        towards(&mut self.slow, voice, 0.70);
        towards(&mut self.speaking, if voice > 0.15 { 1.0 } else { 0.0 }, if voice > 0.15 { 0.15 } else { 0.45 });
        self.stress = self.quick - self.slow;
        let was = self.silence;
        self.silence = if voice > 0.15 { 0.0 } else { was + dt };
        self.begins = self.silence == 0.0 && was > 0.35;
        *self
    }
}

/// What a beat asks for at one instant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beat {
    /// Radians of pitch.
    pub(super) nod: f32,
    /// Lift of the brows, 0..=1.
    pub(super) brow: f32,
    /// To which side the nod goes, -1..=1.
    pub(super) tilt: f32,
}

/// Hears beats and holds what they ask for until it is over.
#[derive(Debug)]
pub(super) struct Beats {
    random: SplitMix64,
    last: f64,
    nod: (f32, f64),
    brow: (f32, f64),
    tilt: f32,
}

impl Beats {
    pub(super) fn new(random: SplitMix64) -> Self {
        Self { random, last: -1.0, nod: (0.0, 0.0), brow: (0.0, 0.0), tilt: 0.0 }
    }

    pub(super) fn at(&mut self, seconds: f64, voice: &VoiceFollower) -> Beat {
        if voice.begins && self.random.chance(0.5) {
            self.raise(0.8, seconds);
        }
        if voice.stress > STRESSED && seconds - self.last >= APART {
            self.last = seconds;
            let strength = ((voice.stress - STRESSED) / 0.3).clamp(0.0, 1.0);
            let strength = 0.45 + 0.55 * strength;
            if self.random.chance(0.62) {
                let nod = strength * self.random.between(0.045, 0.085) as f32;
                self.nod = (nod, seconds + NOD);
                self.tilt = 2.0 * self.random.around();
            }
            if self.random.chance(0.34) {
                self.raise(strength, seconds);
            }
        }
        let during = |(much, until): (f32, f64)| if seconds < until { much } else { 0.0 };
        Beat { nod: during(self.nod), brow: during(self.brow), tilt: self.tilt.clamp(-1.0, 1.0) }
    }

    fn raise(&mut self, strength: f32, seconds: f64) {
        self.brow = (strength, seconds + self.random.between(BROWS.0, BROWS.1));
    }
}
