//! What is said to a session.

use super::Live;
use crate::live::inbox::Input;
use crate::live::microphone::Microphone;
use crate::live::voice;
use mouthpiece_domain::live::{Down, LiveStatus, Mood, Up};
use mouthpiece_engine::Artist;
use mouthpiece_transport::StreamEvent;
use std::time::{Duration, Instant};
use tracing::{debug, info, warn};

/// A conversion gives at most so many samples more than it was just given: those that it held back.
const CARRIED: u64 = 200;

impl<A: Artist> Live<'_, A> {
    pub(super) fn input(&mut self, input: Input) {
        match input {
            Input::Stream(event) => self.stream_event(event),
            Input::Line { line, down } => {
                self.callers.add(line, down);
                self.callers.tell_one(line, Down::Mood { mood: self.mood, event: None });
            }
            Input::Up { line, up } => self.up(line, up),
            Input::LineGone { line } => self.callers.remove(line),
            Input::Interrupt => drop(self.interrupt()), // whoever asked has its answer
            Input::KeepAlive => self.endings.active(Instant::now()),
            Input::Status(asked) => drop(asked.send(self.status())), // whoever asked may wait no longer
        }
    }

    fn stream_event(&mut self, event: StreamEvent) {
        let now = Instant::now();
        match event {
            StreamEvent::Joined { viewer, after } => {
                info!(session_id = %self.setting.session, viewers = self.endings.viewers() + 1, "a viewer came");
                self.endings.joined(viewer, now);
                self.voice.release();
                self.key_wanted = true;
                self.joined.get_or_insert(now);
                self.metrics.viewers(1);
                self.metrics.connected(after);
            }
            StreamEvent::Left { viewer, why } => {
                // It is also told of who never came.
                if !self.endings.is_here(viewer) {
                    return;
                }
                self.metrics.viewers(-1);
                info!(session_id = %self.setting.session, why = ?why, "a viewer went");
                if self.endings.left(viewer, now) {
                    self.recent.clear();
                    self.joined = None;
                }
            }
            StreamEvent::KeyFrameWanted => self.key_wanted = true,
            StreamEvent::Bitrate(bits) => self.set_bitrate(bits),
            StreamEvent::Microphone { viewer, data, time, .. } => self.microphone(viewer, &data, time, now),
            StreamEvent::MicrophoneGone { .. } => self.microphone = None,
            StreamEvent::Sent { pts, at } => self.left(pts, at),
        }
    }

    fn microphone(&mut self, viewer: u128, packet: &[u8], time: u64, now: Instant) {
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

    /// The transport keeps it within the terms' bounds.
    fn set_bitrate(&mut self, bits: u32) {
        match self.encoder.set_bitrate(bits) {
            Ok(()) => self.bitrate = bits,
            Err(e) => debug!(error = %e, bits, "the encoder keeps its rate"),
        }
    }

    fn up(&mut self, line: u64, up: Up) {
        let now = Instant::now();
        match up {
            Up::Speak { event, rate, samples } => {
                self.endings.active(now);
                self.speak(line, event, rate, &samples, now);
            }
            Up::SpeakEnd { event } => {
                self.endings.active(now);
                let Self { pushed, voice, callers, .. } = self;
                // What the conversion holds of an utterance that was given up belongs to none.
                let rest = if voice.would_begin() { &[] } else { pushed.finish() };
                if !voice.end_utterance(event.clone(), rest, now) {
                    callers.tell_one(line, Down::Ended { event, played_ms: 0 });
                }
            }
            Up::Interrupt { event } => {
                if !self.interrupt() {
                    self.callers.tell_one(line, Down::Interrupted { event: event.clone(), played_ms: 0 });
                }
                self.answer(line, event);
            }
            Up::StartListening { event } => {
                self.listened_to = true;
                self.answer(line, event);
            }
            Up::StopListening { event } => {
                self.listened_to = false;
                self.answer(line, event);
            }
            Up::KeepAlive { event } => {
                self.endings.active(now);
                self.callers.tell_one(line, Down::Kept { event });
            }
        }
    }

    fn speak(&mut self, line: u64, event: Option<String>, rate: u32, samples: &[i16], now: Instant) {
        let Self { pushed, voice, callers, .. } = self;
        // Looked at first: what is refused must leave nothing behind in the conversion.
        let room = voice.has_room(samples.len() as u64 * voice::RATE / u64::from(rate.max(1)) + CARRIED);
        let taken = room.map_err(Some).and_then(|()| {
            let sound = pushed.convert(rate, samples, voice.would_begin()).map_err(|error| {
                warn!(%error, "pushed speech cannot be converted");
                None
            })?;
            voice.speak(event.clone(), sound, now).map_err(Some)
        });
        let (retry_after, detail) = match taken {
            Ok(()) => return,
            Err(Some(full)) => (full.retry_after, "so much speech waits already: send this again later"),
            Err(None) => (Duration::ZERO, "the speech has a rate that is not taken here"),
        };
        let retry_after_ms = retry_after.as_millis() as u64;
        callers.tell_one(line, Down::Refused { event, retry_after_ms, detail: detail.to_owned() });
    }

    /// Answers with the mood.
    fn answer(&mut self, line: u64, event: Option<String>) {
        self.tell_but(Some(line));
        self.callers.tell_one(line, Down::Mood { mood: self.mood, event });
    }

    /// True when something was being said.
    fn interrupt(&mut self) -> bool {
        self.endings.active(Instant::now());
        self.pushed.finish();
        self.follower.cut(self.voice.committed());
        self.voice.interrupt()
    }

    /// Tells callers what happened.
    pub(super) fn tell(&mut self) {
        self.tell_but(None);
    }

    /// The same; one line is about to be told the mood as an answer, and is not told that it changed.
    fn tell_but(&mut self, answered: Option<u64>) {
        let Self { voice, callers, .. } = self;
        for event in voice.events() {
            callers.tell(&event);
        }
        let mood = self.follower.mood(self.voice.next(), self.voice.is_talking(), self.listened_to);
        if mood == Mood::Talking {
            self.endings.active(Instant::now());
        }
        if mood != self.mood {
            self.mood = mood;
            self.callers.tell_but(answered, &Down::Mood { mood, event: None });
        }
    }

    fn status(&self) -> LiveStatus {
        let span = match (self.recent.front(), self.recent.back()) {
            (Some(first), Some(last)) => (*last - *first).as_secs_f32(),
            _ => 0.0,
        };
        let fps = if span > 0.0 { (self.recent.len() - 1) as f32 / span } else { 0.0 };
        LiveStatus {
            mood: self.mood,
            viewers: self.endings.viewers(),
            fps,
            ticks: self.sent + self.missed,
            missed: self.missed,
            bitrate: self.bitrate,
            buffered_ms: self.voice.buffered().as_millis() as u64,
            stages: self.stages.times(),
        }
    }
}
