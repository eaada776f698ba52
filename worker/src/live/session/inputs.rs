//! What is said to a session.

use super::Live;
use crate::live::inbox::Input;
use crate::live::microphone::Microphone;
use mouthpiece_domain::live::{Down, LiveStatus, Mood, Up};
use mouthpiece_engine::Artist;
use mouthpiece_transport::StreamEvent;
use std::time::{Duration, Instant};
use tracing::{debug, info, warn};

/// The microphone's voice is taken as going on for so long after it was heard last.
const PAUSE: Duration = Duration::from_millis(600);

impl<A: Artist> Live<'_, A>
where
    A::Cue: Default + PartialEq,
{
    pub(super) fn input(&mut self, input: Input) {
        match input {
            Input::Stream(event) => self.stream_event(event),
            Input::Line { line, down } => {
                self.callers.add(line, down);
                self.callers.tell_one(line, Down::Mood(self.mood));
            }
            Input::Up { line, up } => self.up(line, up),
            Input::LineGone { line } => self.callers.remove(line),
            Input::Interrupt => self.interrupt(),
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
                let pushed = match self.pushed.convert(rate, &samples) {
                    Ok(sound) => self.voice.speak(event.clone(), sound, now),
                    Err(e) => {
                        let refused = Down::Refused { event, retry_after_ms: 0, detail: e.to_string() };
                        return self.callers.tell_one(line, refused);
                    }
                };
                if let Err(full) = pushed {
                    let detail = "so much speech waits already: send this again later".to_owned();
                    let retry_after_ms = full.retry_after.as_millis() as u64;
                    self.callers.tell_one(line, Down::Refused { event, retry_after_ms, detail });
                }
            }
            Up::SpeakEnd { event } => {
                self.endings.active(now);
                let Self { pushed, voice, .. } = self;
                voice.end_utterance(event, pushed.finish());
            }
            Up::Interrupt => self.interrupt(),
            Up::StartListening => self.listened_to = true,
            Up::StopListening => self.listened_to = false,
            Up::KeepAlive => self.endings.active(now),
        }
    }

    fn interrupt(&mut self) {
        self.endings.active(Instant::now());
        self.pushed.finish();
        self.voice.interrupt();
        self.voice_heard = None;
    }

    /// Tells callers what happened.
    pub(super) fn tell(&mut self) {
        let now = Instant::now();
        let Self { voice, callers, .. } = self;
        for event in voice.events() {
            callers.tell(&event);
        }
        let talking = self.voice.is_talking() || self.voice_heard.is_some_and(|then| now - then < PAUSE);
        let mood = match (talking, self.listened_to) {
            (true, _) => Mood::Talking,
            (false, true) => Mood::Listening,
            (false, false) => Mood::Idle,
        };
        if talking {
            self.endings.active(now);
        }
        if mood != self.mood {
            self.mood = mood;
            self.callers.tell(&Down::Mood(mood));
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
