//! What this machine sustains: a second of real work at the start, as many sessions at once as slots are configured.

use crate::RenderError;
use crate::film::FramePath;
use crate::pipeline::{self, FilmSetup};
use mouthpiece_engine::life::Liveliness;
use mouthpiece_engine::{Ear, Engine, EngineDesks, SpeechLevel};
use mouthpiece_media::audio::SPEECH_RATE;
use mouthpiece_media::encode::{EncoderChoice, FilePreset};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Frames a second of one session that must be sustained for a slot.
pub const PER_SLOT: u32 = 30;
/// Frames a second of the measured sessions.
const FPS: u32 = 25;
/// The sample that is measured with; the command's own.
pub const PORTRAIT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/portrait.png"));
/// Longer side of the measured frames in pixels.
pub const SIZE: u32 = 512;

/// Slots that are offered at so many frames a second in all: at least one, at most `configured`.
pub fn sustained(frames_per_second: u32, configured: u8) -> u8 {
    let fitting = (frames_per_second / PER_SLOT).clamp(1, u32::from(configured.max(1)));
    u8::try_from(fitting).unwrap_or(configured)
}

/// What is measured: an avatar, `references` reference frames of `size`, and who draws and listens.
pub struct EngineTrial<'a, E: Engine> {
    /// In front of the engine's thread.
    pub desks: &'a EngineDesks<E>,
    /// Makes ears.
    pub engine: &'a E,
    /// The avatar that is drawn.
    pub avatar: &'a Arc<E::Avatar>,
    /// `[width, height]`.
    pub size: [u32; 2],
    /// Reference frames.
    pub references: usize,
    /// Speed against size of the file.
    pub preset: FilePreset,
}

impl<E: Engine> EngineTrial<'_, E> {
    /// Frames a second that `sessions` sessions at once make in all, listening, drawing and encoding for `span`.
    ///
    /// # Errors
    /// [`RenderError`] when the engine or the encoder fails.
    pub fn run(&self, sessions: u8, span: Duration) -> Result<f64, RenderError> {
        let started = Instant::now();
        let until = started + span;
        let frames = thread::scope(|scope| {
            let running: Vec<_> =
                (0..sessions).map(|seed| scope.spawn(move || self.session(seed.into(), until))).collect();
            running.into_iter().try_fold(0, |sum, session| {
                let frames = session.join().unwrap_or(Err(mouthpiece_engine::EngineError::Gone.into()))?;
                Ok::<u64, RenderError>(sum + frames)
            })
        })?;
        Ok(frames as f64 / started.elapsed().as_secs_f64())
    }

    fn session(&self, seed: u64, until: Instant) -> Result<u64, RenderError> {
        let liveliness = Liveliness::default();
        let Self { size, preset, .. } = *self;
        let making = FilmSetup { size, fps: FPS, seed, liveliness, encoder: EncoderChoice::Auto, preset, mark: false };
        let mut encoder = pipeline::open_encoder(&making)?;
        let mut ear = self.engine.ear(SpeechLevel { active_rms: 0.1, loud_db: -18.0 });
        let mut speech = Syllables::default();
        let mut path = FramePath::new(self.desks.desk(Arc::clone(self.avatar)), self.references, FPS, seed, liveliness);
        while Instant::now() < until {
            let heard = loop {
                if let Some(heard) = ear.cue(path.next_middle()) {
                    break heard;
                }
                ear.hear(speech.next());
            };
            let pts = path.next() as i64;
            encoder.encode(path.draw(heard)?, pts, false, &mut |_| {})?;
        }
        Ok(path.next())
    }
}

/// Something like speech without words: a voice at 140 Hz that rises and falls four times a second.
#[derive(Default)]
struct Syllables {
    at: u64,
    block: Vec<f32>,
}

impl Syllables {
    /// The next 40 ms.
    fn next(&mut self) -> &[f32] {
        let rate = f64::from(SPEECH_RATE);
        self.block.clear();
        self.block.extend((0..u64::from(SPEECH_RATE) / FPS as u64).map(|i| {
            let t = (self.at + i) as f64 / rate;
            let turn = |hertz: f64| (std::f64::consts::TAU * hertz * t).sin();
            let voice: f64 = (1..=8).map(|n| turn(140.0 * f64::from(n)) / f64::from(n)).sum();
            (0.12 * voice * turn(2.0).powi(2)) as f32
        }));
        self.at += self.block.len() as u64;
        &self.block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_what_is_sustained() {
        let offered: Vec<u8> = [0, 29, 59, 60, 89, 5000].map(|fps| sustained(fps, 2)).to_vec();
        assert_eq!(offered, [1, 1, 1, 2, 2, 2]);
        assert_eq!(sustained(5000, 16), 16);
    }

    #[test]
    fn the_sound_rises_and_falls() {
        let mut speech = Syllables::default();
        let loudest = |block: &[f32]| block.iter().fold(0.0_f32, |most, s| most.max(s.abs()));
        let levels: Vec<f32> = (0..25).map(|_| loudest(speech.next())).collect();
        assert!(levels.iter().any(|l| *l > 0.15) && levels.iter().any(|l| *l < 0.05), "{levels:?}");
        assert!(levels.iter().all(|l| *l < 1.0));
    }
}
