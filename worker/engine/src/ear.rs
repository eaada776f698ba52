//! Listening: sound in, cues for the mouth out.

use crate::Cue;

/// Levels so far below the loud parts are not speech, dB.
pub const SPEECH_RANGE_DB: f32 = 32.0;

/// However quiet a recording is, its loud parts are not taken to be quieter than this, dB of full scale.
const QUIETEST_LOUD_DB: f32 = -55.0;

/// How loud the speech is: what levelling needs to know before the first word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeechLevel {
    /// RMS of the parts where somebody speaks, 0..=1.
    pub active_rms: f32,
    /// Level that only the loudest twentieth of all 10 ms frames exceeds, in dB of full scale.
    pub loud_db: f32,
}

impl SpeechLevel {
    /// Of a recording that was measured: the RMS of its active parts, and the level of its loud ones in dB.
    pub fn of_recording(active_rms: f32, loud_db: f32) -> Self {
        Self { active_rms, loud_db: loud_db.max(QUIETEST_LOUD_DB) }
    }

    /// What is no louder than this, in dB of full scale, is taken for silence whatever it is: no mouth moves for it.
    pub fn floor_db(self) -> f32 {
        self.loud_db - SPEECH_RANGE_DB
    }
}

/// What was heard around one instant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HeardCue<Cue> {
    /// What the mouth should do.
    pub cue: Cue,
    /// How much voice there is, 0 (silence) to about 1: drives nods and brows.
    pub voice: f32,
}

/// Turns a stream of 16 kHz mono speech into cues, each for the middle of a video frame.
pub trait Ear: Send {
    /// What the engine's ticks take.
    type Cue: Cue;

    /// Takes the next samples, -1..=1.
    fn hear(&mut self, samples: &[f32]);

    /// Says that nothing follows: from now on every cue can be given.
    fn finish(&mut self);

    /// The cue for media time `seconds`; `None` when more sound must be heard first.
    ///
    /// Times must not decrease. Sound more than a second before the last asked time is forgotten.
    fn cue(&mut self, seconds: f64) -> Option<HeardCue<Self::Cue>>;

    /// Seconds of sound past a cue's time that must have been heard: [`Ear::cue`] of `t` answers once everything before
    /// `t + need()` was heard.
    fn need(&self) -> f64;
}
