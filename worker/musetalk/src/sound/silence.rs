//! When nobody speaks.
//!
//! A network that hears noise moves lips. So silence is told by level, and the engine then shows the reference itself.

use mouthpiece_engine::SpeechLevel;
use std::collections::VecDeque;

/// Samples of one measurement, 20 ms of 16 kHz.
const PIECE: usize = 320;
/// Pieces over which the quietest is looked for: a pause of speech is in any four seconds.
const PAUSE: usize = 200;
/// Louder than the room by this is speech, dB.
const ABOVE_ROOM: f32 = 12.0;
/// Between these the level that divides speech from silence stays, dB of full scale.
const FLOORS: (f32, f32) = (-55.0, -30.0);
/// A mouth is not at rest so soon after speech, and is open before it, in pieces.
const AFTER: i64 = 12;
const BEFORE: i64 = 5;
/// As much above the floor as full voice is, dB.
const FULL_VOICE: f32 = 20.0;

/// Follows how loud the sound is.
pub struct SilenceGate {
    /// Of a recording, whose level is known.
    known: Option<f32>,
    /// Level of each piece, dB of full scale; the first is that of piece `first`.
    levels: VecDeque<f32>,
    first: i64,
    /// The piece that is being filled: its sum of squares, and how much of it is there.
    sum: f64,
    filled: usize,
}

/// What a moment sounds like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voice {
    /// 0 (silence) to 1.
    pub strength: f32,
    /// Nobody speaks around this moment.
    pub silent: bool,
}

impl SilenceGate {
    /// For a recording whose level is known, or for somebody who speaks just now.
    pub fn new(level: Option<SpeechLevel>) -> Self {
        let known = level.map(SpeechLevel::floor_db);
        Self { known, levels: VecDeque::new(), first: 0, sum: 0.0, filled: 0 }
    }

    /// Takes the next samples.
    pub fn hear(&mut self, samples: &[f32]) {
        for sample in samples {
            self.sum += f64::from(sample * sample);
            self.filled += 1;
            if self.filled == PIECE {
                self.levels.push_back((10.0 * (self.sum / PIECE as f64 + 1e-12).log10()) as f32);
                (self.sum, self.filled) = (0.0, 0);
            }
        }
    }

    /// What the sound at `seconds` is like; what was not heard is silence. Forgets what is four seconds older.
    pub fn at(&mut self, seconds: f64) -> Voice {
        let piece = (seconds * 50.0) as i64;
        while self.first + (PAUSE as i64) < piece && self.levels.len() > 1 {
            self.levels.pop_front();
            self.first += 1;
        }
        let floor = match self.known {
            Some(floor) => floor,
            None => self.room_floor(),
        };
        let level = |piece: i64| {
            let at = usize::try_from(piece - self.first).ok();
            at.and_then(|at| self.levels.get(at)).copied().unwrap_or(f32::MIN)
        };
        let around = (piece - AFTER..=piece + BEFORE).map(level).fold(f32::MIN, f32::max);
        let here = (piece - 1..=piece + 1).map(level).fold(f32::MIN, f32::max);
        Voice { strength: ((here - floor) / FULL_VOICE).clamp(0.0, 1.0), silent: around <= floor }
    }

    /// The quietest fifth of a second of what is remembered, and something.
    fn room_floor(&mut self) -> f32 {
        let levels = self.levels.make_contiguous();
        let quietest = levels.windows(10).map(|w| w.iter().copied().fold(f32::MIN, f32::max)).fold(f32::MAX, f32::min);
        let room = if quietest == f32::MAX { FLOORS.0 } else { quietest };
        (room + ABOVE_ROOM).clamp(FLOORS.0, FLOORS.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(db: f32, seconds: f32) -> Vec<f32> {
        let loud = 10_f32.powf(db / 20.0);
        (0..(seconds * 16_000.0) as usize).map(|n| if n % 2 == 0 { loud } else { -loud }).collect()
    }

    #[test]
    fn a_recording_is_silent_below_its_own_floor() {
        let level = SpeechLevel::of_recording(0.1, -20.0);
        let mut gate = SilenceGate::new(Some(level));
        for (db, seconds) in [(-60.0, 1.0), (-20.0, 1.0), (-60.0, 2.0)] {
            gate.hear(&noise(db, seconds));
        }
        let silent: Vec<bool> = [0.5, 0.95, 1.5, 2.1, 2.5].map(|t| gate.at(t).silent).to_vec();
        assert_eq!(silent, [true, false, false, false, true]);
        assert_eq!(SilenceGate::new(Some(level)).at(0.0), Voice { strength: 0.0, silent: true });
    }

    #[test]
    fn a_noisy_room_is_silent_until_somebody_speaks() {
        let mut gate = SilenceGate::new(None);
        gate.hear(&noise(-45.0, 2.0));
        assert!(gate.at(1.5).silent, "noise at -45 dB");
        gate.hear(&noise(-20.0, 1.0));
        let voice = gate.at(2.5);
        assert!(!voice.silent && voice.strength > 0.5, "{voice:?}");
        gate.hear(&noise(-45.0, 2.0));
        assert!(gate.at(4.0).silent);
    }
}
