//! Keeps the sound around each frame's middle.

use mouthpiece_engine::{Cue, Ear, HeardCue};

const RATE: f64 = 16_000.0;
/// Sound before and after a frame's middle that belongs to it, seconds.
const HALF: f64 = 0.02;
/// Quieter than this is silence.
const QUIET: f32 = 0.01;

/// The sound of one frame. Neither `Copy` nor `PartialEq`.
pub struct Window(Box<[f32]>);

impl Window {
    /// Its root mean square, 0..=1; silence is 0.
    pub fn loudness(&self) -> f32 {
        let mean = self.0.iter().map(|s| s * s).sum::<f32>() / self.0.len().max(1) as f32;
        if mean.sqrt() < QUIET { 0.0 } else { mean.sqrt() }
    }
}

impl Cue for Window {
    fn is_rest(&self) -> bool {
        self.loudness() == 0.0
    }
}

/// Hears whatever there is: a recording and a live voice alike.
#[derive(Default)]
pub struct BarEar {
    sound: Vec<f32>,
    finished: bool,
}

impl Ear for BarEar {
    type Cue = Window;

    fn hear(&mut self, samples: &[f32]) {
        self.sound.extend_from_slice(samples);
    }

    fn finish(&mut self) {
        self.finished = true;
    }

    fn cue(&mut self, seconds: f64) -> Option<HeardCue<Window>> {
        // A billionth of a second: times such as 0.58 are a little less than they say.
        let [from, to] = [-HALF, HALF].map(|d| ((seconds + d) * RATE + 1e-5).max(0.0) as usize);
        if to > self.sound.len() && !self.finished {
            return None;
        }
        let window = Window(self.sound[from.min(self.sound.len())..to.min(self.sound.len())].into());
        let voice = window.loudness();
        Some(HeardCue { cue: window, voice })
    }

    fn need(&self) -> f64 {
        HALF
    }
}
