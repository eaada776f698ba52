//! How loud the room is when nobody speaks.

/// Frames that are averaged before anything is concluded: 50 ms.
const SMOOTH: usize = 5;
/// The room is the quietest moment of the last blocks: eight of half a second. Nobody speaks that long without a gap.
const BLOCKS: usize = 8;
const BLOCK: usize = 50;
/// What stays within so many dB for so many frames is no voice either: a hum that has just begun.
const STEADY_RANGE: f32 = 4.0;
const STEADY: usize = 80;
/// The level of no sound at all, dB.
const NOTHING: f32 = -100.0;

/// Follows the level of the room.
#[derive(Debug)]
pub(super) struct Room {
    recent: [f32; SMOOTH],
    at: usize,
    /// The quietest moment of each block, and of the one that is being heard.
    blocks: [f32; BLOCKS],
    present: f32,
    filled: usize,
    /// Lowest and highest since it has been steady, and for how many frames.
    range: [f32; 2],
    steady: usize,
    level: f32,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            recent: [NOTHING; SMOOTH],
            at: 0,
            blocks: [NOTHING; BLOCKS],
            present: f32::MAX,
            filled: 0,
            range: [NOTHING; 2],
            steady: 0,
            level: NOTHING,
        }
    }

    /// Takes the level of the next 10 ms, dB.
    pub(super) fn hear(&mut self, level: f32) {
        self.recent[self.at % SMOOTH] = level;
        self.at += 1;
        let now = self.recent.iter().sum::<f32>() / SMOOTH as f32;

        self.present = self.present.min(now);
        self.level = self.blocks.iter().copied().fold(self.present, f32::min);
        self.filled += 1;
        if self.filled == BLOCK {
            self.blocks.rotate_left(1);
            self.blocks[BLOCKS - 1] = self.present;
            (self.present, self.filled) = (f32::MAX, 0);
        }

        self.range = [self.range[0].min(now), self.range[1].max(now)];
        self.steady += 1;
        if self.range[1] - self.range[0] > STEADY_RANGE {
            (self.range, self.steady) = ([now; 2], 0);
        }
        if self.steady >= STEADY {
            self.level = self.level.max(now);
        }
    }

    /// The room's level, dB; -100 until it is known.
    pub(super) fn level(&self) -> f32 {
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(levels: impl IntoIterator<Item = f32>) -> f32 {
        let mut room = Room::new();
        levels.into_iter().for_each(|l| room.hear(l));
        room.level()
    }

    /// Three syllables a second, 25 dB between loud and quiet.
    fn speech(n: usize) -> f32 {
        -20.0 - 25.0 * (n as f32 * 0.1).sin().abs()
    }

    #[test]
    fn a_room_is_known_after_a_second_and_not_before() {
        assert_eq!(room([-50.0; 40]), -100.0);
        assert_eq!(room([-50.0; 100]), -50.0);
    }

    #[test]
    fn speech_is_not_the_room() {
        assert!(room((0..1_000).map(speech)) < -38.0);
        assert_eq!(room(std::iter::repeat_n(-60.0, 200).chain((0..300).map(speech))), -60.0);
    }

    #[test]
    fn a_room_that_becomes_quiet_is_quiet_at_once() {
        assert!(room(std::iter::repeat_n(-40.0, 500).chain([-80.0; 10])) < -79.0);
    }
}
