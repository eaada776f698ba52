//! What is said to and by a session.

use crate::live::microphone::Microphone;
use crate::live::mood::MoodFollower;
use crate::live::pushed::Pushed;
use crate::live::voice::{self, MessageRef, NoRoom, Voice};
use mouthpiece_domain::live::FaceMood;
use std::time::{Duration, Instant};
use tracing::warn;

/// Speech that may wait.
const BUFFER: Duration = Duration::from_secs(120);
/// A conversion gives at most so many samples more than it was just given: those that it held back.
const CARRIED: u64 = 200;

/// Why pushed speech is not taken.
pub(super) enum NotSaid {
    /// Too much waits.
    NoRoom(NoRoom),
    /// Its rate is none of those that are converted.
    Rate,
}

/// All that sounds, and what the face does with it.
pub(super) struct Speech {
    pub voice: Voice,
    pushed: Pushed,
    pub microphone: Option<Microphone>,
    pub follower: MoodFollower,
    /// What the face does, as it was told last.
    pub mood: FaceMood,
    /// A caller said that somebody speaks to the face.
    pub listened_to: bool,
}

impl Speech {
    /// Silence.
    pub fn new(fps: u32) -> Self {
        Self {
            voice: Voice::new(BUFFER, Duration::from_secs(1) / fps.max(1)),
            pushed: Pushed::default(),
            microphone: None,
            follower: MoodFollower::default(),
            mood: FaceMood::default(),
            listened_to: false,
        }
    }

    /// Takes a caller's samples.
    pub fn push(
        &mut self,
        event: Option<String>,
        rate: u32,
        samples: &[i16],
        from: MessageRef,
        now: Instant,
    ) -> Result<(), NotSaid> {
        let Self { pushed, voice, .. } = self;
        // Looked at first: what is refused must leave nothing behind in the conversion.
        let most = samples.len() as u64 * voice::RATE / u64::from(rate.max(1)) + CARRIED;
        voice.has_room(most).map_err(NotSaid::NoRoom)?;
        let sound = pushed.convert(rate, samples, voice.would_begin()).map_err(|error| {
            warn!(%error, "pushed speech cannot be converted");
            NotSaid::Rate
        })?;
        voice.speak(event, sound, from, now).map_err(NotSaid::NoRoom)
    }

    /// What was pushed is all of the utterance; false when there is no room for that.
    pub fn end_utterance(&mut self, event: Option<String>, from: MessageRef, now: Instant) -> bool {
        let Self { pushed, voice, .. } = self;
        // What the conversion holds of an utterance that was given up belongs to none.
        let rest = if voice.would_begin() { &[] } else { pushed.finish() };
        voice.end_utterance(event, rest, from, now)
    }

    /// Takes a packet of a viewer's microphone, whose first sample has the RTP time `time` (48 kHz).
    pub fn hear_microphone(&mut self, viewer: u128, packet: &[u8], time: u64, now: Instant) {
        if self.microphone.as_ref().is_none_or(|m| m.viewer() != viewer) {
            match Microphone::new(viewer) {
                Ok(microphone) => self.microphone = Some(microphone),
                Err(e) => return warn!(error = %e, "a microphone cannot be decoded"),
            }
        }
        if let Some(microphone) = &mut self.microphone {
            self.voice.hear(microphone.decode(packet, time), now);
        }
    }

    /// Silence at once; true when something was being said.
    pub fn interrupt(&mut self) -> bool {
        self.pushed.finish();
        self.follower.cut(self.voice.committed());
        self.voice.interrupt()
    }

    /// What the face does now.
    pub fn mood_now(&self) -> FaceMood {
        self.follower.mood(self.voice.next(), self.voice.is_talking(), self.listened_to)
    }
}
