//! How loud speech is: known beforehand of a recording, followed in what comes live.

use super::HOP;
use super::room::Room;
use mouthpiece_engine::{SPEECH_RANGE_DB, SpeechLevel};
use std::collections::VecDeque;

/// Active RMS that the network was trained at.
const NETWORK_LEVEL: f32 = 0.09;
/// Most gain that quiet speech is given: below that it is noise.
const MOST_GAIN: f32 = 60.0;
/// From the loud parts to no effort at all, dB.
const EFFORT_RANGE: f32 = 35.0;

/// Mean level of spoken frames at which a live voice is taken as it is, dB: the network's level, 5.5 dB lower since this
/// is a mean of decibels.
const USUAL: f32 = -27.0;
/// The loud parts are so far above that mean.
const LOUD_OVER_MEAN: f32 = 10.0;
/// Quieter voices are not followed further.
const QUIETEST: f32 = -58.0;
/// What a voice is followed by lies at most so far below its mean, so that a whisper after a shout is noticed.
const NOTICED: f32 = 40.0;
/// Speech is so far above the room, and never below this.
const OVER_ROOM: f32 = 8.0;
const NEVER_SPEECH: f32 = -62.0;
/// The room is never amplified beyond this: there the network still takes hums for silence.
const ROOM_AT_MOST: f32 = -46.0;
/// Most gain, dB.
const MOST_GAIN_DB: f32 = 35.0;
/// Speech is followed within so many frames, and once that says something else by so many dB, the level goes there at
/// this rate a frame instead of the slow one: a speaker's stress is kept, another speaker is followed in a second.
const QUICK: f32 = 1.0 / 25.0;
const SLOW: f32 = 1.0 / 300.0;
const ANOTHER_SPEAKER: f32 = 6.0;
const HURRY: f32 = 0.08;
/// Something is speech when it lasts so many frames; the shortest syllable does, a key's click does not.
const LASTS: usize = 5;
/// What falls by so many dB within the look-ahead is a click's echo, unless sound went on for so many frames before.
const FALL: f32 = 8.0;
const SURE: usize = 8;
/// The network hears silence at more than this.
const SILENT: f32 = 0.8;

/// How loud speech is.
pub(super) enum Level {
    /// Surveyed beforehand.
    Known(Known),
    /// Followed.
    Running(Running),
}

/// The level of a recording.
pub(super) struct Known {
    gain: f32,
    loud_db: f32,
    floor_db: f32,
    /// Levels of frames that the network has not answered for yet.
    levels: VecDeque<f32>,
}

impl Level {
    pub(super) fn known(level: SpeechLevel) -> Self {
        let gain = (NETWORK_LEVEL / level.active_rms.max(1e-6)).min(MOST_GAIN);
        Self::Known(Known {
            gain,
            loud_db: level.loud_db,
            floor_db: level.floor_db(),
            levels: VecDeque::with_capacity(64),
        })
    }

    /// Takes the next 10 ms of sound; returns the effort that it is made with: 0 at 35 dB below the loud parts, 1 at their
    /// level. Afterwards it is multiplied with [`Level::gain`] for the network.
    pub(super) fn hear(&mut self, hop: &[f32; HOP]) -> f32 {
        let (level, loud) = match self {
            Self::Known(known) => {
                let level = decibels(hop.iter().map(|s| s * s).sum());
                known.levels.push_back(level);
                (level, known.loud_db)
            }
            Self::Running(running) => (running.hear(hop), running.loud()),
        };
        ((level - (loud - EFFORT_RANGE)) / EFFORT_RANGE).clamp(0.0, 1.0)
    }

    pub(super) fn gain(&self) -> f32 {
        match self {
            Self::Known(known) => known.gain,
            Self::Running(running) => running.gain(),
        }
    }

    /// How surely somebody speaks in the frame that the network has just answered for, of whose silence it is so sure.
    pub(super) fn spoken(&mut self, silence: f32) -> f32 {
        match self {
            Self::Known(known) => {
                let level = known.levels.pop_front().unwrap_or(f32::NEG_INFINITY);
                if level > known.floor_db { surely(silence) } else { 0.0 }
            }
            Self::Running(running) => running.spoken(silence),
        }
    }
}

fn surely(silence: f32) -> f32 {
    (1.15 - silence).clamp(0.0, 1.0)
}

/// Level of a frame with this sum of squares, dB of full scale.
fn decibels(squares: f32) -> f32 {
    10.0 * (squares / HOP as f32 + 1e-10).log10()
}

/// The level of a voice that comes live, and of the room around it.
pub(super) struct Running {
    /// Mean level of spoken frames, dB: followed slowly, and quickly.
    mean: f32,
    quick: f32,
    room: Room,
    /// The last levels; the oldest is that of the frame that the network answers for.
    levels: VecDeque<f32>,
    /// How many it is behind.
    behind: usize,
    /// Frames in a row, up to the one answered for last, that were loud enough for a mouth, and for following.
    loud: usize,
    noticed: usize,
    /// A filter against what is below voices: hum, and a microphone's constant.
    last: [f32; 2],
}

impl Running {
    /// `behind`: how many frames the network answers late.
    pub(super) fn new(behind: usize) -> Self {
        Self {
            mean: USUAL,
            quick: USUAL,
            room: Room::new(),
            levels: VecDeque::with_capacity(behind + 2),
            behind,
            loud: 0,
            noticed: 0,
            last: [0.0; 2],
        }
    }

    fn loud(&self) -> f32 {
        self.mean + LOUD_OVER_MEAN
    }

    fn gain(&self) -> f32 {
        let db = (USUAL - self.mean).min(ROOM_AT_MOST - self.room.level()).min(MOST_GAIN_DB);
        10.0_f32.powf(db / 20.0)
    }

    fn hear(&mut self, hop: &[f32; HOP]) -> f32 {
        let mut squares = 0.0;
        for &s in hop {
            // 70 Hz.
            let y = s - self.last[0] + 0.973 * self.last[1];
            self.last = [s, y];
            squares += y * y;
        }
        let level = decibels(squares);
        self.room.hear(level);
        if self.levels.len() > self.behind {
            self.levels.pop_front();
        }
        self.levels.push_back(level);
        level
    }

    fn spoken(&mut self, silence: f32) -> f32 {
        let (Some(&level), Some(&newest)) = (self.levels.front(), self.levels.back()) else { return 0.0 };
        let quiet = (self.room.level() + OVER_ROOM).max(NEVER_SPEECH);
        let floor = (self.loud() - SPEECH_RANGE_DB).max(quiet);
        let coming = self.levels.iter().take_while(|l| **l > floor).count();
        let before = self.loud;
        self.loud = if coming > 0 { before + 1 } else { 0 };
        let most = self.levels.iter().copied().fold(f32::MIN, f32::max);
        let click = before < SURE && most - newest > FALL;
        let lasts = coming > 0 && before + coming >= LASTS;

        self.noticed = if level > (self.mean - NOTICED).max(quiet) { self.noticed + 1 } else { 0 };
        if self.noticed > SURE && silence < 0.5 {
            self.follow(level);
        }
        if lasts && !click && silence <= SILENT { surely(silence) } else { 0.0 }
    }

    fn follow(&mut self, level: f32) {
        self.quick += (level - self.quick) * QUICK;
        let off = self.quick - self.mean;
        self.mean += off * if off.abs() > ANOTHER_SPEAKER { HURRY } else { SLOW };
        self.mean = self.mean.max(QUIETEST);
    }
}
